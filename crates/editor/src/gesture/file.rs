//! Where would a file land that is dragged over the canvas from outside?

use model::Kind;

use super::*;

/// `at`: the pointer, or `None` when the file went away or was dropped.
pub fn over(editor: &mut Editor, at: Option<Point>) {
    let may = editor.mode() == Mode::Edit && matches!(editor.gesture, Gesture::Idle | Gesture::File { .. });
    if may {
        editor.gesture = at.map_or(Gesture::Idle, |at| {
            let over = editor.hit(at).task().cloned();
            let taken = over.as_ref().is_some_and(|task| takes(editor, task));
            Gesture::File { over, taken }
        });
        editor.redraw();
    }
}

fn takes(editor: &Editor, task: &TaskId) -> bool {
    editor.pipeline().tasks.get(task).is_some_and(|task| matches!(task.kind, Kind::LoadData(_)))
}
