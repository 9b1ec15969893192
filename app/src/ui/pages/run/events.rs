//! What happened in a run, in words?

use leptos::prelude::*;
use model::Pipeline;

use super::state::LiveRun;
use crate::{
    api::runs::{EventLine, run_events},
    ui::words,
};

#[component]
pub fn Events(live: LiveRun, snapshot: StoredValue<Pipeline>) -> impl IntoView {
    let lines = LocalResource::new(move || {
        // Asked again when anything about the run has changed.
        live.tasks.track();
        let run = live.summary.with(|summary| summary.id.clone());
        run_events(run)
    });
    view! {
        <div class="events">
            <Transition fallback=|| view! { <p class="hint">"Loading the events…"</p> }>
                {move || lines.get().map(|answer| match answer {
                    Ok(lines) => view! { <ol>{lines.into_iter().map(|line| row(line, snapshot)).collect_view()}</ol> }.into_any(),
                    Err(error) => view! { <p class="problem" role="alert">{error.to_string()}</p> }.into_any(),
                })}
            </Transition>
        </div>
    }
}

fn row(line: EventLine, snapshot: StoredValue<Pipeline>) -> impl IntoView {
    let name =
        line.task.and_then(|id| snapshot.with_value(|pipeline| pipeline.tasks.get(&id).map(|task| task.name.clone())));
    view! {
        <li>
            <time title=words::exact(line.at)>{words::clock(line.at)}</time>
            <b>{name}</b>
            <span>{line.sentence}</span>
        </li>
    }
}
