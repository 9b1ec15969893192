//! How does a page ask something and wait for the answer?

use leptos::{html, prelude::*};

/// A modal box; the browser keeps the focus inside and closes it by Escape. Render it only while it is open.
#[component]
pub fn Dialog(
    #[prop(into)] title: Signal<String>,
    #[prop(into)] on_close: Callback<()>,
    #[prop(optional)] wide: bool,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = node.get()
            && !dialog.open()
        {
            // It may have been taken out again already; then there is nothing to show.
            let _ = dialog.show_modal();
        }
    });
    let on_key = move |event: web_sys::KeyboardEvent| event.stop_propagation();
    view! {
        <dialog
            node_ref=node
            class="dialog"
            class:wide=wide
            aria-label=title
            on:keydown=on_key
            on:cancel=move |event: web_sys::Event| {
                event.prevent_default();
                on_close.run(());
            }
        >
            <h2 class="dialog-title">{title}</h2>
            {children()}
        </dialog>
    }
}

/// One sentence, one deed, one way out.
#[component]
pub fn Confirm(
    #[prop(into)] title: String,
    #[prop(into)] word: String,
    #[prop(optional)] danger: bool,
    #[prop(into)] on_yes: Callback<()>,
    #[prop(into)] on_close: Callback<()>,
    children: Children,
) -> impl IntoView {
    view! {
        <Dialog title=title on_close=on_close>
            <div class="dialog-body">{children()}</div>
            <div class="dialog-foot">
                <button class="button" on:click=move |_| on_close.run(())>
                    "Cancel"
                </button>
                <button
                    class="button"
                    class:primary=!danger
                    class:danger=danger
                    on:click=move |_| on_yes.run(())
                >
                    {word}
                </button>
            </div>
        </Dialog>
    }
}
