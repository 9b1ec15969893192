//! When was each task at work?

use leptos::prelude::*;
use model::{
    Pipeline, TaskId,
    run::{Millis, TaskStatus, TaskView},
};

use super::state::LiveRun;
use crate::ui::words;

/// Widths in percent of the run's own length.
struct Bar {
    name: String,
    left: f64,
    width: f64,
    tone: &'static str,
    title: String,
    /// What it waits for, or what is being prepared, as long as there is no bar.
    note: Option<String>,
}

#[component]
pub fn Timeline(live: LiveRun, snapshot: StoredValue<Pipeline>, now: Signal<Millis>) -> impl IntoView {
    let span = Memo::new(move |_| {
        let summary = live.summary.get();
        let end = summary.ended.unwrap_or_else(|| now.get()).max(summary.started + 1000);
        (summary.started, end)
    });
    let bars = move || {
        let span = span.get();
        live.tasks.with(|tasks| rows(tasks.iter(), snapshot, span))
    };
    view! {
        <div class="timeline" role="table" aria-label="Timeline">
            <div class="timeline-axis" aria-hidden="true">
                {move || {
                    let (start, end) = span.get();
                    let length = end - start;
                    let left = |at: Millis| format!("{:.2}%", at as f64 / length as f64 * 100.0);
                    (0..=length / step(length))
                        .map(|number| number * step(length))
                        .map(|at| view! { <span style:left=left(at)>{words::duration(at)}</span> })
                        .collect_view()
                }}
            </div>
            {move || {
                bars()
                    .into_iter()
                    .map(|bar| {
                        let title = bar.title.clone();
                        view! {
                            <div class="timeline-row" role="row">
                                <span class="timeline-name" role="rowheader" title=bar.name.clone()>{bar.name.clone()}</span>
                                <span class="timeline-track" role="cell" aria-label=title>
                                    <span
                                        class=format!("timeline-bar {}", bar.tone)
                                        style:left=format!("{:.2}%", bar.left)
                                        style:width=format!("{:.2}%", bar.width)
                                        title=bar.title
                                    ></span>
                                    {bar.note.map(|note| view! { <span class="timeline-note ellipsis" title=note.clone()>{note.clone()}</span> })}
                                </span>
                            </div>
                        }
                    })
                    .collect_view()
            }}
        </div>
    }
}

/// Between two marks of the axis: a round time that leaves at most six of them.
fn step(length: Millis) -> Millis {
    const SECONDS: [Millis; 16] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200];
    let fits = SECONDS.iter().map(|seconds| seconds * 1000).find(|step| length / step <= 6);
    fits.unwrap_or_else(|| (length / 6).next_multiple_of(86_400_000))
}

/// In the order in which they started; what has not started comes last.
fn rows<'a>(
    tasks: impl Iterator<Item = (&'a TaskId, &'a TaskView)>,
    snapshot: StoredValue<Pipeline>,
    span: (Millis, Millis),
) -> Vec<Bar> {
    let mut tasks: Vec<_> = tasks.filter(|(_, view)| view.status != TaskStatus::NotInRun).collect();
    tasks.sort_by_key(|(id, view)| (view.started.is_none(), view.started, (*id).clone()));
    tasks.into_iter().map(|(id, view)| bar(id, view, snapshot, span)).collect()
}

fn bar(id: &TaskId, view: &TaskView, snapshot: StoredValue<Pipeline>, (start, end): (Millis, Millis)) -> Bar {
    let percent = |at: Millis| (at.clamp(start, end) - start) as f64 / (end - start) as f64 * 100.0;
    let name = snapshot.with_value(|pipeline| pipeline.tasks.get(id).map(|task| task.name.clone())).unwrap_or_default();
    let (tone, _, word) = words::task_look(view.status);
    let Some(started) = view.started else {
        let note = (!view.sentence.is_empty()).then(|| view.sentence.clone());
        return Bar { title: format!("{name}: {word}"), name, left: 0.0, width: 0.0, tone: "none", note };
    };
    let until = view.ended.unwrap_or(end);
    let title = format!("{name}: {word}, {}", words::duration(until.saturating_sub(started)));
    let (left, right) = (percent(started), percent(until));
    Bar { name, left, width: (right - left).max(0.4), tone, title, note: None }
}
