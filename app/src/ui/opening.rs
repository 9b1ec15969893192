//! How is a port of a task opened, and what are the deeds called?

use leptos::task::spawn_local;
use model::{ExecutionId, run::Deed};

use crate::{api::runs::open_port, ui::kit::Toasts};

/// Opens a port's page in a new tab. The tab is opened at once, because a browser lets only a click do that.
pub fn open(execution: ExecutionId, port: u16) {
    let toasts = Toasts::here();
    let window = gloo::utils::window();
    let tab = window.open_with_url_and_target("about:blank", "_blank").ok().flatten();
    let host = window.location().host().unwrap_or_default();
    spawn_local(async move {
        match (open_port(execution, port, host).await, tab) {
            (Ok(address), Some(tab)) => drop(tab.location().set_href(&address)),
            (Ok(address), None) => toasts.fail(format!("The browser keeps new tabs away. Open it here: {address}")),
            (Err(error), tab) => {
                tab.inspect(|tab| drop(tab.close()));
                toasts.fail(error);
            }
        }
    });
}

pub fn deed_word(deed: Deed) -> &'static str {
    match deed {
        Deed::Advance => "Advance",
        Deed::StartAgain => "Start again",
        Deed::FailIt => "Fail it",
        Deed::Retry => "Retry",
        Deed::Pause => "Pause",
        Deed::Resume => "Resume",
        Deed::MakeLive => "Make live",
        Deed::Stop => "Stop",
    }
}
