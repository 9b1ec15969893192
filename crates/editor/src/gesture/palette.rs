//! How does a kind come from the palette?

use super::*;
use crate::command::Command;

/// `at`: the pointer, or `None` while it is beside the canvas.
pub fn over(editor: &mut Editor, kind: KindName, at: Option<Point>) {
    let may = editor.mode() == Mode::Edit && matches!(editor.gesture, Gesture::Idle | Gesture::Palette { .. });
    if may {
        let at = at.map(|at| shift::card_at(editor.camera().to_world(at)));
        editor.gesture = Gesture::Palette { kind, at };
        editor.redraw();
    }
}

/// Beside the canvas: nothing happens.
pub fn drop(editor: &mut Editor, ids: Ids<'_>) {
    if let Gesture::Palette { kind, at } = std::mem::take(&mut editor.gesture) {
        if let Some(at) = at {
            editor.try_dispatch(Command::AddTask { kind, at }, ids);
        }
        editor.redraw();
    }
}
