//! What happened in a run, in words?

use leptos::prelude::*;

use super::state::LiveRun;
use crate::{
    api::runs::{EventLine, run_events},
    ui::{kit::Asked, words},
};

#[component]
pub fn Events(live: LiveRun) -> impl IntoView {
    let events = live.events();
    let lines = Asked::new(move || {
        events.track();
        let run = live.summary.with(|summary| summary.id.clone());
        run_events(run)
    });
    view! {
        <div class="events">
            {move || match lines.get() {
                None => view! { <p class="hint">"Loading the events…"</p> }.into_any(),
                Some(Ok(lines)) => view! { <ol>{lines.into_iter().map(row).collect_view()}</ol> }.into_any(),
                Some(Err(error)) => view! { <p class="problem" role="alert">{error.to_string()}</p> }.into_any(),
            }}
        </div>
    }
}

fn row(line: EventLine) -> impl IntoView {
    view! {
        <li>
            <time title=words::exact(line.at)>{words::clock(line.at)}</time>
            <span>{line.sentence}</span>
        </li>
    }
}
