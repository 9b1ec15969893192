//! Which files does a Serving start from, and which generation of BentoML are its files for?
//!
//! BentoML 1.4 and 1.1 cannot load each other's services, so each has an environment of its own. Which one a Serving
//! needs is told by the syntax of its `service.py`, in the browser as one types and in the server before a start.

mod lint;
mod python;
mod request;
mod templates;

pub use lint::{Finding, Place, Reading, lint, read};
pub use request::{Request, request};
pub use templates::template;

use serde::{Deserialize, Serialize};

use crate::kind::File;

/// What `service.py` is called in a Serving's files.
pub const SERVICE: &str = "service.py";
/// What `pack.py` is called in a Serving's files.
pub const PACK: &str = "pack.py";
/// What `bentofile.yaml` is called in a Serving's files.
pub const BENTOFILE: &str = "bentofile.yaml";

/// BentoML broke with its past between 1.1 and 1.2: a service is a class since then, and was an object before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Generation {
    /// BentoML 1.4: a class under `@bentoml.service`.
    #[default]
    #[serde(rename = "current")]
    Current,
    /// BentoML 1.1: `bentoml.Service(…)` and runners.
    #[serde(rename = "bento-1.1")]
    Bento11,
}

impl Generation {
    /// As in file names: `current`, `bento-1.1`.
    pub fn key(self) -> &'static str {
        match self {
            Generation::Current => "current",
            Generation::Bento11 => "bento-1.1",
        }
    }

    /// For people: `BentoML 1.4`.
    pub fn title(self) -> &'static str {
        match self {
            Generation::Current => "BentoML 1.4",
            Generation::Bento11 => "BentoML 1.1",
        }
    }
}

/// The generation that a Serving's files are for; the current one where they do not tell.
pub fn generation(files: &[File]) -> Generation {
    let service = files.iter().find(|file| file.name == SERVICE);
    service.and_then(|file| read(&file.text).generation).unwrap_or_default()
}
