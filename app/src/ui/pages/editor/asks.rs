//! What does the canvas ask for: the paths of a new arrow, a menu, a name?

use leptos::prelude::*;
use model::{Acl, KindName, TaskId, run::Part};

use super::{
    desk::{Desk, focus_field},
    inspector::paths,
};
use crate::ui::{
    canvas::{Ask, Command, Hit, Point},
    kit::{Dialog, Icon, Item, Toasts, copy_text},
};

#[component]
pub fn Asks(desk: Desk) -> impl IntoView {
    let ask = desk.handle.ask();
    let close = Callback::new(move |()| {
        ask.set(None);
        focus_canvas();
    });
    move || match ask.get()? {
        Ask::Connect { from, to, at } => {
            Some(view! { <Connect desk=desk from=from to=to at=at close=close /> }.into_any())
        }
        Ask::Menu { at, on } => Some(view! { <Context desk=desk at=at on=on close=close /> }.into_any()),
        Ask::RenameGroup { group } => {
            let set =
                Callback::new(move |name: String| desk.handle.act(Command::RenameGroup { group: group.clone(), name }));
            Some(view! { <RenameGroup set=set close=close /> }.into_any())
        }
        Ask::Open { .. } => to_field(desk, "first"),
        Ask::Rename { .. } => to_field(desk, "name"),
        Ask::EditNote { .. } => to_field(desk, "text"),
        // Sentences are said, never asked.
        Ask::Say { .. } => None,
    }
}

/// Into the inspector; nothing is shown here.
fn to_field(desk: Desk, field: &str) -> Option<AnyView> {
    desk.face.set("settings");
    desk.sheet.set(Some("inspector"));
    focus_field(if field == "first" { "name".into() } else { field.into() });
    let ask = desk.handle.ask();
    gloo::timers::callback::Timeout::new(0, move || drop(ask.try_set(None))).forget();
    None
}

fn focus_canvas() {
    let host = gloo::utils::document().query_selector(".canvas-host").ok().flatten();
    if let Some(host) = host {
        let host: web_sys::HtmlElement = wasm_bindgen::JsCast::unchecked_into(host);
        let _ = host.focus();
    }
}

fn place(at: Point) -> String {
    format!("left: min({}px, calc(100% - 330px)); top: min({}px, calc(100% - 290px));", at.x.max(8.0), at.y.max(8.0))
}

/// The form of a new arrow. Until it is sent, nothing was changed.
#[component]
fn Connect(desk: Desk, from: TaskId, to: TaskId, at: Point, close: Callback<()>) -> impl IntoView {
    let guess = desk.handle.with_pipeline_untracked(|pipeline| paths::guess(pipeline, &from, &to));
    let (from_path, to_path) = (RwSignal::new(guess.from_path), RwSignal::new(guess.to_path));
    let writable = RwSignal::new(false);
    let is_volume = desk.handle.task(&from).is_some_and(|task| task.kind.name() == KindName::Volume);
    let title = format!("{} → {}", desk.title(&from), desk.title(&to));
    let lists = StoredValue::new((guess.from_paths, guess.to_paths));
    let connect = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let acl = if writable.get_untracked() { Acl::ReadWrite } else { Acl::ReadOnly };
        let (from, to) = (from.clone(), to.clone());
        let (from_path, to_path) = (from_path.get_untracked(), to_path.get_untracked());
        if let Err(refusal) = desk.handle.dispatch(Command::Connect { from, from_path, to, to_path, acl }) {
            desk.toasts.fail(refusal);
        }
        close.run(());
    };
    view! {
        <form
            class="float connect"
            style=place(at)
            aria-label=format!("New arrow {title}")
            on:submit=connect
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    event.stop_propagation();
                    close.run(());
                }
            }
        >
            <h2 class="ellipsis" title=title.clone()>{title.clone()}</h2>
            <PathInput label="From Path" value=from_path list=Signal::derive(move || lists.get_value().0) first=true />
            <PathInput label="To Path" value=to_path list=Signal::derive(move || lists.get_value().1) />
            <p class="hint">"Both empty: order alone."</p>
            <label class="check" hidden=!is_volume>
                <input type="checkbox" prop:checked=writable on:change=move |event| writable.set(event_target_checked(&event)) />
                "May write (RW)"
            </label>
            <div class="row end">
                <button type="button" class="button" on:click=move |_| close.run(())>
                    "Cancel"
                </button>
                <button class="button primary">"Connect"</button>
            </div>
        </form>
    }
}

#[component]
fn PathInput(
    label: &'static str,
    value: RwSignal<String>,
    list: Signal<Vec<String>>,
    #[prop(optional)] first: bool,
) -> impl IntoView {
    let id = format!("paths-{}", label.replace(' ', "-"));
    let node = NodeRef::<leptos::html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = node.get().filter(|_| first) {
            let _ = input.focus();
            input.select();
        }
    });
    view! {
        <label class="labelled">
            {label}
            <input
                node_ref=node
                class="field mono"
                list=id.clone()
                autocomplete="off"
                spellcheck="false"
                prop:value=value
                on:input=move |event| value.set(event_target_value(&event))
            />
            <datalist id=id>
                {move || list.get().into_iter().map(|path| view! { <option value=path></option> }).collect_view()}
            </datalist>
        </label>
    }
}

/// What a right click offers.
#[component]
fn Context(desk: Desk, at: Point, on: Hit, close: Callback<()>) -> impl IntoView {
    let items = context_items(desk, &on, at);
    let entry = move |item: Item| {
        let act = item.act;
        let choose = move |_| {
            close.run(());
            act.run(());
        };
        view! {
            <button role="menuitem" class:danger=item.danger on:click=choose>
                <Icon name=item.icon />
                {item.label}
            </button>
        }
    };
    let node = NodeRef::<leptos::html::Div>::new();
    Effect::new(move |_| {
        let first = node.get().and_then(|list| list.query_selector("button").ok().flatten());
        if let Some(first) = first {
            let _ = wasm_bindgen::JsCast::unchecked_into::<web_sys::HtmlElement>(first).focus();
        }
    });
    view! {
        <div class="veil" on:pointerdown=move |_| close.run(())></div>
        <div
            class="menu-list float"
            role="menu"
            aria-label="On the canvas"
            node_ref=node
            style=place(at)
            on:keydown=move |event| menu_key(&event, close)
        >
            {items.into_iter().map(entry).collect_view()}
        </div>
    }
}

fn menu_key(event: &web_sys::KeyboardEvent, close: Callback<()>) {
    let Some(here) = gloo::utils::document().active_element() else { return };
    let next = match event.key().as_str() {
        "Escape" | "Tab" => {
            event.prevent_default();
            close.run(());
            return;
        }
        "ArrowDown" => here.next_element_sibling(),
        "ArrowUp" => here.previous_element_sibling(),
        _ => return,
    };
    event.prevent_default();
    if let Some(next) = next {
        let _ = wasm_bindgen::JsCast::unchecked_into::<web_sys::HtmlElement>(next).focus();
    }
}

fn context_items(desk: Desk, on: &Hit, at: Point) -> Vec<Item> {
    let act = move |command: Command| move || desk.handle.act(command.clone());
    match on {
        Hit::Task(task) | Hit::Input(task) | Hit::Output(task) => {
            let (here, only, up) = (task.clone(), task.clone(), task.clone());
            let run = move |part: Part| move || desk.wish.set(Some(part.clone()));
            vec![
                Item::new("play", "Run from here", run(Part::FromHere { task: here })),
                Item::new("play", "Run only this", run(Part::OnlyThis { task: only })),
                Item::new("play", "Run up to here", run(Part::UpToHere { task: up })),
                Item::new("pencil", "Rename", move || focus_field("name".into())),
                Item::new("copy", "Copy", move || copy_selected(desk)),
                Item::new("copy-plus", "Duplicate", act(Command::Duplicate)),
                Item::new("layers", "Group", act(Command::Group { name: "Group".into() })),
                Item::new("trash-2", "Delete", act(Command::Delete)).danger(),
            ]
        }
        Hit::Arrow(arrow) => {
            vec![Item::new("trash-2", "Delete arrow", act(Command::RemoveArrow { arrow: arrow.clone() })).danger()]
        }
        Hit::Note(_) | Hit::NoteCorner(_) => vec![
            Item::new("pencil", "Write", move || focus_field("text".into())),
            Item::new("trash-2", "Delete note", act(Command::Delete)).danger(),
        ],
        Hit::Group(_) => vec![
            Item::new("layers", "Ungroup", act(Command::Ungroup)),
            Item::new("trash-2", "Delete group and tasks", act(Command::Delete)).danger(),
        ],
        Hit::Nothing => vec![
            Item::new("sticky-note", "Add a note", move || add_note(desk, at)),
            Item::new("wand-sparkles", "Tidy up", act(Command::Layout)),
            Item::new("maximize", "Show everything", move || desk.handle.fit()),
        ],
    }
}

fn add_note(desk: Desk, at: Point) {
    let at = desk.handle.to_world(at);
    desk.handle.act(Command::AddNote { at, text: String::new() });
    focus_field("text".into());
}

fn copy_selected(desk: Desk) {
    if let Some(text) = desk.handle.copied() {
        copy_text(text, Toasts::clone(&desk.toasts));
    }
}

#[component]
fn RenameGroup(set: Callback<String>, close: Callback<()>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let save = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        set.run(name.get_untracked());
        close.run(());
    };
    view! {
        <Dialog title="Name of the group" on_close=close>
            <form on:submit=save>
                <div class="dialog-body">
                    <input
                        class="field"
                        aria-label="Name"
                        autofocus
                        prop:value=name
                        on:input=move |event| name.set(event_target_value(&event))
                    />
                </div>
                <div class="dialog-foot">
                    <button type="button" class="button" on:click=move |_| close.run(())>
                        "Cancel"
                    </button>
                    <button class="button primary">"Rename"</button>
                </div>
            </form>
        </Dialog>
    }
}
