//! How does a test draw a pipeline, keep a journal and be a machine?
#![allow(dead_code, reason = "each test file uses its part")]

pub mod desk;
pub mod draw;
pub mod machine;
