//! What does a key do?

use model::TaskId;

use crate::{
    camera::ZOOM_STEP,
    command::{Command, Ids},
    editor::{Ask, Editor, Mode},
    gesture::{self, GRID, Gesture},
    input::{Direction, Key, Modifiers},
    selection::Selection,
};

/// How far an arrow key pans when nothing is selected (CSS pixels).
const PAN: f64 = 60.0;

/// Answers whether the key was of use.
pub(crate) fn down(editor: &mut Editor, key: Key, modifiers: Modifiers, ids: Ids<'_>) -> bool {
    if !matches!(key, Key::Arrow(_)) {
        editor.nudging = None;
    }
    match key {
        Key::Escape => escape(editor),
        Key::Tab => tab(editor, !modifiers.shift),
        Key::Enter => enter(editor),
        Key::Space => {
            editor.space_held = true;
            true
        }
        Key::Arrow(direction) => arrow(editor, direction, modifiers, ids),
        Key::Delete => edit(editor, Command::Delete, ids),
        Key::F2 => rename(editor),
        Key::Character(character) if modifiers.control => with_control(editor, character, modifiers.shift, ids),
        Key::Character(character) => plain(editor, character),
    }
}

pub(crate) fn up(editor: &mut Editor, key: Key) -> bool {
    match key {
        Key::Space => editor.space_held = false,
        Key::Arrow(_) => editor.nudging = None,
        Key::Tab | Key::Enter | Key::Escape | Key::Delete | Key::F2 | Key::Character(_) => return false,
    }
    true
}

fn edit(editor: &mut Editor, command: Command, ids: Ids<'_>) -> bool {
    !editor.selection().is_empty() && editor.mode() == Mode::Edit && editor.try_dispatch(command, ids)
}

fn escape(editor: &mut Editor) -> bool {
    if gesture::cancel(editor) {
        return true;
    }
    let had = !editor.selection().is_empty();
    editor.set_selection(Selection::default());
    had
}

/// From task to task; beyond the last one the focus leaves the canvas.
fn tab(editor: &mut Editor, forward: bool) -> bool {
    if let Gesture::Choose { from, over } = editor.gesture().clone() {
        gesture::choose(editor, from, over, forward);
        return true;
    }
    let order = editor.reading_order();
    let here = editor.selection().only_task().and_then(|task| order.iter().position(|other| other == task));
    let next = match (here, forward) {
        (None, true) => Some(0),
        (None, false) => order.len().checked_sub(1),
        (Some(at), true) => Some(at + 1),
        (Some(at), false) => at.checked_sub(1),
    };
    let Some(task) = next.and_then(|at| order.get(at)) else {
        return false;
    };
    go_to(editor, task);
    true
}

fn go_to(editor: &mut Editor, task: &TaskId) {
    editor.set_selection(Selection::task(task.clone()));
    editor.reveal(task);
}

fn enter(editor: &mut Editor) -> bool {
    if matches!(editor.gesture(), Gesture::Choose { .. }) {
        gesture::finish_choice(editor);
        return true;
    }
    match editor.selection().only_task().cloned() {
        Some(task) => editor.ask(Ask::Open { task }),
        None => return false,
    }
    true
}

fn arrow(editor: &mut Editor, direction: Direction, modifiers: Modifiers, ids: Ids<'_>) -> bool {
    let (x, y) = match direction {
        Direction::Left => (-1.0, 0.0),
        Direction::Right => (1.0, 0.0),
        Direction::Up => (0.0, -1.0),
        Direction::Down => (0.0, 1.0),
    };
    let selection = editor.selection();
    let movable = !(selection.tasks.is_empty() && selection.notes.is_empty() && selection.groups.is_empty());
    if !movable || editor.mode() == Mode::Run {
        editor.set_camera(editor.camera().panned(-x * PAN, -y * PAN));
        return true;
    }
    if !editor.gesture().is_idle() {
        return true;
    }
    let far = if modifiers.shift { 1.0 } else { GRID };
    let token = editor.nudging.unwrap_or_else(|| editor.new_focus());
    editor.nudging = Some(token);
    let command = Command::Nudge { dx: x * far, dy: y * far };
    let (before, name) = (editor.selection().clone(), command.name(editor.pipeline(), editor.selection()));
    if let Err(refusal) = editor.step(name, Some(token), command, before, ids) {
        editor.ask(Ask::Say { sentence: refusal.to_string() });
    }
    true
}

fn rename(editor: &mut Editor) -> bool {
    let (task, group) = (editor.selection().only_task().cloned(), editor.selection().groups.first().cloned());
    match (task, group, editor.mode()) {
        (_, _, Mode::Run) | (None, None, Mode::Edit) => return false,
        (Some(task), _, Mode::Edit) => editor.ask(Ask::Rename { task }),
        (None, Some(group), Mode::Edit) => editor.ask(Ask::RenameGroup { group }),
    }
    true
}

fn with_control(editor: &mut Editor, character: char, shift: bool, ids: Ids<'_>) -> bool {
    match character {
        'z' if shift => {
            editor.redo();
        }
        'z' => {
            editor.undo();
        }
        'y' => {
            editor.redo();
        }
        'a' => editor.set_selection(Selection::everything(editor.pipeline())),
        'd' => return edit(editor, Command::Duplicate, ids),
        'g' if shift => return edit(editor, Command::Ungroup, ids),
        'g' => return edit(editor, Command::Group { name: "Group".into() }, ids),
        _ => return false,
    }
    true
}

fn plain(editor: &mut Editor, character: char) -> bool {
    match character {
        '+' | '=' => editor.zoom_by(ZOOM_STEP),
        '-' => editor.zoom_by(1.0 / ZOOM_STEP),
        '0' => editor.zoom_to(1.0),
        '1' => editor.fit(),
        '2' => editor.zoom_to_selection(),
        'c' => return connect(editor),
        _ => return false,
    }
    true
}

fn connect(editor: &mut Editor) -> bool {
    match editor.selection().only_task().cloned() {
        Some(from) if editor.mode() == Mode::Edit && editor.gesture().is_idle() => {
            gesture::choose(editor, from, None, true);
            true
        }
        _ => false,
    }
}
