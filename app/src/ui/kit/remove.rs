//! How does a page ask before something goes for good?

use leptos::{prelude::*, task::spawn_local};

use super::{Asked, Dialog, Loading, Toasts};
use crate::{error::ApiError, ui::words};

/// What deleting would mean.
#[derive(Clone)]
pub struct Loss {
    /// "the run with results and logs of 3 executions".
    pub what: String,
    pub space: u64,
    /// Why it cannot be deleted yet; while there is one, the button is dead.
    pub held_by: Vec<String>,
    /// What stays, and because of whom.
    pub kept_for: Vec<String>,
}

/// Says what goes and how much that is; deletes and says so.
#[component]
pub fn RemoveDialog<Asking, Deleting>(
    /// "Run 3 of Digits".
    name: String,
    loss: impl Fn() -> Asking + 'static,
    delete: impl Fn() -> Deleting + Send + Sync + 'static,
    #[prop(into)] on_gone: Callback<()>,
    #[prop(into)] on_close: Callback<()>,
) -> impl IntoView
where
    Asking: Future<Output = Result<Loss, ApiError>> + 'static,
    Deleting: Future<Output = Result<(), ApiError>> + 'static,
{
    let loss = Asked::new(loss);
    let allowed = move || matches!(loss.get(), Some(Ok(loss)) if loss.held_by.is_empty());
    let busy = RwSignal::new(false);
    let toasts = Toasts::here();
    let title = format!("Delete {name}?");
    let act = move |_| {
        let (deleting, said) = (delete(), format!("{name} was deleted"));
        busy.set(true);
        spawn_local(async move {
            let answer = deleting.await;
            busy.try_set(false);
            match answer {
                Ok(()) => {
                    toasts.say(said);
                    on_close.try_run(());
                    on_gone.try_run(());
                }
                Err(error) => toasts.fail(error),
            }
        });
    };
    view! {
        <Dialog title=title on_close=on_close>
            <div class="dialog-body">
                {move || match loss.get() {
                    None => view! { <Loading lines=2 /> }.into_any(),
                    Some(Err(error)) => view! { <p role="alert">{error.to_string()}</p> }.into_any(),
                    Some(Ok(loss)) => view! { <What loss=loss /> }.into_any(),
                }}
            </div>
            <div class="dialog-foot">
                <button class="button" on:click=move |_| on_close.run(())>
                    "Cancel"
                </button>
                <button class="button danger" disabled=move || busy.get() || !allowed() on:click=act>
                    "Delete"
                </button>
            </div>
        </Dialog>
    }
}

#[component]
fn What(loss: Loss) -> impl IntoView {
    let Loss { what, space, held_by, kept_for } = loss;
    let freed = (space > 0).then(|| view! { ", " <b>{words::size(space)}</b> });
    view! {
        <p>"This removes " {what} {freed} ". It cannot be undone."</p>
        <Reasons class="note waits" intro="It cannot be deleted yet:" reasons=held_by />
        <Reasons class="note" intro="What other runs have read stays for them:" reasons=kept_for />
    }
}

#[component]
fn Reasons(class: &'static str, intro: &'static str, reasons: Vec<String>) -> impl IntoView {
    (!reasons.is_empty()).then(|| {
        view! {
            <div class=class>
                <p>{intro}</p>
                <ul class="reasons">{reasons.into_iter().map(|reason| view! { <li>{reason}</li> }).collect_view()}</ul>
            </div>
        }
    })
}
