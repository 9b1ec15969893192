//! How is a list shown whose rows keep their elements while others come and go?

use std::sync::Arc;

use leptos::prelude::*;

struct Row {
    key: String,
    view: Box<dyn FnOnce() -> AnyView + Send>,
}

/// As `<For>`, which is compiled for each kind of item: here for one.
pub fn rows<T: Send + 'static, I: IntoIterator<Item = T>, K: ToString, V: IntoView + 'static>(
    all: impl Fn() -> I + Send + 'static,
    key: impl Fn(&T) -> K + Send + 'static,
    row: impl Fn(T) -> V + Send + Sync + 'static,
) -> AnyView {
    let row = Arc::new(row);
    let keyed = move |item: T| {
        let (key, row) = (key(&item).to_string(), row.clone());
        Row { key, view: Box::new(move || row(item).into_any()) }
    };
    show(Box::new(move || all().into_iter().map(&keyed).collect()))
}

fn show(all: Box<dyn Fn() -> Vec<Row> + Send>) -> AnyView {
    view! { <For each=all key=|row| row.key.clone() children=|row| (row.view)() /> }.into_any()
}
