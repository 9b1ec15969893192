//! Can a text be filled in and given to a program?

use std::collections::BTreeMap;

use super::Of;
use crate::{
    copies,
    substitute::{BadText, substitute},
};

/// What `{{name}}` may be in this task: parameters, and the first copy's values.
pub(super) fn values(of: &Of) -> BTreeMap<String, String> {
    let mut values = of.checker.parameters.clone();
    if let Some(grid) = of.task.kind.grid() {
        values.extend(grid.keys().map(|name| (name.clone(), String::new())));
        values.extend(copies::values(grid, 0).unwrap_or_default());
    }
    values
}

/// Fills in, or says why not: "Train's command has {{rate}}, and …".
pub(super) fn fill(
    of: &mut Of,
    field: &str,
    what: &str,
    text: &str,
    values: &BTreeMap<String, String>,
) -> Option<String> {
    let title = of.task.title();
    let sentence = match substitute(text, values) {
        Ok(filled) if !filled.contains('\0') => return Some(filled),
        Ok(_) => format!("{title}'s {what} has a character that no program can be given (a zero byte)"),
        Err(BadText::UnknownName(name)) => {
            let names: Vec<&str> = values.keys().map(String::as_str).collect();
            let meant = super::unknown::near(&name, &names).map(|near| format!("; did you mean {{{{{near}}}}}?"));
            let meant = meant.unwrap_or_default();
            format!("{title}'s {what} has {{{{{name}}}}}, which is neither a parameter nor a copy's value{meant}")
        }
        Err(BadText::Unclosed) => {
            format!("{title}'s {what} has a {{{{ without }}}}; write {{{{{{{{ for the characters themselves")
        }
    };
    of.sentence(field, sentence);
    None
}

/// "1 GPU", "2 GPUs".
pub(super) fn count(number: u64, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
