//! Does a runner keep what every pipeline relies on, whichever runner it is?
mod ends;
mod harness;
mod local;
