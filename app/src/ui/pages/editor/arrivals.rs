//! How does a file of a person's disk become a source of a Load Data?

use leptos::task::spawn_local;
use model::{Kind, TaskId};
use serde_json::json;
use web_sys::{DragEvent, File};

use super::desk::Desk;
use crate::ui::{
    canvas::{Command, Selection},
    files,
};

/// On the canvas a file belongs to the card under it.
pub fn drop_on_canvas(desk: Desk, event: &DragEvent) {
    desk.handle.file_over(event);
    let taker = desk.handle.file_gone();
    let Some(file) = files::dropped(event) else { return };
    let Some(task) = taker else {
        desk.toasts.fail("Drop the file on a Load Data task: there it becomes a source.");
        return;
    };
    desk.toasts.say(format!("Taking {} in…", file.name()));
    desk.handle.select(Selection::task(task.clone()));
    spawn_local(load(desk, task, file));
}

/// Keeps the file in the server and adds it to the sources, as one step.
pub async fn load(desk: Desk, task: TaskId, file: File) {
    let url = match files::upload(&file).await {
        Ok(url) => url,
        Err(error) => return desk.toasts.fail(error),
    };
    // While it arrived, the task may have got other sources, or have gone.
    let Some(count) = sources(desk, &task) else { return };
    let source = json!({ "url": url });
    let (field, value) = match count {
        0 => ("sources".to_owned(), json!([source])),
        _ => (format!("sources.{count}"), source),
    };
    if let Err(refusal) = desk.handle.dispatch(Command::SetField { task, field, value: Some(value), typing: None }) {
        desk.toasts.fail(refusal);
    }
}

/// How many it has; `None`: it is no Load Data, or not there.
fn sources(desk: Desk, task: &TaskId) -> Option<usize> {
    desk.handle.with_pipeline_untracked(|pipeline| match &pipeline.tasks.get(task)?.kind {
        Kind::LoadData(load) => Some(load.sources.len()),
        _ => None,
    })
}
