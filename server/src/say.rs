//! How does the program speak to a terminal, a file or a script?
//!
//! A reader that has gone away (`fletchline serve | head -3`) is no reason to end: `println!` would panic.

use std::{
    fmt::Display,
    io::{Write, stderr, stdout},
};

/// A line of what was asked for.
pub fn out(line: impl Display) {
    // Nobody is left who could be told that nobody listens.
    let _ = writeln!(stdout(), "{line}");
}

/// A line about how it goes.
pub fn err(line: impl Display) {
    let _ = writeln!(stderr(), "{line}");
}
