//! How does one line of a list stay while others change?

use leptos::prelude::*;

/// The entry of `all` that has the key of `first`, followed as it changes. One that has just gone from the list is
/// still asked for once: it stays as it was.
pub fn line<T, K>(all: impl Into<Signal<Vec<T>>>, first: T, key: fn(&T) -> &K) -> Memo<T>
where
    T: Clone + PartialEq + Send + Sync + 'static,
    K: PartialEq + 'static,
{
    let all = all.into();
    Memo::new(move |_| {
        let found = all.with(|all| all.iter().find(|one| key(one) == key(&first)).cloned());
        found.unwrap_or_else(|| first.clone())
    })
}
