//! How is a pipeline drawn and edited in the page?
//!
//! One `<canvas>` drawn from the editor's scene. The page makes an [`EditorHandle`] and hands it around; nothing else
//! of the editor is shared.

mod handle;
mod ids;

pub use editor::{
    Ask, Axis, CardStatus, Command, Edge, HistoryLine, Hit, Mode, Point, Refusal, Selection, command::obstacle,
};
pub use handle::EditorHandle;
