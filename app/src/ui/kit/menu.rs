//! How are further deeds offered behind one button?

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;

use super::Icon;

#[derive(Clone)]
pub struct Item {
    pub label: String,
    pub icon: &'static str,
    /// A destructive word is red.
    pub danger: bool,
    pub act: Callback<()>,
}

impl Item {
    pub fn new(icon: &'static str, label: impl Into<String>, act: impl Fn() + Send + Sync + 'static) -> Self {
        Item { label: label.into(), icon, danger: false, act: Callback::new(move |()| act()) }
    }

    pub fn danger(self) -> Self {
        Item { danger: true, ..self }
    }
}

/// A button with three dots and the list that it opens; Escape, a click beside it and Tab close it.
#[component]
pub fn Menu(#[prop(into)] label: String, #[prop(into)] items: Signal<Vec<Item>>) -> impl IntoView {
    let open = RwSignal::new(false);
    let root = NodeRef::<html::Div>::new();
    let left = move |event: web_sys::FocusEvent| {
        let to = event.related_target().and_then(|to| to.dyn_into::<web_sys::Node>().ok());
        let inside = root.get_untracked().is_some_and(|root| root.contains(to.as_ref()));
        if !inside {
            open.set(false);
        }
    };
    view! {
        <div class="menu" node_ref=root on:focusout=left on:keydown=move |event| keys(&event, open, root)>
            <button
                class="button quiet icon-only"
                aria-haspopup="menu"
                aria-expanded=move || open.get().to_string()
                aria-label=label.clone()
                title=label
                on:click=move |event| {
                    event.stop_propagation();
                    open.update(|open| *open = !*open);
                }
            >
                <Icon name="ellipsis" />
            </button>
            {move || open.get().then(|| view! { <List items=items open=open /> })}
        </div>
    }
}

#[component]
fn List(items: Signal<Vec<Item>>, open: RwSignal<bool>) -> impl IntoView {
    let entry = move |item: Item| {
        let act = item.act;
        let choose = move |event: web_sys::MouseEvent| {
            event.stop_propagation();
            open.set(false);
            act.run(());
        };
        view! {
            <button role="menuitem" class:danger=item.danger on:click=choose>
                <Icon name=item.icon />
                {item.label}
            </button>
        }
    };
    view! { <div class="menu-list" role="menu">{items.get_untracked().into_iter().map(entry).collect_view()}</div> }
}

fn keys(event: &web_sys::KeyboardEvent, open: RwSignal<bool>, root: NodeRef<html::Div>) {
    let Some(root) = root.get_untracked().filter(|_| open.get_untracked()) else { return };
    let step = match event.key().as_str() {
        "Escape" => {
            open.set(false);
            event.stop_propagation();
            return;
        }
        "ArrowDown" => 1,
        "ArrowUp" => -1,
        _ => return,
    };
    event.prevent_default();
    event.stop_propagation();
    move_focus(&root, step);
}

fn move_focus(root: &web_sys::HtmlDivElement, step: i32) {
    let Ok(buttons) = root.query_selector_all("[role=menuitem]") else { return };
    let here = gloo::utils::document().active_element();
    let count = buttons.length() as i32;
    let same = |at: &i32| buttons.item(*at as u32).is_some_and(|node| here.as_deref() == Some(&node));
    let next = match (0..count).find(same) {
        Some(at) => (at + step).rem_euclid(count.max(1)),
        None => 0,
    };
    if let Some(button) = buttons.item(next as u32).and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = button.focus();
    }
}
