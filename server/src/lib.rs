//! What is the server made of?

pub mod runner;
pub mod store;
