//! What do the files of an execution say about it?

use engine::observed::{Ended, Observation, Phase};
use model::{ExecutionId, launch::Program, supervise::End};

use super::{
    folder::{Accepted, ExecutionFolder, Told},
    load,
};

const RESTARTED: &str = "While it ran this machine was restarted, or the data folder was copied from another one.";
pub const SUPERVISOR_GONE: &str = "Its supervisor was ended from outside, and every process of it with it.";

/// `is_supervised`: its supervisor lives, or is about to be started. `preparing`: what it waits for before that.
pub fn look(
    id: &ExecutionId,
    folder: &ExecutionFolder,
    accepted: &Accepted,
    told: &Told,
    (is_supervised, boot, preparing): (bool, &str, &str),
) -> Observation {
    let is_load = matches!(accepted.launch.program, Program::Load { .. });
    let phase = match &told.end {
        Some(end) => Phase::Ended(ended(end, is_load.then(|| load::facts(folder)).flatten())),
        None => running(told, accepted, is_supervised, boot, preparing),
    };
    let is_running = matches!(phase, Phase::Running { .. } | Phase::Ready { .. });
    let progress = (is_load && is_running).then(|| load::progress(folder)).flatten();
    Observation { execution: id.clone(), phase, progress }
}

fn running(told: &Told, accepted: &Accepted, is_supervised: bool, boot: &str, preparing: &str) -> Phase {
    if told.boot.as_deref().unwrap_or(&accepted.boot) != boot {
        return Phase::Lost { sentence: RESTARTED.to_owned() };
    }
    if !is_supervised {
        return Phase::Lost { sentence: SUPERVISOR_GONE.to_owned() };
    }
    let Some(started) = told.started else {
        return Phase::Preparing { sentence: preparing.to_owned() };
    };
    match told.ready {
        _ if told.is_ending => Phase::Ending { started },
        None => Phase::Running { started },
        Some(ready) if told.is_rule_met => Phase::RuleMet { started, ready },
        Some(ready) => Phase::Ready { started, ready },
    }
}

fn ended(end: &End, facts: Option<serde_json::Value>) -> Ended {
    let exit = crate::runner::exit(&end.how);
    Ended { exit, started: end.started, ended: end.ended, facts }
}
