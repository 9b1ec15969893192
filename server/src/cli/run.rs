//! How does a pipeline run from a file?

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context;
use clap::Args;
use model::{
    RunId, TaskId,
    run::{RunStatus, RunView, TaskStatus},
};

use super::{Outcome, Overrides, plan, stop};
use crate::{
    control::{self, Ask, Client, Tell, Watch},
    data_folder::DataFolder,
    say,
    serve::{Inner, Server},
};

#[derive(Args)]
pub(super) struct Arguments {
    /// The pipeline, as exported.
    file: PathBuf,
    /// A parameter's value; may be said several times.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// When a server takes it over: wait until it has ended. Without a server this is always so.
    #[arg(long)]
    wait: bool,
    /// Without a server: leave Viewers and Servings running at the end.
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    overrides: Overrides,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) async fn run(data: DataFolder, arguments: Arguments, json: bool) -> anyhow::Result<Outcome> {
    let (document, _) = plan::read(&arguments.file)?;
    let parameters: BTreeMap<String, String> = arguments.parameters.iter().cloned().collect();
    if data.is_held() {
        hand_over(&data, document, parameters, arguments.wait, json).await
    } else {
        run_here(data, document, parameters, arguments, json).await
    }
}

async fn hand_over(
    data: &DataFolder,
    document: String,
    parameters: BTreeMap<String, String>,
    wait: bool,
    json: bool,
) -> anyhow::Result<Outcome> {
    let mut client = Client::ask(&data.socket(), &Ask::Run { document, parameters }).await?;
    let (run, address, warning) = match client.next().await?.context("the server went away")? {
        Tell::Started { run, address, warning } => (run, address, warning),
        Tell::Refused { sentence } => return refused(&sentence),
        other => anyhow::bail!("the server answered {other:?}"),
    };
    warning.into_iter().for_each(say::err);
    if !wait {
        match json {
            true => say::out(serde_json::json!({ "run": run, "address": address })),
            false => say::out(format_args!("Run {run} was handed over to the server: {address}")),
        }
        return Ok(Outcome::Done);
    }
    let mut client = Client::ask(&data.socket(), &Ask::Watch { run }).await?;
    let mut teller = Teller::new(json);
    while let Some(tell) = client.next().await? {
        match tell {
            Tell::Run { view } if view.summary.status.has_ended() => return teller.end(&view),
            Tell::Run { view } => teller.tell(&view),
            Tell::Refused { sentence } => anyhow::bail!(sentence),
            other => anyhow::bail!("the server answered {other:?}"),
        }
    }
    anyhow::bail!("The server stopped; the run goes on when it is started again.")
}

fn refused(sentence: &str) -> anyhow::Result<Outcome> {
    say::err(sentence);
    Ok(Outcome::Failed)
}

async fn run_here(
    data: DataFolder,
    document: String,
    parameters: BTreeMap<String, String>,
    arguments: Arguments,
    json: bool,
) -> anyhow::Result<Outcome> {
    super::log_to_stderr();
    let mut flags = arguments.overrides.given();
    // Whoever runs a file need not have the usual port free.
    flags.entry("port".into()).or_insert_with(|| "0".into());
    let settings = crate::serve::settings(&data, &flags)?;
    let server = Server::start(data, settings).await?;
    let inner = server.inner.clone();
    let run = match control::start(&inner, document, parameters).await {
        Ok(run) => run,
        Err(sentence) => return refused(&sentence),
    };
    control::little_space(&inner).await.into_iter().for_each(say::err);
    say::err(format_args!("The run can be watched while it is on: {}", inner.link()));
    let view = tokio::select! {
        view = watch(&inner, &run, json) => view?,
        () = stop::signalled() => {
            // The engine cancels, as a person would; what was asked to stop is waited for.
            inner.core.runs.cancel(&run).await?;
            watch(&inner, &run, json).await?
        }
    };
    if !arguments.keep
        && let Err(error) = inner.stop_services_of(&run).await
    {
        say::err(error);
    }
    inner.stop();
    server.ended().await;
    Teller::new(json).end(&view)
}

async fn watch(inner: &Inner, run: &RunId, json: bool) -> anyhow::Result<RunView> {
    let mut watch = Watch::new(&inner.core.runs, run);
    let mut teller = Teller::new(json);
    loop {
        let view = watch.next().await.context("the run is gone")?;
        if view.summary.status.has_ended() {
            return Ok(view);
        }
        teller.tell(&view);
    }
}

/// Says what changes, one line a change, on stderr; the result is on stdout.
struct Teller {
    json: bool,
    told: BTreeMap<TaskId, (TaskStatus, String)>,
}

impl Teller {
    fn new(json: bool) -> Teller {
        Teller { json, told: BTreeMap::new() }
    }

    fn tell(&mut self, view: &RunView) {
        for (id, task) in &view.tasks {
            let now = (task.status, task.sentence.clone());
            if self.told.get(id) != Some(&now) {
                say::err(format_args!("{id}: {}", inert(&now.1)));
                self.told.insert(id.clone(), now);
            }
        }
    }

    fn end(&mut self, view: &RunView) -> anyhow::Result<Outcome> {
        if self.json {
            say::out(serde_json::to_string(view)?);
        } else {
            for (id, task) in &view.tasks {
                say::out(format_args!("{id}: {}", inert(&task.sentence)));
            }
            say::out(format_args!("Run {}: {}", view.summary.number, inert(&view.summary.sentence)));
        }
        Ok(match view.summary.status {
            RunStatus::Succeeded => Outcome::Done,
            RunStatus::Cancelled => Outcome::Cancelled,
            RunStatus::Failed | RunStatus::Running | RunStatus::WaitingForYou | RunStatus::Cancelling => {
                Outcome::Failed
            }
        })
    }
}

/// What comes from a task cannot steer the terminal.
fn inert(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
