//! Which steps were done, and how does one go back to one of them?

use leptos::prelude::*;

use super::super::desk::Desk;

#[component]
pub fn History(desk: Desk) -> impl IntoView {
    let lines = move || {
        let lines = desk.handle.history();
        let done = lines.iter().filter(|line| line.done).count();
        let step = |(at, line): (usize, crate::ui::canvas::HistoryLine)| (at + 1, line.name, line.done, at + 1 == done);
        let mut all: Vec<_> = lines.into_iter().enumerate().map(step).collect();
        all.insert(0, (0, "As it was opened".to_owned(), true, done == 0));
        all.reverse();
        all
    };
    let row = move |(at, name, done, here): (usize, String, bool, bool)| {
        view! {
            <li>
                <button
                    class="history-line"
                    class:undone=!done
                    class:here=here
                    aria-current=here.then_some("step")
                    on:click=move |_| desk.handle.jump(at)
                >
                    <span class="hint numbers">{at}</span>
                    <span class="ellipsis">{name}</span>
                </button>
            </li>
        }
    };
    view! {
        <ol class="lines-plain history" aria-label="Steps, the newest first">
            {move || lines().into_iter().map(row).collect_view()}
        </ol>
    }
}
