//! What a pipeline and a run are.
