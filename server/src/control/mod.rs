//! How does the command line talk to the server that holds the data folder?
//!
//! Over a socket in the folder that this user alone may open: JSON, one message a line. The first line asks; what
//! comes after it belongs to what was asked.

mod client;
mod server;
mod watch;

use std::collections::BTreeMap;

use app::api::runs::Service;
use base64::{Engine, prelude::BASE64_STANDARD};
use model::{RunId, run::RunView};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use client::{Client, ClientError, Receiver, Sender};
pub use server::{bind, serve};
pub(crate) use server::{little_space, start};
pub(crate) use watch::Watch;

/// What the command line wants.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ask")]
pub enum Ask {
    /// Another one-time link.
    Link,
    /// A run of a document that need not be saved. `parameters` are the given ones.
    Run { document: String, parameters: BTreeMap<String, String> },
    /// Every change of a run, until it has ended.
    Watch { run: RunId },
    /// The Viewers and Servings that are there.
    Services,
    /// The end of the server; `all`: of what it runs, too.
    Stop { all: bool },
    /// A program inside a running task, by the task's name or id or `<pipeline>/<task>/<n>`.
    Exec { task: String, argv: Vec<String>, terminal: Option<(u16, u16)> },
}

/// Goes to a program that was started by [`Ask::Exec`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "input")]
pub enum Input {
    Bytes { bytes: Base64 },
    Resize { columns: u16, rows: u16 },
    End,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "tell")]
pub enum Tell {
    Link {
        url: String,
    },
    Started {
        run: RunId,
        address: String,
        /// What to think of before the next one.
        warning: Option<String>,
    },
    /// Of the tasks those that changed: all at first and at its end.
    Run {
        view: Box<RunView>,
    },
    Services {
        services: Vec<Service>,
    },
    /// The server ends now; so many tasks go on.
    Stopping {
        tasks: usize,
    },
    Stdout {
        bytes: Base64,
    },
    Stderr {
        bytes: Base64,
    },
    Exit {
        code: i32,
    },
    Refused {
        sentence: String,
    },
}

/// Bytes in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map(Base64).map_err(serde::de::Error::custom)
    }
}

/// The longest line: a document and its parameters.
const LINE: u64 = 64 << 20;
