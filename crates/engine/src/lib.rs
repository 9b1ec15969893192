//! What does a run do next?
//!
//! Pure: events go in, a plan comes out. The shell (the server's controller) journals the plan's events, then
//! performs its actions on a runner, and tells what it observes.

pub mod action;
pub mod command;
pub mod event;
pub mod observed;
pub mod plan;
pub mod rules;
pub mod snapshot;
pub mod state;
pub mod view;
pub mod world;
