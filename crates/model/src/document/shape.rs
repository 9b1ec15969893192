//! Has the document the shape of a pipeline, and if not, where not?

use std::collections::BTreeSet;

use super::{Document, ReadError};
use crate::Gather;

/// Ids are unique and refer to what is there.
pub(super) fn check(document: &Document) -> Result<(), ReadError> {
    unique("tasks", document.tasks.iter().map(|task| task.id.as_str()))?;
    unique("arrows", document.arrows.iter().map(|arrow| arrow.id.as_str()))?;
    unique("notes", document.notes.iter().map(|note| note.id.as_str()))?;
    unique("groups", document.groups.iter().map(|group| group.id.as_str()))?;
    let tasks: BTreeSet<&str> = document.tasks.iter().map(|task| task.id.as_str()).gather();
    let known = |place: String, id: &str| match tasks.contains(id) {
        true => Ok(()),
        false => Err(ReadError::Shape { place, sentence: format!("there is no task with the id \"{id}\"") }),
    };
    for (index, arrow) in document.arrows.iter().enumerate() {
        known(format!("arrows[{index}].from_task"), arrow.from_task.as_str())?;
        known(format!("arrows[{index}].to_task"), arrow.to_task.as_str())?;
    }
    for (index, group) in document.groups.iter().enumerate() {
        for (member, task) in group.tasks.iter().enumerate() {
            known(format!("groups[{index}].tasks[{member}]"), task.as_str())?;
        }
    }
    Ok(())
}

fn unique<'a>(list: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), ReadError> {
    let mut seen = BTreeSet::new();
    for (index, id) in ids.enumerate() {
        if !seen.insert(id) {
            let place = format!("{list}[{index}].id");
            return Err(ReadError::Shape { place, sentence: format!("the id \"{id}\" is there twice") });
        }
    }
    Ok(())
}

/// In people's words. A task reads itself and names the field at the beginning of its message.
pub(super) fn error(error: serde_path_to_error::Error<serde_json::Error>) -> ReadError {
    let mut place = error.path().to_string();
    let mut message = error.inner().to_string();
    if place.starts_with("tasks[")
        && let Some((field, rest)) = message.split_once(": ")
        && !field.contains([' ', '"'])
    {
        place = format!("{place}.{field}");
        message = rest.to_owned();
    }
    if place == "." {
        place = "The document".to_owned();
    }
    ReadError::Shape { place, sentence: in_words(&message) }
}

fn in_words(message: &str) -> String {
    if let Some(field) = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) {
        return format!("nothing here is called `{field}`");
    }
    let Some((found, expected)) = message.split_once(", expected ") else {
        return message.to_owned();
    };
    let found = found.trim_start_matches("invalid type: ").trim_start_matches("invalid value: ");
    format!("{} is expected, not {}", noun(expected), noun(found))
}

fn noun(rust: &str) -> String {
    match rust {
        "a sequence" | "sequence" => "a list".into(),
        "a map" | "map" => "an object".into(),
        "a string" => "a text".into(),
        "a boolean" => "true or false".into(),
        "null" | "unit value" => "null".into(),
        "u16" => "a whole number from 0 to 65535".into(),
        "u32" => "a whole number from 0 to 4294967295".into(),
        "f64" => "a number".into(),
        other if other.starts_with("struct ") => "an object".into(),
        other => other
            .replace("string \"", "the text \"")
            .replace("integer `", "the number ")
            .replace("floating point `", "the number ")
            .replace('`', ""),
    }
}
