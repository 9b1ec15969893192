//! Which host name has a task's port?

use sha2::{Digest, Sha256};

use super::Target;

/// Room in a DNS label (63) for the dash and the short id.
const READABLE: usize = 40;
const SUFFIX: &str = ".localhost";

/// `<task>-<short id>`: readable, and different for every execution and port.
pub fn label(target: &Target) -> String {
    let mut hasher = Sha256::new();
    let execution = &target.execution;
    for part in [execution.pipeline.as_str(), execution.task.as_str()] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    if !target.is_task_address {
        hasher.update(execution.n.to_le_bytes());
        hasher.update(target.port.to_le_bytes());
    }
    let id: String = hasher.finalize().iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    match readable(&target.task_name) {
        name if name.is_empty() => format!("task-{id}"),
        name => format!("{name}-{id}"),
    }
}

/// Lower-case letters, digits and single dashes.
fn readable(name: &str) -> String {
    let mut label = String::new();
    for character in name.chars().map(|character| character.to_ascii_lowercase()) {
        match character {
            'a'..='z' | '0'..='9' => label.push(character),
            _ if !label.is_empty() && !label.ends_with('-') => label.push('-'),
            _ => {}
        }
    }
    label.truncate(READABLE);
    label.trim_end_matches('-').to_owned()
}

/// The label of a task's host name (`explore-1a2b….localhost:4000`); `None` for our own.
pub fn label_of(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.strip_suffix(SUFFIX).filter(|label| !label.is_empty() && !label.contains('.'))
}
