//! What does a person see?

pub mod canvas;
mod files;
pub mod kit;
pub mod live_socket;
mod opening;
mod pages;
mod routes;
mod shell;
mod words;

pub use routes::App;
