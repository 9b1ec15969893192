//! What is wrong with a pipeline, here, with these parameters?

mod unknown;

pub use unknown::unknown_fields;
