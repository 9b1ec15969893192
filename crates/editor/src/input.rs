//! What can a person do to the canvas?
//!
//! The page turns its events into these; nothing below knows a browser.

use model::KindName;

use crate::geometry::{Point, Size};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modifiers {
    pub shift: bool,
    /// Control, or Command on a Mac.
    pub control: bool,
    pub alt: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    Left,
    Middle,
    Right,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Left,
    Right,
    Up,
    Down,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Arrow(Direction),
    Tab,
    Enter,
    Escape,
    Delete,
    F2,
    Space,
    /// In lower case, whatever Shift says.
    Character(char),
}

/// One event. Points are in CSS pixels from the canvas' upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Down {
        at: Point,
        button: Button,
        modifiers: Modifiers,
        double: bool,
    },
    Move {
        at: Point,
        modifiers: Modifiers,
    },
    Up {
        at: Point,
        modifiers: Modifiers,
    },
    /// The pointer left the canvas.
    Leave,
    /// The system took the pointer away, the window lost the focus.
    Lost,
    /// Pixels, however the device counts.
    Wheel {
        at: Point,
        dx: f64,
        dy: f64,
        modifiers: Modifiers,
    },
    Key {
        key: Key,
        modifiers: Modifiers,
    },
    KeyUp {
        key: Key,
    },
    /// A kind is dragged over the canvas from the palette; `None`: beside it.
    PaletteOver {
        kind: KindName,
        at: Option<Point>,
    },
    PaletteDrop,
    /// A file from outside is dragged over the canvas; `None`: it went away or was dropped.
    FileOver {
        at: Option<Point>,
    },
    Paste {
        text: String,
    },
    Resize(Size),
}
