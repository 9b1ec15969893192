//! How is a server asked for a link, or to end?

use tokio::signal::unix::{SignalKind, signal};

use super::Outcome;
use crate::{
    control::{Ask, Client, Tell},
    data_folder::DataFolder,
    say,
    serve::Server,
};

pub(super) async fn link(data: &DataFolder, json: bool) -> anyhow::Result<Outcome> {
    match one_answer(data, &Ask::Link).await? {
        Tell::Link { url } if json => say::out(serde_json::json!({ "link": url })),
        Tell::Link { url } => say::out(url),
        other => anyhow::bail!("the server answered {other:?}"),
    }
    Ok(Outcome::Done)
}

pub(super) async fn stop(data: DataFolder, all: bool, json: bool) -> anyhow::Result<Outcome> {
    let tasks = match data.is_held() {
        true => match one_answer(&data, &Ask::Stop { all }).await? {
            Tell::Stopping { tasks } => tasks,
            other => anyhow::bail!("the server answered {other:?}"),
        },
        false if all => stop_without_a_server(data).await?,
        false => anyhow::bail!("No Fletchline server holds {}.", data.root().display()),
    };
    match tasks {
        _ if json => say::out(serde_json::json!({ "tasks_that_go_on": tasks })),
        0 => say::out("Stopped. Nothing runs any more."),
        tasks => say::out(format_args!("Stopped. Tasks that go on: {tasks}. `fletchline stop --all` ends them.")),
    }
    Ok(Outcome::Done)
}

/// What a server left running is found again and ended by this process.
async fn stop_without_a_server(data: DataFolder) -> anyhow::Result<usize> {
    let settings = crate::serve::settings(&data, &[("port".to_owned(), "0".to_owned())].into())?;
    let server = Server::start(data, settings).await?;
    let inner = server.inner.clone();
    inner.stop_tasks().await.map_err(anyhow::Error::msg)?;
    inner.stop();
    server.ended().await;
    Ok(inner.core.runs.live_tasks())
}

pub(super) async fn one_answer(data: &DataFolder, ask: &Ask) -> anyhow::Result<Tell> {
    let mut client = Client::ask(&data.socket(), ask).await?;
    match client.next().await? {
        Some(Tell::Refused { sentence }) => anyhow::bail!(sentence),
        Some(tell) => Ok(tell),
        None => anyhow::bail!("the server said nothing"),
    }
}

/// Ctrl+C, or what a service manager sends.
pub(super) async fn signalled() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
