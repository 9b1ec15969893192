//! Which pages are there?

pub mod editor;
pub mod export;
pub mod not_found;
pub mod pipelines;
pub mod run;
pub mod runs;
pub mod services;
pub mod settings;
