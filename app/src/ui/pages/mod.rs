//! Which pages are there?

pub mod not_found;
pub mod pipelines;
pub mod run;
pub mod runs;
pub mod services;
pub mod settings;
