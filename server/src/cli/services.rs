//! Which Viewers and Servings are there, and where do programs find them?

use app::api::runs::Service;

use super::{Outcome, stop::one_answer};
use crate::{
    control::{Ask, Tell},
    data_folder::DataFolder,
    say,
};

pub(super) async fn services(data: &DataFolder, json: bool) -> anyhow::Result<Outcome> {
    let services = match one_answer(data, &Ask::Services).await? {
        Tell::Services { services } => services,
        other => anyhow::bail!("the server answered {other:?}"),
    };
    if json {
        say::out(serde_json::to_string(&services)?);
    } else if services.is_empty() {
        say::out("No Viewer and no Serving is there.");
    } else {
        services.iter().map(line).for_each(say::out);
    }
    Ok(Outcome::Done)
}

fn line(service: &Service) -> String {
    let Service { pipeline_name, task_name, run_number, sentence, cost, address, .. } = service;
    let address = address.as_ref().map_or(String::new(), |address| format!(" · {address}"));
    format!("{pipeline_name} · {task_name} of run {run_number}: {sentence}{address} · {cost}")
}
