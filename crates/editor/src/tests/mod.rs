//! Do the promises hold?
