//! How is a port of a task opened, and what are the deeds called?

use leptos::{prelude::*, task::spawn_local};
use model::{ExecutionId, run::Deed};

use crate::{
    api::runs::{Opening, open_port},
    ui::kit::{Confirm, Copyable},
};

/// A page of a task that waits until a person has made a way to it.
#[derive(Clone, PartialEq)]
struct Waiting {
    command: String,
    execution: ExecutionId,
    port: u16,
}

/// Opens pages of tasks. From the context.
#[derive(Clone, Copy)]
pub struct Opener(RwSignal<Option<Waiting>>);

impl Opener {
    pub fn provide() -> Self {
        let opener = Opener(RwSignal::new(None));
        provide_context(opener);
        opener
    }

    pub fn here() -> Self {
        expect_context()
    }

    /// Opens a port's page in a new tab. Where nothing leads to it from this machine, it says first what has to.
    pub fn open(self, execution: ExecutionId, port: u16, failed: impl Fn(String) + 'static) {
        self.go(execution, port, false, failed);
    }

    /// `is_led`: a person has made the way. The tab is opened at once, because a browser lets only a click do that.
    fn go(self, execution: ExecutionId, port: u16, is_led: bool, failed: impl Fn(String) + 'static) {
        let window = gloo::utils::window();
        let tab = window.open_with_url_and_target("about:blank", "_blank").ok().flatten();
        let host = window.location().host().unwrap_or_default();
        let close = |tab: Option<web_sys::Window>| drop(tab.map(|tab| tab.close()));
        spawn_local(async move {
            match (open_port(execution.clone(), port, host).await, tab) {
                (Ok(Opening { command: Some(command), .. }), tab) if !is_led => {
                    close(tab);
                    self.0.try_set(Some(Waiting { command, execution, port }));
                }
                (Ok(Opening { address, .. }), Some(tab)) => drop(tab.location().set_href(&address)),
                (Ok(Opening { address, .. }), None) => {
                    failed(format!("The browser keeps new tabs away. Open it here: {address}"));
                }
                (Err(error), tab) => {
                    close(tab);
                    failed(error.to_string());
                }
            }
        });
    }
}

/// What has to run on this machine before a page opens.
#[component]
pub fn WaitingForWay(opener: Opener, #[prop(into)] failed: Callback<String>) -> impl IntoView {
    let close = move || opener.0.set(None);
    move || {
        opener.0.get().map(|Waiting { command, execution, port }| {
            let go = move |()| {
                close();
                opener.go(execution.clone(), port, true, move |why| failed.run(why));
            };
            view! {
                <Confirm title="Open a tunnel first" word="Open" on_yes=go on_close=move |()| close()>
                    <p>
                        "The pages of tasks have names of your own machine, so that none shares the server's. Leave this \
                        tunnel to the server running in a terminal here, then open the page:"
                    </p>
                    <Copyable text=command wraps=true />
                </Confirm>
            }
        })
    }
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
