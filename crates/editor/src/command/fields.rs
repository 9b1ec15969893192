//! How is one field set by its place in the document?

use model::{Arrow, ArrowId, Fix, Settings, Task, TaskId};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Outcome, Refusal, arrows};
use crate::{document::Edits, selection::Selection};

pub fn set_task(
    edits: &mut Edits<'_>,
    task: &TaskId,
    field: &str,
    value: Option<Value>,
    selection: &Selection,
) -> Outcome {
    let old = edits.pipeline().tasks.get(task).ok_or_else(|| Refusal::Gone(format!("task \"{task}\"")))?;
    if matches!(field, "id" | "kind") {
        return Err(refused(field, "it never changes"));
    }
    let new: Task = with_field(&**old, field, value)?;
    edits.put_task(new);
    Ok(selection.clone())
}

pub fn set_arrow(
    edits: &mut Edits<'_>,
    arrow: &ArrowId,
    field: &str,
    value: Option<Value>,
    selection: &Selection,
) -> Outcome {
    let old = edits.pipeline().arrows.get(arrow).ok_or_else(|| Refusal::Gone("such arrow".into()))?;
    if field == "id" {
        return Err(refused(field, "it never changes"));
    }
    let new: Arrow = with_field(&**old, field, value)?;
    if (&new.from_task, &new.to_task) != (&old.from_task, &old.to_task)
        && let Some(sentence) = arrows::obstacle(edits.pipeline(), &new.from_task, &new.to_task)
    {
        return Err(Refusal::Connect(sentence));
    }
    edits.put_arrow(new);
    Ok(selection.clone())
}

pub fn set_pipeline(edits: &mut Edits<'_>, field: &str, value: Option<Value>, selection: &Selection) -> Outcome {
    let new: Settings = with_field(&*edits.pipeline().settings, field, value)?;
    edits.set_settings(new);
    Ok(selection.clone())
}

/// The label of the button that offers it.
pub fn label(fix: &Fix) -> &str {
    match fix {
        Fix::SetField { label, .. }
        | Fix::SetArrowField { label, .. }
        | Fix::RemoveArrow { label, .. }
        | Fix::MakeVolume { label, .. }
        | Fix::MakeSecret { label, .. } => label,
    }
}

/// Fixes that change the installation and not the pipeline are the page's.
pub fn mend(edits: &mut Edits<'_>, fix: Fix, selection: &Selection) -> Outcome {
    match fix {
        Fix::SetField { task, field, value, .. } => set_task(edits, &task, &field, Some(value), selection),
        Fix::SetArrowField { arrow, field, value, .. } => set_arrow(edits, &arrow, &field, Some(value), selection),
        Fix::RemoveArrow { arrow, .. } => arrows::remove(edits, &arrow, selection),
        Fix::MakeVolume { label, .. } | Fix::MakeSecret { label, .. } => Err(Refusal::NotAnEdit(label)),
    }
}

fn refused(field: &str, reason: impl ToString) -> Refusal {
    Refusal::Field { field: field.to_owned(), reason: reason.to_string() }
}

/// What an absent value on the way to a field is made of: an empty list is not written in a document.
#[derive(Clone, Copy)]
enum Absent {
    Object,
    List,
}

/// The record as a document writes it, with one place in it changed, read again: what the reader of documents would
/// refuse is refused here with the same words.
fn with_field<T: Serialize + DeserializeOwned>(old: &T, field: &str, value: Option<Value>) -> Result<T, Refusal> {
    let written = serde_json::to_value(old).map_err(|error| refused(field, error))?;
    let place: Vec<&str> = field.split('.').collect();
    let attempt = |absent: Absent, value: Option<Value>| {
        let mut all = written.clone();
        put(&mut all, &place, value, absent)?;
        T::deserialize(all).map_err(|error| error.to_string())
    };
    // "0" may be the first of a list or a name; only the type knows.
    let first = attempt(Absent::Object, value.clone());
    let made = if place.contains(&"0") { first.or_else(|_| attempt(Absent::List, value)) } else { first };
    made.map_err(|reason| refused(field, reason))
}

/// What is missing on the way is made; a list takes an index, its length appends, no value removes.
fn put(inside: &mut Value, place: &[&str], value: Option<Value>, absent: Absent) -> Result<(), String> {
    let Some((&step, rest)) = place.split_first() else {
        return Err("it names no field".into());
    };
    if inside.is_null() {
        *inside = match absent {
            Absent::List if step == "0" => Value::Array(Vec::new()),
            Absent::List | Absent::Object => Value::Object(serde_json::Map::new()),
        };
    }
    match inside {
        Value::Object(fields) if rest.is_empty() => {
            match value {
                Some(value) => fields.insert(step.to_owned(), value),
                None => fields.remove(step),
            };
            Ok(())
        }
        // Taking out what is not there changes nothing, and makes nothing on the way.
        Value::Object(fields) if value.is_none() && !fields.contains_key(step) => Ok(()),
        Value::Object(fields) => put(fields.entry(step).or_insert(Value::Null), rest, value, absent),
        Value::Array(items) => put_in_list(items, step, rest, value, absent),
        _ => Err(format!("\"{step}\" is not a part of it")),
    }
}

fn put_in_list(
    items: &mut Vec<Value>,
    step: &str,
    rest: &[&str],
    value: Option<Value>,
    absent: Absent,
) -> Result<(), String> {
    let index: usize = step.parse().map_err(|_| format!("\"{step}\" is no place in a list"))?;
    if index > items.len() || (index == items.len() && value.is_none()) {
        return Err(format!("the list has only {} entries", items.len()));
    }
    match value {
        None if rest.is_empty() => drop(items.remove(index)),
        value => {
            if index == items.len() {
                items.push(Value::Null);
            }
            match value {
                Some(value) if rest.is_empty() => items[index] = value,
                value => put(&mut items[index], rest, value, absent)?,
            }
        }
    }
    Ok(())
}
