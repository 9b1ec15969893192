//! What does the command line do by itself, without a server?

use std::{
    collections::BTreeMap,
    io::{IsTerminal, Read},
};

use anyhow::Context;
use model::site::RunnerName;

use super::Outcome;
use crate::{
    data_folder::DataFolder,
    place,
    runner::kube::{KubeRunner, secrets as on_cluster},
    say,
    secrets::{self, Secrets},
    serve,
};

/// A server looks where they are kept, so it need not be asked.
pub(super) async fn set_secret(data: &DataFolder, name: &str) -> anyhow::Result<Outcome> {
    if std::io::stdin().is_terminal() {
        say::err(format_args!("Type the value of {name}, then Ctrl+D:"));
    }
    let mut value = String::new();
    std::io::stdin().read_to_string(&mut value).context("The value is no text.")?;
    let value = value.strip_suffix('\n').unwrap_or(&value).to_owned();
    anyhow::ensure!(!value.is_empty(), "An empty secret was not kept.");
    let settings = serve::settings(data, &BTreeMap::new())?;
    match settings.runner {
        RunnerName::Local => Secrets::new(data.secrets_file()).set(name, value)?,
        RunnerName::Kubernetes => {
            secrets::check(name, &value)?;
            let (client, namespace) = KubeRunner::find().await?;
            // Secrets do not know whose they are.
            let config = place::kubernetes(&settings, "", &namespace);
            on_cluster::set(&client, &config, name, &value).await?;
        }
    }
    Ok(Outcome::Done)
}
