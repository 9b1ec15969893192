//! What is the pointer doing?
//!
//! One machine. A gesture computes from where it started, never from the last frame; one gesture is one step of the
//! history; Escape goes back to its beginning, and one that changed nothing leaves nothing behind.

mod connect;
mod file;
mod palette;
mod press;
mod shift;

use model::{KindName, NoteId, Place, TaskId};

use crate::{
    camera::Camera,
    command::Ids,
    editor::{Ask, Editor, Mode},
    geometry::{Point, Rect},
    hit::Hit,
    input::{Button, Input, Modifiers},
    selection::Selection,
};

pub(crate) use connect::{choose, finish_choice};

/// Things stand on multiples of this.
pub const GRID: f64 = 20.0;
/// A press that moved less than this is a click (CSS pixels).
pub const SLACK: f64 = 3.0;

/// A thing that a move takes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Task(TaskId),
    Note(NoteId),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Gesture {
    #[default]
    Idle,
    /// Down, and not yet clear whether it becomes a click or a drag.
    Pressed {
        on: Hit,
        at: Point,
        modifiers: Modifiers,
    },
    Pan {
        from: Point,
        camera: Camera,
    },
    Move {
        from: Point,
        grabbed: Place,
        starts: Vec<(Thing, Place)>,
        before: Selection,
    },
    /// World units.
    Marquee {
        from: Point,
        to: Point,
        base: Selection,
    },
    Connect {
        from: TaskId,
        backwards: bool,
        to: Point,
        over: Option<TaskId>,
        obstacle: Option<String>,
    },
    Resize {
        note: NoteId,
        from: Point,
        start: Rect,
    },
    /// A kind from the palette; `at`: the upper left corner that its card would have.
    Palette {
        kind: KindName,
        at: Option<Point>,
    },
    /// A file from outside; `taken`: what it is over takes it.
    File {
        over: Option<TaskId>,
        taken: bool,
    },
    /// Connecting by keyboard: Tab goes on, Enter takes it.
    Choose {
        from: TaskId,
        over: Option<TaskId>,
    },
}

impl Gesture {
    pub fn is_idle(&self) -> bool {
        matches!(self, Gesture::Idle)
    }

    /// The task that takes the file which is over it.
    pub fn taker(&self) -> Option<&TaskId> {
        if let Gesture::File { over, taken: true } = self { over.as_ref() } else { None }
    }

    /// The tasks that follow the pointer.
    pub fn moved(&self) -> impl Iterator<Item = &TaskId> {
        let things = if let Gesture::Move { starts, .. } = self { starts.as_slice() } else { &[] };
        things.iter().filter_map(|(thing, _)| if let Thing::Task(task) = thing { Some(task) } else { None })
    }
}

/// Takes a pointer's event. Answers whether it was of use.
pub(crate) fn pointer(editor: &mut Editor, input: Input, ids: Ids<'_>) -> bool {
    match input {
        Input::Down { at, button, modifiers, double } => press::down(editor, at, button, modifiers, double),
        Input::Move { at, modifiers } => moved(editor, at, modifiers),
        Input::Up { at, modifiers } => up(editor, at, modifiers),
        Input::Leave => editor.set_hover(Hit::Nothing),
        Input::Lost => return cancel(editor),
        Input::PaletteOver { kind, at } => palette::over(editor, kind, at),
        Input::PaletteDrop => palette::drop(editor, ids),
        Input::FileOver { at } => file::over(editor, at),
        Input::Wheel { at, dx, dy, modifiers } => wheel(editor, at, dx, dy, modifiers),
        Input::Key { .. } | Input::KeyUp { .. } | Input::Paste { .. } | Input::Resize(_) => return false,
    }
    true
}

fn moved(editor: &mut Editor, at: Point, modifiers: Modifiers) {
    let world = editor.camera().to_world(at);
    match std::mem::take(&mut editor.gesture) {
        Gesture::Idle => editor.hover_at(at),
        Gesture::Pressed { on, at: start, modifiers: held } => {
            if start.distance(at) < SLACK {
                editor.gesture = Gesture::Pressed { on, at: start, modifiers: held };
            } else {
                press::begin_drag(editor, on, start, held);
                if !matches!(editor.gesture, Gesture::Idle | Gesture::Pressed { .. }) {
                    moved(editor, at, modifiers);
                }
            }
        }
        Gesture::Pan { from, camera } => {
            editor.set_camera(camera.panned(at.x - from.x, at.y - from.y));
            editor.gesture = Gesture::Pan { from, camera };
        }
        Gesture::Move { from, grabbed, starts, before } => {
            shift::move_to(editor, from, world, grabbed, &starts, modifiers.alt);
            editor.gesture = Gesture::Move { from, grabbed, starts, before };
        }
        Gesture::Marquee { from, base, .. } => {
            let framed = editor.framed(&Rect::between(from, world));
            editor.set_selection(base.clone().with(&framed));
            editor.gesture = Gesture::Marquee { from, to: world, base };
        }
        Gesture::Connect { from, backwards, .. } => connect::over(editor, from, backwards, at),
        Gesture::Resize { note, from, start } => {
            shift::resize_to(editor, &note, from, world, start);
            editor.gesture = Gesture::Resize { note, from, start };
        }
        other @ (Gesture::Palette { .. } | Gesture::File { .. } | Gesture::Choose { .. }) => editor.gesture = other,
    }
    editor.redraw();
}

fn up(editor: &mut Editor, at: Point, modifiers: Modifiers) {
    match std::mem::take(&mut editor.gesture) {
        Gesture::Idle => {}
        Gesture::Pressed { on, .. } => press::click(editor, on, modifiers),
        Gesture::Pan { .. } | Gesture::Marquee { .. } => {}
        Gesture::Move { before, .. } => {
            let name = format!("Move {}", crate::command::what(editor.pipeline(), editor.selection()));
            editor.commit(name, before, None);
        }
        Gesture::Connect { from, backwards, over, obstacle, .. } => {
            connect::finish(editor, from, backwards, over, obstacle, at);
        }
        Gesture::Resize { note, .. } => editor.commit("Resize a note".into(), Selection::note(note), None),
        other @ (Gesture::Palette { .. } | Gesture::File { .. } | Gesture::Choose { .. }) => editor.gesture = other,
    }
    editor.hover_at(at);
    editor.redraw();
}

/// Back to the beginning. Answers whether there was something to cancel.
pub(crate) fn cancel(editor: &mut Editor) -> bool {
    match std::mem::take(&mut editor.gesture) {
        Gesture::Idle => return false,
        Gesture::Pressed { .. }
        | Gesture::Connect { .. }
        | Gesture::Palette { .. }
        | Gesture::File { .. }
        | Gesture::Choose { .. } => {}
        Gesture::Pan { camera, .. } => editor.set_camera(camera),
        Gesture::Move { before, .. } => {
            editor.roll_back();
            editor.set_selection(before);
        }
        Gesture::Marquee { base, .. } => editor.set_selection(base),
        Gesture::Resize { .. } => editor.roll_back(),
    }
    editor.redraw();
    true
}

/// Plain and with Control (as a pinch arrives): zoom. With Shift: pan.
fn wheel(editor: &mut Editor, at: Point, dx: f64, dy: f64, modifiers: Modifiers) {
    if modifiers.shift {
        let (dx, dy) = if dx == 0.0 { (dy, 0.0) } else { (dx, dy) };
        editor.set_camera(editor.camera().panned(-dx, -dy));
        return;
    }
    // A pinch sends small numbers, a wheel large ones.
    let speed = if modifiers.control { 0.01 } else { 0.002 };
    editor.set_camera(editor.camera().zoomed(at, (-dy * speed).clamp(-1.0, 1.0).exp2()));
}
