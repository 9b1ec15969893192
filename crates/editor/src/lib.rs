//! How does a pipeline change under a person's hands, and what is there to draw?
//!
//! Pure: no DOM, clock or randomness. The page turns events into [`input::Input`], gives them to [`Editor::handle`],
//! and draws the [`scene::Scene`]. Every edit goes through [`document::Document`]'s one doorway, so that undo is no
//! feature of its own.

pub mod board;
pub mod camera;
pub mod change;
pub mod command;
pub mod document;
mod editor;
pub mod geometry;
pub mod gesture;
pub mod history;
pub mod hit;
pub mod input;
pub mod invariants;
mod keys;
pub mod merge;
pub mod record;
pub mod scene;
pub mod selection;
pub mod spatial;
#[cfg(test)]
mod tests;

pub use board::CardStatus;
pub use command::{Axis, Command, Edge, Refusal};
pub use editor::{Ask, Editor, HistoryLine, Mode, Versions};
pub use geometry::{Point, Rect, Size};
pub use hit::Hit;
pub use selection::Selection;
