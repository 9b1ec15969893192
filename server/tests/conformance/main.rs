//! Does a runner keep what every pipeline relies on, whichever runner it is?
//!
//! The sentences are those that pipelines are told to mean; `harness` says what a runner must be wrapped in to be asked.

mod ends;
mod folders;
mod harness;
mod here;
mod isolation;
mod local;
mod sabotage;
mod server_dies;
mod suite;
mod template;
mod watching;
