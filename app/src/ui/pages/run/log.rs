//! What did a task write?
//!
//! Only the lines in view are elements, so that a log of a million lines scrolls as one of ten.

use leptos::{html, prelude::*};
use model::{ExecutionId, run::Millis};

use crate::{
    live::{Ask, Tell},
    paths,
    ui::{kit::Icon, live_socket::Live, words},
};

const ROW: f64 = 18.0;
/// Rows beyond the edges, so that a fast scroll shows text at once.
const MARGIN: usize = 30;
/// The browser keeps this many; the file has all.
const KEPT: usize = 200_000;

#[derive(Clone, PartialEq)]
struct Line {
    at: Option<Millis>,
    text: String,
}

impl Line {
    fn read(stored: &str) -> Line {
        match stored.split_once(' ').map(|(at, text)| (at.parse(), text)) {
            Some((Ok(at), text)) => Line { at: Some(at), text: text.to_owned() },
            _ => Line { at: None, text: stored.to_owned() },
        }
    }
}

/// The log of one execution as it grows.
#[derive(Clone, Copy)]
struct LogState {
    lines: RwSignal<Vec<Line>>,
    next: StoredValue<u64>,
    dropped: RwSignal<usize>,
}

impl LogState {
    fn follow(execution: &ExecutionId) -> LogState {
        let log = LogState { lines: RwSignal::default(), next: StoredValue::new(0), dropped: RwSignal::new(0) };
        let (asked, own) = (execution.clone(), execution.clone());
        Live::here().watch(
            move || Ask::Log { execution: asked.clone(), from: log.next.try_get_value().unwrap_or_default() },
            move |tell| log.hear(&own, tell),
        );
        log
    }

    fn hear(self, own: &ExecutionId, tell: &Tell) {
        let Tell::Log { execution, from, text, .. } = tell else { return };
        // What is told twice after a break begins before the byte that we wait for.
        if execution != own || self.next.try_get_value() != Some(*from) {
            return;
        }
        self.next.try_set_value(from + text.len() as u64);
        self.lines.try_update(|lines| {
            lines.extend(text.lines().map(Line::read));
            let over = lines.len().saturating_sub(KEPT);
            if over > 0 {
                lines.drain(..over);
                self.dropped.try_update(|dropped| *dropped += over);
            }
        });
    }
}

#[component]
pub fn Log(execution: ExecutionId) -> impl IntoView {
    let log = LogState::follow(&execution);
    let query = RwSignal::new(String::new());
    let follows = RwSignal::new(true);
    let shown = Memo::new(move |_| {
        let query = words::lowered(&query.get());
        log.lines.with(|lines| {
            let fits = |line: &Line| query.is_empty() || words::lowered(&line.text).contains(&query);
            lines.iter().enumerate().filter(|(_, line)| fits(line)).map(|(index, _)| index).collect::<Vec<_>>()
        })
    });
    view! {
        <div class="log">
            <div class="log-tools">
                <label class="search">
                    <Icon name="search"/>
                    <input
                        type="search"
                        class="field"
                        placeholder="Search the log"
                        aria-label="Search the log"
                        prop:value=move || query.get()
                        on:input=move |event| query.set(event_target_value(&event))
                    />
                </label>
                <label class="check">
                    <input
                        type="checkbox"
                        prop:checked=move || follows.get()
                        on:change=move |event| follows.set(event_target_checked(&event))
                    />
                    "Follow"
                </label>
                <a class="button small" href=paths::log_file(&execution) download="">
                    <Icon name="download"/>
                    "Download"
                </a>
            </div>
            <LogLines log shown follows/>
        </div>
    }
}

#[component]
fn LogLines(log: LogState, shown: Memo<Vec<usize>>, follows: RwSignal<bool>) -> impl IntoView {
    let frame = NodeRef::<html::Div>::new();
    let top = RwSignal::new(0.0);
    let height = RwSignal::new(400.0);
    Effect::new(move |_| {
        let count = shown.with(Vec::len);
        if let Some(frame) = frame.get().filter(|_| follows.get() && count > 0) {
            frame.set_scroll_top(frame.scroll_height());
        }
    });
    let scrolled = move |_| {
        if let Some(frame) = frame.get_untracked() {
            top.set(f64::from(frame.scroll_top()));
            height.set(f64::from(frame.client_height()));
        }
    };
    let window = Memo::new(move |_| {
        let first = ((top.get() / ROW) as usize).saturating_sub(MARGIN);
        let last = first + (height.get() / ROW) as usize + 2 * MARGIN;
        (first, last.min(shown.with(Vec::len)))
    });
    view! {
        <div class="log-lines" role="log" aria-label="Log" tabindex="0" node_ref=frame on:scroll=scrolled>
            <Show when=move || { log.dropped.get() > 0 }>
                <p class="hint">{move || format!("The first {} lines are in the download.", log.dropped.get())}</p>
            </Show>
            <Show when=move || shown.with(Vec::is_empty)>
                <p class="hint">{move || empty_sentence(log)}</p>
            </Show>
            <div style:height=move || format!("{}px", shown.with(Vec::len) as f64 * ROW) class="log-space">
                <div style:transform=move || format!("translateY({}px)", window.get().0 as f64 * ROW)>
                    {move || rows(log, shown, window.get())}
                </div>
            </div>
        </div>
    }
}

fn empty_sentence(log: LogState) -> &'static str {
    if log.lines.with(Vec::is_empty) { "Nothing has been written yet." } else { "No line has this text." }
}

fn rows(log: LogState, shown: Memo<Vec<usize>>, (first, last): (usize, usize)) -> Vec<impl IntoView> {
    log.lines.with(|lines| {
        shown.with(|shown| {
            let indices = shown.get(first..last.max(first)).unwrap_or_default();
            indices
                .iter()
                .filter_map(|index| lines.get(*index))
                .map(|line| {
                    let at = line.at.map(words::clock).unwrap_or_default();
                    view! { <div class="log-row"><time>{at}</time><span>{line.text.clone()}</span></div> }
                })
                .collect()
        })
    })
}
