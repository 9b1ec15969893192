//! What does the command line do by itself, without a server?

use std::io::{IsTerminal, Read};

use anyhow::Context;

use super::Outcome;
use crate::{data_folder::DataFolder, say, secrets::Secrets};

/// A server reads the file at each use, so it need not be asked.
pub(super) fn set_secret(data: &DataFolder, name: &str) -> anyhow::Result<Outcome> {
    if std::io::stdin().is_terminal() {
        say::err(format_args!("Type the value of {name}, then Ctrl+D:"));
    }
    let mut value = String::new();
    std::io::stdin().read_to_string(&mut value).context("The value is no text.")?;
    let value = value.strip_suffix('\n').unwrap_or(&value).to_owned();
    anyhow::ensure!(!value.is_empty(), "An empty secret was not kept.");
    Secrets::new(data.secrets_file()).set(name, value)?;
    Ok(Outcome::Done)
}
