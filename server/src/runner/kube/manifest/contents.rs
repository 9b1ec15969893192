//! What of an execution is text that people or programs of ours wrote?

use std::collections::BTreeMap;

use model::{
    launch::{Launch, Program},
    pod::{SCRIPT, file_key, state_key},
};

use crate::runner::local::config::ProgramCommand;

/// By the keys that the helper knows.
pub struct Contents {
    pub plain: Option<BTreeMap<String, String>>,
    /// A program's own files may hold a token, and a load's addresses a password.
    pub secret: Option<BTreeMap<String, String>>,
}

pub fn contents(launch: &Launch, command: &ProgramCommand) -> Contents {
    let mut plain = BTreeMap::new();
    if let Program::Script { text } = &launch.program {
        plain.insert(SCRIPT.to_owned(), text.clone());
    }
    plain.extend(launch.files.iter().enumerate().map(|(index, file)| (file_key(index), file.text.clone())));
    plain.extend(launch.copies_json.iter().enumerate().map(|(index, copies)| {
        // Numbers and texts can always be written.
        (copies_key(index), serde_json::to_string_pretty(&copies.copies).unwrap_or_default())
    }));
    let secret: BTreeMap<String, String> =
        command.files.values().enumerate().map(|(index, text)| (state_key(index), text.clone())).collect();
    Contents { plain: (!plain.is_empty()).then_some(plain), secret: (!secret.is_empty()).then_some(secret) }
}

/// The `index`-th of a launch's `copies.json`.
pub fn copies_key(index: usize) -> String {
    format!("copies-{index}.json")
}
