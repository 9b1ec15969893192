//! How does a page hold an answer of the server?
//!
//! `LocalResource` is compiled for each future and each answer, and knows of suspense, which no page has: together that
//! was a thirtieth of what a browser fetches.

use std::pin::Pin;

use leptos::{prelude::*, task::spawn_local};

/// An answer and how to get it: when it is made, whenever a signal changes that the question reads, and on wish. The last
/// answer stays until the next one is there; an answer that a newer question has overtaken is dropped.
pub struct Asked<T: 'static> {
    answer: RwSignal<Option<T>>,
    again: RwSignal<()>,
}

impl<T> Clone for Asked<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Asked<T> {}

/// Ends with what puts the answer into its place.
type Asking = Pin<Box<dyn Future<Output = Box<dyn FnOnce()>>>>;

impl<T: Clone + Send + Sync + 'static> Asked<T> {
    pub fn new<F: Future<Output = T> + 'static>(question: impl Fn() -> F + 'static) -> Self {
        let asked = Asked { answer: RwSignal::new(None), again: RwSignal::new(()) };
        let put = move |answer: T| Box::new(move || drop(asked.answer.try_set(Some(answer)))) as Box<dyn FnOnce()>;
        let ask = move || {
            let asking = question();
            Box::pin(async move { put(asking.await) }) as Asking
        };
        follow(asked.again, Box::new(ask));
        asked
    }

    /// `None` before the first answer.
    pub fn get(self) -> Option<T> {
        self.answer.get()
    }

    pub fn refetch(self) {
        self.again.try_set(());
    }
}

/// Not generic: compiled once.
fn follow(again: RwSignal<()>, ask: Box<dyn Fn() -> Asking>) {
    let newest = StoredValue::new(0u64);
    Effect::new(move |_| {
        again.track();
        let number = newest.get_value() + 1;
        newest.set_value(number);
        let asking = ask();
        spawn_local(async move {
            let put = asking.await;
            if newest.try_get_value() == Some(number) {
                put();
            }
        });
    });
}
