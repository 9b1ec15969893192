//! How a pipeline is changed.
