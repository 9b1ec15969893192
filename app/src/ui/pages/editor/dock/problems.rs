//! What is wrong, and which button mends it?

use leptos::prelude::*;
use model::{Fix, Problem, Severity};

use super::super::desk::Desk;
use crate::ui::kit::{Icon, rows};

/// More than anybody reads at once.
const MOST: usize = 200;

pub fn label(fix: &Fix) -> String {
    match fix {
        Fix::SetField { label, .. }
        | Fix::SetArrowField { label, .. }
        | Fix::RemoveArrow { label, .. }
        | Fix::MakeVolume { label, .. }
        | Fix::MakeSecret { label, .. } => label.clone(),
    }
}

#[component]
pub fn Problems(desk: Desk) -> impl IntoView {
    let row = move |problem: Problem| view! { <Row desk=desk problem=problem /> };
    let all = move || desk.problems.get().iter().take(MOST).cloned().collect::<Vec<_>>();
    let more = move || desk.problems.with(|all| all.len()).saturating_sub(MOST);
    view! {
        <ul class="lines-plain problem-list" aria-label="Problems">
            {rows(all, |problem| serde_json::to_string(problem).unwrap_or_default(), row)}
        </ul>
        {move || desk.problems.with(|all| all.is_empty()).then(|| view! { <p class="hint dock-note">"Nothing is wrong. The same check runs when you press Run."</p> })}
        {move || (more() > 0).then(|| view! { <p class="hint dock-note">{format!("and {} more", more())}</p> })}
    }
}

#[component]
fn Row(desk: Desk, problem: Problem) -> impl IntoView {
    let (at, fix) = (problem.at.clone(), problem.fix.clone());
    let warning = problem.severity == Severity::Warning;
    view! {
        <li class="problem" class:warning=warning>
            <Icon name=if warning { "info" } else { "triangle-alert" } />
            <span class="for-readers">{if warning { "Warning: " } else { "Problem: " }}</span>
            <span class="grow">{problem.sentence}</span>
            {fix.map(|fix| {
                let label = label(&fix);
                view! {
                    <button class="button small" on:click=move |_| desk.mend(fix.clone())>
                        {label}
                    </button>
                }
            })}
            <button class="button quiet small" on:click=move |_| desk.show(&at)>
                "Show"
            </button>
        </li>
    }
}
