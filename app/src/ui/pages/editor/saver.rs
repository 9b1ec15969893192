//! How do changes reach the server without anybody pressing a button?
//!
//! A change is kept in this browser at once and sent a moment later. A save names the revision it was made from; the
//! server refuses one that is stale, and then the person decides.

use gloo::timers::callback::Timeout;
use leptos::{prelude::*, task::spawn_local};

use super::{
    desk::Desk,
    draft::{Draft, Place},
};
use crate::{
    api::pipelines::{Opened, open_pipeline, save_pipeline},
    error::ApiError,
    live::{Ask, Tell},
    ui::{canvas::Command, live_socket::Live},
};

/// From the last change to the save.
const QUIET: u32 = 700;

#[derive(Clone, Debug, PartialEq)]
pub enum Saving {
    Saved,
    Unsaved,
    Going,
    /// Kept in this browser and tried again; the sentence says why.
    Kept {
        sentence: String,
    },
    /// Somebody else saved in between.
    Stale {
        revision: u64,
        theirs: String,
    },
}

#[derive(Clone, Copy)]
pub struct Saver {
    pub state: RwSignal<Saving>,
    pub place: StoredValue<Place>,
    /// The revision that the next save is made from.
    revision: StoredValue<u64>,
    /// The document of that revision, as the server has it.
    base: StoredValue<String>,
    timer: StoredValue<Option<Timeout>, LocalStorage>,
}

impl Saver {
    /// `kept` is the draft that one goes on from.
    pub fn new(place: Place, kept: Option<Draft>, opened: Opened) -> Self {
        let revision = kept.as_ref().map_or(opened.revision, |draft| draft.revision);
        let base = kept.and_then(|draft| draft.base).unwrap_or(opened.document);
        Saver {
            state: RwSignal::new(Saving::Saved),
            place: StoredValue::new(place),
            revision: StoredValue::new(revision),
            base: StoredValue::new(base),
            timer: StoredValue::new_local(None),
        }
    }

    pub fn revision(self) -> u64 {
        self.revision.get_value()
    }

    /// Saves after each change, and hears of others' saves.
    pub fn follow(self, desk: Desk) {
        Effect::new(move |_| {
            desk.handle.revision().track();
            self.changed(desk);
        });
        let id = desk.id();
        Live::here().watch(
            move || Ask::Pipeline { id: id.clone(), revision: self.revision.try_get_value().unwrap_or_default() },
            move |tell| {
                if let Tell::Saved { id, revision } = tell
                    && *id == desk.id()
                    && *revision > self.revision()
                    && self.state.get_untracked() == Saving::Saved
                {
                    self.take_in(desk);
                }
            },
        );
    }

    fn changed(self, desk: Desk) {
        if self.base.with_value(|base| *base == *desk.text()) {
            self.keep(desk, false);
            if !matches!(self.state.get_untracked(), Saving::Stale { .. } | Saving::Going) {
                self.state.set(Saving::Saved);
            }
            return;
        }
        self.keep(desk, true);
        if !matches!(self.state.get_untracked(), Saving::Stale { .. } | Saving::Going) {
            self.state.set(Saving::Unsaved);
            self.later(desk, QUIET);
        }
    }

    fn later(self, desk: Desk, wait: u32) {
        let save = move || {
            spawn_local(async move {
                let _ = self.save(desk).await;
            });
        };
        self.timer.set_value(Some(Timeout::new(wait, save)));
    }

    fn keep(self, desk: Desk, unsaved: bool) {
        let draft = Draft {
            revision: self.revision(),
            document: desk.text().to_string(),
            base: unsaved.then(|| self.base.get_value()),
            unsaved,
            history: desk.handle.history_json(),
        };
        if !self.place.with_value(|place| place.keep(draft)) && unsaved {
            desk.handle
                .said()
                .set("This browser's storage is full: unsaved changes would not survive a closed tab.".into());
        }
    }

    /// Saves what there is; the answer is the revision that holds it.
    ///
    /// # Errors
    /// The server's answer; what was typed is kept here.
    pub async fn save(self, desk: Desk) -> Result<u64, ApiError> {
        if let Saving::Stale { revision, theirs } = self.state.get_untracked() {
            return Err(ApiError::Stale { revision, document: theirs });
        }
        while self.state.try_get_untracked() == Some(Saving::Going) {
            pause(60).await;
        }
        let text = desk.text();
        let revision = self.revision();
        if self.base.with_value(|base| *base == *text) {
            return Ok(revision);
        }
        self.state.set(Saving::Going);
        let answer = save_pipeline(desk.id(), revision, text.to_string()).await;
        self.answered(desk, &text, answer)
    }

    fn answered(self, desk: Desk, text: &str, answer: Result<u64, ApiError>) -> Result<u64, ApiError> {
        // Two tabs that went on from one draft save the same: whoever comes second has nothing to say.
        let answer = match answer {
            Err(ApiError::Stale { revision, document }) if document == text => Ok(revision),
            other => other,
        };
        match &answer {
            Ok(revision) => {
                self.revision.try_set_value(*revision);
                self.base.try_set_value(text.to_owned());
                self.state.try_set(Saving::Saved);
                if desk.id.try_get_value().is_some() {
                    self.changed(desk);
                }
            }
            Err(ApiError::Stale { revision, document }) => {
                self.state.try_set(Saving::Stale { revision: *revision, theirs: document.clone() });
            }
            Err(error) => {
                self.state.try_set(Saving::Kept { sentence: error.to_string() });
                if self.timer.try_with_value(|_| ()).is_some() {
                    self.later(desk, 5000);
                }
            }
        }
        answer
    }

    /// Somebody saved, and nothing is unsaved here: theirs comes in as a step that can be undone.
    fn take_in(self, desk: Desk) {
        spawn_local(async move {
            let Ok(theirs) = open_pipeline(desk.id()).await else { return };
            if self.state.try_get_untracked() == Some(Saving::Saved) && theirs.revision > self.revision() {
                self.merge(desk, theirs.revision, &theirs.document);
            }
        });
    }

    /// Theirs and ours together: what only one of both changed is taken, elsewhere ours stands.
    pub fn merge(self, desk: Desk, revision: u64, theirs: &str) {
        let (Ok(base), Ok(new)) =
            (self.base.with_value(|base| model::document::read(base)), model::document::read(theirs))
        else {
            return;
        };
        self.revision.set_value(revision);
        self.base.set_value(theirs.to_owned());
        self.state.set(Saving::Unsaved);
        let merge = Command::Merge { base: Box::new(base.pipeline), theirs: Box::new(new.pipeline) };
        if let Err(refusal) = desk.handle.dispatch(merge) {
            desk.toasts.fail(refusal);
        }
        self.changed(desk);
    }

    /// Theirs in place of ours.
    pub fn take_theirs(self, desk: Desk, revision: u64, theirs: &str) {
        match model::document::read(theirs) {
            Ok(read) => {
                self.revision.set_value(revision);
                self.base.set_value(theirs.to_owned());
                self.state.set(Saving::Saved);
                desk.handle.open(read.pipeline);
                self.changed(desk);
            }
            Err(error) => desk.toasts.fail(error),
        }
    }
}

async fn pause(millis: u32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let _ = gloo::utils::window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis as i32);
    });
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}
