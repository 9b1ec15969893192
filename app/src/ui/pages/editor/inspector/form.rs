//! How does a field of the inspector read and change one place of the document?

use std::sync::Arc;

use leptos::prelude::*;
use model::{ArrowId, At, Problem, Severity, TaskId};
use serde_json::Value;

use super::super::desk::{Desk, dotted};
use crate::ui::canvas::Command;

#[derive(Clone, PartialEq)]
pub enum Whose {
    Task(TaskId),
    Arrow(ArrowId),
    Pipeline,
}

/// One record as its document writes it, and how its fields are set. A place is written `resources.gpu`.
#[derive(Clone, Copy)]
pub struct Form {
    pub desk: Desk,
    whose: StoredValue<Whose>,
    record: Memo<Value>,
    problems: Memo<Arc<Vec<(String, Severity, String)>>>,
}

impl Form {
    pub fn new(desk: Desk, whose: Whose) -> Self {
        let owned = whose.clone();
        let record = Memo::new(move |_| match &owned {
            Whose::Task(task) => {
                desk.handle.task(task).map(|task| serde_json::to_value(&*task).unwrap_or_default()).unwrap_or_default()
            }
            Whose::Arrow(arrow) => desk
                .handle
                .arrow(arrow)
                .map(|arrow| serde_json::to_value(&*arrow).unwrap_or_default())
                .unwrap_or_default(),
            Whose::Pipeline => {
                desk.handle.with_pipeline(|all| serde_json::to_value(&*all.settings).unwrap_or_default())
            }
        });
        let owned = whose.clone();
        let problems = Memo::new(move |_| {
            let all = desk.problems.get();
            let mine = all.iter().filter_map(|problem| place_of(problem, &owned));
            Arc::new(mine.collect::<Vec<_>>())
        });
        Form { desk, whose: StoredValue::new(whose), record, problems }
    }

    pub fn task(self) -> Option<TaskId> {
        self.whose.with_value(|whose| match whose {
            Whose::Task(task) => Some(task.clone()),
            Whose::Arrow(_) | Whose::Pipeline => None,
        })
    }

    /// What stands there; follows changes. `None`: the document does not say it.
    pub fn read(self, field: &str) -> Option<Value> {
        let pointer = if field.is_empty() { String::new() } else { format!("/{}", field.replace('.', "/")) };
        self.record.with(|record| record.pointer(&pointer).cloned())
    }

    /// How many entries a list there has.
    pub fn len(self, field: &str) -> usize {
        self.read(field).and_then(|list| list.as_array().map(Vec::len)).unwrap_or(0)
    }

    pub fn set(self, field: &str, value: Option<Value>, typing: Option<u64>) {
        let field = field.to_owned();
        let command = self.whose.with_value(|whose| match whose {
            Whose::Task(task) if field == "name" => {
                let name = value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
                match typing {
                    // Typing a name is one step like any other field's.
                    Some(_) => Command::SetField { task: task.clone(), field, value, typing },
                    None => Command::Rename { task: task.clone(), name },
                }
            }
            Whose::Task(task) => Command::SetField { task: task.clone(), field, value, typing },
            Whose::Arrow(arrow) => Command::SetArrowField { arrow: arrow.clone(), field, value, typing },
            Whose::Pipeline => Command::SetPipelineField { field, value, typing },
        });
        if let Err(refusal) = self.desk.handle.dispatch(command) {
            self.desk.toasts.fail(refusal);
        }
    }

    /// One more entry at the end of a list, which is made if there is none.
    pub fn push(self, field: &str, value: Value) {
        match self.read(field) {
            Some(Value::Array(list)) => self.set(&format!("{field}.{}", list.len()), Some(value), None),
            _ => self.set(field, Some(Value::Array(vec![value])), None),
        }
    }

    pub fn remove(self, field: &str) {
        self.set(field, None, None);
    }

    /// Sentences about this place; `deep`: and about what lies in it.
    pub fn sentences(self, field: &str, deep: bool) -> Vec<(Severity, String)> {
        let inner = format!("{field}.");
        self.problems.with(|all| {
            let here = all.iter().filter(|(at, _, _)| at == field || (deep && at.starts_with(&inner)));
            here.map(|(_, severity, sentence)| (*severity, sentence.clone())).collect()
        })
    }
}

fn place_of(problem: &Problem, whose: &Whose) -> Option<(String, Severity, String)> {
    let field = match (&problem.at, whose) {
        (At::Task { task, field }, Whose::Task(own)) if task == own => field,
        (At::Arrow { arrow, field }, Whose::Arrow(own)) if arrow == own => field,
        (At::Pipeline { field }, Whose::Pipeline) => field,
        (At::Task { .. } | At::Arrow { .. } | At::Pipeline { .. }, _) => return None,
    };
    Some((dotted(field), problem.severity, problem.sentence.clone()))
}
