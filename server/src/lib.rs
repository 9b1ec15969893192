//! What is the server made of?

// `say` speaks: `println!` would end the server when nobody listens any more.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod auth;
pub mod backend;
pub mod cli;
pub mod control;
pub mod controller;
pub mod data_folder;
pub mod gateway;
pub mod listen;
pub mod live;
pub mod logs;
pub mod place;
pub mod python;
pub mod router;
pub mod runner;
pub mod say;
pub mod secrets;
pub mod serve;
pub mod settings;
pub mod store;
