//! What is the server made of?

pub mod gateway;
pub mod runner;
pub mod store;
