//! Can a live step start, be reached and go on?

use std::collections::BTreeSet;

use super::Of;
use crate::kind::{Advance, Kind, Notebook};

pub(super) fn check(of: &mut Of) {
    let task = of.task;
    ports(of);
    if let Some(advance) = task.kind.advance() {
        rule(of, advance);
    }
    if let Kind::Notebook(notebook) = &task.kind {
        start(of, notebook);
    }
}

fn ports(of: &mut Of) {
    let mut seen = BTreeSet::new();
    let task = of.task;
    for (index, port) in task.kind.ports().iter().enumerate() {
        let at = format!("ports[{index}].port");
        match port.port {
            0 => of.problem(at, "has the port 0: name the one that its program listens on"),
            number if !seen.insert(number) => of.problem(at, format!("names the port {number} twice")),
            _ => {}
        }
    }
}

fn rule(of: &mut Of, advance: &Advance) {
    match advance {
        Advance::Hand | Advance::Time { .. } => {}
        Advance::Exit => {
            if let Kind::Container(container) = &of.task.kind
                && container.command.as_ref().is_none_or(Vec::is_empty)
            {
                of.problem("advance", "goes on when its program ends, and has none: give it a command");
                of.fix_field("advance", serde_json::json!({"by": "hand"}), "Advance by hand");
            }
        }
        Advance::File { path } => {
            if let Err(bad) = path.check() {
                of.problem("advance.path", format!("waits for the file \"{path}\", which {bad}"));
            }
        }
        Advance::Port { port: 0 } => of.problem("advance.port", "waits for the port 0: name the one that will answer"),
        Advance::Port { .. } => {}
    }
    if of.task.kind.stays_open() && matches!(advance, Advance::Exit) {
        of.problem("stay_open", "goes on when its program has ended, so it cannot stay open");
        of.fix_field("stay_open", serde_json::Value::Null, "End it there");
    }
}

fn start(of: &mut Of, notebook: &Notebook) {
    if let Err(bad) = notebook.start_path.check() {
        of.problem("start_path", format!("starts at \"{}\", which {bad}", notebook.start_path));
    }
    let outside = |open: &String| open.starts_with('/') || open.split('/').any(|part| part == "..");
    if let Some(open) = notebook.open.as_ref().filter(|open| outside(open)) {
        of.problem("open", format!("opens \"{open}\", which does not lie below its start path: write it relative"));
    }
}
