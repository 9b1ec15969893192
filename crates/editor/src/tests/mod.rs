//! Do the editor's promises hold?
//!
//! Inside the crate, because the harness looks behind the doorway and may break it on purpose.

mod commands;
mod gestures;
mod harness;
mod keyboard;
mod pictures;
mod properties;
