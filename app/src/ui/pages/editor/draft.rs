//! How does what was drawn survive a closed tab and a lost connection?
//!
//! Each tab that has a pipeline open keeps it in a place of its own and holds that place while it lives, by a lock of the
//! browser's. A draft is taken over only when the tab that made it is gone.

use gloo::storage::{LocalStorage, Storage};
use js_sys::{Array, Function, Object, Promise, Reflect};
use leptos::prelude::{SetValue, StoredValue};
use model::PipelineId;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::api::pipelines::Opened;

/// What this browser keeps of one pipeline, saved or not: the history goes on after a reload.
#[derive(Clone, Serialize, Deserialize)]
pub struct Draft {
    /// The revision that it was made from.
    pub revision: u64,
    pub document: String,
    /// What the server had at that revision, where this differs from it: what a merge begins with.
    #[serde(default)]
    pub base: Option<String>,
    /// Not in the server yet.
    pub unsaved: bool,
    pub history: String,
}

impl Draft {
    /// Whether one goes on from it: what is unsaved always (a newer save makes it stale, and both are shown), else
    /// only where the server has nothing newer.
    pub fn belongs_to(&self, opened: &Opened) -> bool {
        self.unsaved || self.revision == opened.revision
    }
}

/// Tabs of one pipeline; those beyond share the first one's place.
const TABS: u32 = 32;

/// Where a tab keeps its draft.
#[derive(Clone)]
pub struct Place(String);

impl Place {
    /// Of the places that no living tab holds, one with an unsaved draft, else the first. It is held as long as `held`
    /// is there.
    pub async fn find(id: &PipelineId, held: StoredValue<Option<Held>, leptos::prelude::LocalStorage>) -> Place {
        let place = |number: u32| match number {
            0 => Place(format!("fletchline.draft.{id}")),
            _ => Place(format!("fletchline.draft.{id}/{number}")),
        };
        let all = (0..TABS).map(place);
        let is_unsaved = |place: &Place| place.load().is_some_and(|draft| draft.unsaved);
        for place in all.clone().filter(is_unsaved).chain(all) {
            match lock(&place.0).await {
                // Nobody is there any more if it comes back: then it is let go.
                Ok(Some(lock)) => drop(held.try_set_value(Some(lock))),
                Ok(None) => continue,
                // A browser has none where the page came neither from this machine nor by https: tabs share.
                Err(_) => {}
            }
            return place;
        }
        place(0)
    }

    pub fn load(&self) -> Option<Draft> {
        LocalStorage::get(&self.0).ok()
    }

    /// Answers whether it is kept. A history that is too large for the browser is left out before the document is.
    pub fn keep(&self, draft: Draft) -> bool {
        LocalStorage::set(&self.0, &draft).is_ok()
            || LocalStorage::set(&self.0, Draft { history: String::new(), ..draft }).is_ok()
    }

    pub fn forget(&self) {
        LocalStorage::delete(&self.0);
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["navigator", "locks"], js_name = request)]
    fn request(name: &str, options: &Object, callback: &JsValue) -> Result<Promise, JsValue>;
}

/// A lock, until this is dropped or the tab is gone.
pub struct Held(Function);

impl Drop for Held {
    fn drop(&mut self) {
        // It ends a promise, which cannot fail.
        let _ = self.0.call0(&JsValue::UNDEFINED);
    }
}

/// `None`: another tab has it.
async fn lock(name: &str) -> Result<Option<Held>, JsValue> {
    let options = Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &true.into())?;
    let (mut end, mut answer) = (None, None);
    let until = Promise::new(&mut |resolve, _| end = Some(resolve));
    let answered = Promise::new(&mut |resolve, _| answer = Some(resolve));
    let callback = Closure::once_into_js(move |lock: JsValue| {
        let _ = answer.map(|answer| answer.call1(&JsValue::UNDEFINED, &lock));
        if lock.is_null() { lock } else { until.into() }
    });
    // It ends when the lock is let go, or at once with a refusal.
    let asked = request(name, &options, &callback)?;
    let lock = JsFuture::from(Promise::race(&Array::of2(&answered, &asked))).await?;
    Ok(end.filter(|_| !lock.is_null()).map(Held))
}
