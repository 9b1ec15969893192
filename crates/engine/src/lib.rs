//! What does a run do next?
