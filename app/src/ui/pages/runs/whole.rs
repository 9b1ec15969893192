//! What can be done with a whole run, and what marks it?

use leptos::{prelude::*, task::spawn_local};
use model::run::RunSummary;

use crate::{
    api::runs::{delete_run, pin_run, removal_of_run},
    ui::{
        kit::{Icon, Item, Loss, Menu, RemoveDialog, Toasts},
        words,
    },
};

/// Where the data of a run went.
const WHERE: &str = "Newer runs took the place of its results. Its logs are still here.";

/// The menu of a run; `removing` opens the dialog.
#[component]
pub fn RunMenu(#[prop(into)] run: Signal<RunSummary>, removing: RwSignal<Option<RunSummary>>) -> impl IntoView {
    let toasts = Toasts::here();
    let pin = move |pinned: bool| {
        let id = run.with_untracked(|run| run.id.clone());
        spawn_local(async move {
            match pin_run(id, pinned).await {
                Ok(()) if pinned => toasts.say("Its results stay, however many newer runs there are."),
                Ok(()) => toasts.say("Its results make room like any other run's."),
                Err(error) => toasts.fail(error),
            }
        });
    };
    let items = Signal::derive(move || {
        let pinned = run.with(|run| run.pinned);
        let (icon, word) = if pinned { ("pin-off", "Unpin") } else { ("pin", "Pin") };
        vec![
            Item::new(icon, word, move || pin(!pinned)),
            Item::new("trash-2", "Delete…", move || removing.set(Some(run.get_untracked()))).danger(),
        ]
    });
    view! { <Menu label=run.with_untracked(|run| format!("More for run {}", run.number)) items=items /> }
}

#[component]
pub fn PinMark(#[prop(into)] run: Signal<RunSummary>) -> impl IntoView {
    let pinned = Memo::new(move |_| run.with(|run| run.pinned));
    move || {
        pinned.get().then(|| {
            view! {
                <span class="mark" title="Its results stay, however many newer runs there are.">
                    <Icon name="pin" size=14 />
                    <span class="for-readers">"Pinned"</span>
                </span>
            }
        })
    }
}

#[component]
pub fn DroppedMark(#[prop(into)] run: Signal<RunSummary>) -> impl IntoView {
    let dropped = Memo::new(move |_| run.with(|run| run.dropped));
    move || {
        dropped.get().then(|| {
            view! { <span class="hint" title=WHERE>"Its data is gone."</span> }
        })
    }
}

/// In a line of the list: what it takes, or that nothing is left.
#[component]
pub fn Space(#[prop(into)] run: Signal<RunSummary>) -> impl IntoView {
    move || {
        run.with(|run| match (run.dropped, run.space) {
            (true, _) => view! { <span title=WHERE>"data is gone"</span> }.into_any(),
            (false, Some(space)) => words::size(space).into_any(),
            (false, None) => ().into_any(),
        })
    }
}

/// What goes when a run is deleted.
#[component]
pub fn RemoveRun(
    run: RunSummary,
    #[prop(into)] on_gone: Callback<()>,
    #[prop(into)] on_close: Callback<()>,
) -> impl IntoView {
    let (asked, id) = (run.id.clone(), run.id);
    let loss = move || {
        let id = asked.clone();
        async move {
            let removal = removal_of_run(id).await?;
            let executions = words::count(removal.executions as usize, "execution", "executions");
            Ok(Loss {
                what: format!("the run with results and logs of {executions}"),
                space: removal.space,
                held_by: removal.held_by,
                kept_for: removal.kept_for,
            })
        }
    };
    view! {
        <RemoveDialog
            name=format!("run {} of {}", run.number, run.pipeline_name)
            loss=loss
            delete=move || delete_run(id.clone())
            on_gone=on_gone
            on_close=on_close
        />
    }
}
