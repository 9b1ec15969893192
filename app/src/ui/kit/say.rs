//! How does the page say in passing that something was done or refused?

use gloo::timers::callback::Timeout;
use leptos::prelude::*;

use super::{Icon, rows};

#[derive(Clone, Debug, PartialEq)]
pub struct Toast {
    id: u64,
    sentence: String,
    failed: bool,
}

/// Sentences that go away by themselves. From the context.
#[derive(Clone, Copy)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next: StoredValue<u64>,
}

impl Toasts {
    pub fn provide() -> Self {
        let toasts = Toasts { list: RwSignal::new(Vec::new()), next: StoredValue::new(0) };
        provide_context(toasts);
        toasts
    }

    pub fn here() -> Self {
        expect_context()
    }

    pub fn say(self, sentence: impl Into<String>) {
        self.show(sentence.into(), false);
    }

    pub fn fail(self, sentence: impl ToString) {
        self.show(sentence.to_string(), true);
    }

    fn show(self, sentence: String, failed: bool) {
        let id = self.next.try_update_value(|next| {
            *next += 1;
            *next
        });
        let Some(id) = id else { return };
        self.list.try_update(|list| {
            list.retain(|toast| toast.sentence != sentence);
            list.push(Toast { id, sentence, failed });
        });
        Timeout::new(if failed { 9000 } else { 5000 }, move || self.close(id)).forget();
    }

    fn close(self, id: u64) {
        self.list.try_update(|list| list.retain(|toast| toast.id != id));
    }
}

#[component]
pub fn Toaster(toasts: Toasts) -> impl IntoView {
    let line = move |toast: Toast| {
        view! {
            <div class="toast" class:failed=toast.failed>
                <Icon name=if toast.failed { "triangle-alert" } else { "check" } />
                <span>{toast.sentence.clone()}</span>
                <button class="button quiet icon-only small" aria-label="Close" on:click=move |_| toasts.close(toast.id)>
                    <Icon name="x" size=14 />
                </button>
            </div>
        }
    };
    view! {
        <div class="toasts" role="status" aria-live="polite">
            {rows(move || toasts.list.get(), |toast| toast.id, line)}
        </div>
    }
}

/// A line to copy. Its end is there to scroll to, or on further lines if it wraps.
#[component]
pub fn Copyable(
    #[prop(into)] text: String,
    #[prop(default = "Copy")] label: &'static str,
    #[prop(optional)] wraps: bool,
) -> impl IntoView {
    let toasts = Toasts::here();
    let copied = text.clone();
    let copy = move |_| {
        copy_text(copied.clone(), toasts);
    };
    view! {
        <div class="copyable" class:wraps=wraps>
            <code>{text}</code>
            <button class="button quiet icon-only small" aria-label=label title=label on:click=copy>
                <Icon name="copy" size=14 />
            </button>
        </div>
    }
}

/// Into the clipboard, and says so.
pub fn copy_text(text: String, toasts: Toasts) {
    let promise = gloo::utils::window().navigator().clipboard().write_text(&text);
    leptos::task::spawn_local(async move {
        match wasm_bindgen_futures::JsFuture::from(promise).await {
            Ok(_) => toasts.say("Copied"),
            Err(_) => toasts.fail("The browser does not let this page write into the clipboard."),
        }
    });
}
