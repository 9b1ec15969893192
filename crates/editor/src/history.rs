//! Which steps were done, and how does one go back?

use model::Pipeline;
use serde::{Deserialize, Serialize};

use crate::{
    change::Change,
    document::Document,
    record::{self, Record, RecordId},
    selection::Selection,
};

/// More steps than anybody goes back; the oldest are dropped, so that a draft stays small.
pub const MOST_STEPS: usize = 1000;

/// One step: a gesture, a command, or one stay in a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// For people: "Move Train", "Delete 3 tasks".
    pub name: String,
    pub change: Change,
    /// Selected before and after: undo and redo select it again.
    pub before: Selection,
    pub after: Selection,
    /// The stay in a field that this step belongs to; further typing there joins it. Not kept over a reload.
    #[serde(skip)]
    pub typing: Option<u64>,
}

/// Steps that were done and, after undo, steps that can be done again.
///
/// # Guarantees
/// A change of selection alone is no step and clears nothing. Nothing is dropped from `redo` but by a new step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    steps: Vec<Step>,
    /// How many of `steps` are done.
    done: usize,
}

impl History {
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many of [`History::steps`] are done; the rest can be redone.
    pub fn done(&self) -> usize {
        self.done
    }

    pub fn undo_name(&self) -> Option<&str> {
        self.done.checked_sub(1).map(|last| self.steps[last].name.as_str())
    }

    pub fn redo_name(&self) -> Option<&str> {
        self.steps.get(self.done).map(|step| step.name.as_str())
    }

    /// An empty step vanishes; one that goes on typing in the same field joins the last one.
    pub fn push(&mut self, step: Step) {
        if step.change.is_empty() {
            return;
        }
        self.steps.truncate(self.done);
        let joins = step.typing.is_some() && self.steps.last().is_some_and(|last| last.typing == step.typing);
        match self.steps.pop() {
            Some(last) if joins => {
                let change = last.change.then(step.change);
                if !change.is_empty() {
                    self.steps.push(Step { change, after: step.after, ..last });
                }
            }
            last => {
                self.steps.extend(last);
                self.steps.push(step);
            }
        }
        let over = self.steps.len().saturating_sub(MOST_STEPS);
        self.steps.drain(..over);
        self.done = self.steps.len();
    }

    /// The selection that was there before the step; `None`: nothing to undo.
    pub fn undo(&mut self, document: &mut Document) -> Option<Selection> {
        let step = self.done.checked_sub(1).and_then(|last| self.steps.get_mut(last))?;
        step.typing = None;
        document.undo(&step.change);
        self.done -= 1;
        Some(self.steps[self.done].before.clone())
    }

    /// The selection that was there after the step; `None`: nothing to redo.
    pub fn redo(&mut self, document: &mut Document) -> Option<Selection> {
        let step = self.steps.get(self.done)?;
        document.redo(&step.change);
        self.done += 1;
        Some(step.after.clone())
    }

    /// Goes to where `done` steps are done.
    pub fn jump(&mut self, document: &mut Document, done: usize) -> Option<Selection> {
        let done = done.min(self.steps.len());
        let mut selection = None;
        while self.done > done {
            selection = self.undo(document);
        }
        while self.done < done {
            selection = self.redo(document);
        }
        selection
    }

    /// Whether these steps lead to this pipeline: a stored history belongs to one stored draft.
    pub fn fits(&self, pipeline: &Pipeline) -> bool {
        let belongs = |id: &RecordId, side: &Option<Record>| side.as_ref().is_none_or(|value| value.belongs_to(id));
        let mut all = self.steps.iter().flat_map(|step| step.change.records());
        if self.done > self.steps.len() || !all.all(|(id, s)| belongs(id, &s.before) && belongs(id, &s.after)) {
            return false;
        }
        // Walk back over a copy: each step's after must be what is there when its turn comes.
        let mut document = Document::new(pipeline.clone());
        self.steps[..self.done].iter().rev().all(|step| {
            let there = step.change.records().all(|(id, sides)| record::read(document.pipeline(), id) == sides.after);
            document.undo(&step.change);
            there
        })
    }
}
