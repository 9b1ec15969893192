//! What does a press become: a click, a move, a frame, a pan?

use super::*;

pub fn down(editor: &mut Editor, at: Point, button: Button, modifiers: Modifiers, double: bool) {
    if !editor.gesture.is_idle() && !matches!(editor.gesture, Gesture::Choose { .. }) {
        return;
    }
    let on = editor.hit(at);
    editor.gesture = match button {
        Button::Middle => Gesture::Pan { from: at, camera: editor.camera() },
        Button::Left if editor.space_held => Gesture::Pan { from: at, camera: editor.camera() },
        Button::Left if double => return opened(editor, on),
        Button::Left => Gesture::Pressed { on, at, modifiers },
        Button::Right => return menu(editor, on, at),
    };
    editor.redraw();
}

fn opened(editor: &mut Editor, on: Hit) {
    match on {
        Hit::Note(note) | Hit::NoteCorner(note) if editor.mode() == Mode::Edit => editor.ask(Ask::EditNote { note }),
        Hit::Group(group) if editor.mode() == Mode::Edit => editor.ask(Ask::RenameGroup { group }),
        Hit::Task(task) | Hit::Input(task) | Hit::Output(task) => {
            editor.set_selection(Selection::task(task.clone()));
            editor.ask(Ask::Open { task });
        }
        Hit::Nothing | Hit::Arrow(_) | Hit::Note(_) | Hit::NoteCorner(_) | Hit::Group(_) => {}
    }
}

fn menu(editor: &mut Editor, on: Hit, at: Point) {
    let meant = on.selection();
    if !is_within(&meant, editor.selection()) {
        editor.set_selection(meant);
    }
    editor.ask(Ask::Menu { at, on });
}

fn is_within(part: &Selection, whole: &Selection) -> bool {
    part.clone().with(whole) == *whole
}

pub fn click(editor: &mut Editor, on: Hit, modifiers: Modifiers) {
    let meant = on.selection();
    let selection =
        if modifiers.shift || modifiers.control { editor.selection().clone().toggled(&meant) } else { meant };
    editor.set_selection(selection);
}

/// The press moved. `at` is where it began: everything counts from there.
pub fn begin_drag(editor: &mut Editor, on: Hit, at: Point, modifiers: Modifiers) {
    let world = editor.camera().to_world(at);
    let frames = modifiers.shift && on == Hit::Nothing;
    let edits = editor.mode() == Mode::Edit;
    editor.gesture = match on {
        Hit::Nothing | Hit::Arrow(_) if frames => {
            Gesture::Marquee { from: world, to: world, base: editor.selection().clone() }
        }
        Hit::Output(task) if edits => {
            Gesture::Connect { from: task, backwards: false, to: world, over: None, obstacle: None }
        }
        Hit::Input(task) if edits => {
            Gesture::Connect { from: task, backwards: true, to: world, over: None, obstacle: None }
        }
        Hit::NoteCorner(note) if edits => shift::begin_resize(editor, note, world),
        Hit::Task(_) | Hit::Note(_) | Hit::Group(_) if edits => {
            return shift::begin_move(editor, &on, world, modifiers);
        }
        Hit::Nothing
        | Hit::Arrow(_)
        | Hit::Task(_)
        | Hit::Input(_)
        | Hit::Output(_)
        | Hit::Note(_)
        | Hit::NoteCorner(_)
        | Hit::Group(_) => Gesture::Pan { from: at, camera: editor.camera() },
    };
}
