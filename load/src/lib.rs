//! How does a file get from a URL into a folder, unpacked?
//!
//! [`Loader::load`] takes a [`Request`] (sources, a downloads folder, a target folder, limits) and
//! does all of it: download with resume ([`fetch`]), checksum, unpack ([`unpack`]), and one move
//! into the target at the end.
//!
//! # Guarantees
//! - Nothing is written outside the target and the downloads folder, whatever an archive says.
//! - The target holds either nothing of this load or all of it: everything is made under
//!   `<target>/.partial` and moved up when it is complete and on disk.
//! - Memory does not grow with what is loaded.
//! - Dropping the future ends the load: the unpacking thread notices, cleans up and lets go of its locks.

pub mod cli;
mod early;
mod error;
pub mod fetch;
#[doc(hidden)]
pub mod fuzz;
mod loader;
mod progress;
mod request;
mod target;
pub mod unpack;

pub use error::Error;
pub use fetch::address::{Allow, Names};
pub use fetch::{Facts, Freshness};
pub use loader::Loader;
pub use progress::{Phase, Progress};
pub use request::{Files, Limits, Loaded, Request, Reuse, Source, Summary, Supplied, Supply, Unpack};
pub use unpack::format::Format;
