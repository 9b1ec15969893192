//! How does the tab hear what happens in the server?
//!
//! One WebSocket a tab. Each watch says from where on it wants to be told, so that after a break nothing is missed and
//! nothing comes twice.

use std::rc::Rc;

use gloo::timers::callback::Timeout;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};

use crate::{
    live::{Ask, Tell},
    paths,
    ui::kit::Toasts,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    Connecting,
    Open,
    /// Tried again by itself.
    Lost,
}

/// The live connection. From the context.
#[derive(Clone, Copy)]
pub struct Live {
    inner: StoredValue<Inner, LocalStorage>,
    connection: RwSignal<Connection>,
    toasts: Toasts,
}

#[derive(Default)]
struct Inner {
    socket: Option<Socket>,
    watches: Vec<Watch>,
    next: u64,
    failures: u32,
    again: Option<Timeout>,
}

#[derive(Clone)]
struct Watch {
    id: u64,
    ask: Rc<dyn Fn() -> Ask>,
    hear: Rc<dyn Fn(&Tell)>,
}

struct Socket {
    raw: web_sys::WebSocket,
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(web_sys::MessageEvent)>,
    _on_close: Closure<dyn FnMut()>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.raw.set_onopen(None);
        self.raw.set_onmessage(None);
        self.raw.set_onclose(None);
        let _ = self.raw.close();
    }
}

impl Live {
    pub fn provide(toasts: Toasts) -> Self {
        let inner = StoredValue::new_local(Inner::default());
        let live = Live { inner, connection: RwSignal::new(Connection::Connecting), toasts };
        provide_context(live);
        live
    }

    pub fn here() -> Self {
        expect_context()
    }

    pub fn connection(self) -> Signal<Connection> {
        self.connection.into()
    }

    /// Watches until the caller's owner is cleaned up. `ask` is called again after every break and tells how far one
    /// has come by then; `hear` gets everything that comes and picks what is its own.
    pub fn watch(self, ask: impl Fn() -> Ask + 'static, hear: impl Fn(&Tell) + 'static) {
        let watch = Watch { id: 0, ask: Rc::new(ask), hear: Rc::new(hear) };
        let first = (watch.ask)();
        let id = self.inner.try_update_value(|inner| {
            inner.next += 1;
            inner.watches.push(Watch { id: inner.next, ..watch });
            inner.next
        });
        self.send(&first);
        if self.inner.with_value(|inner| inner.socket.is_none() && inner.again.is_none()) {
            self.connect();
        }
        on_cleanup(move || {
            if let Some(id) = id {
                self.forget(id);
            }
        });
    }

    fn forget(self, id: u64) {
        let gone = self.inner.try_update_value(|inner| {
            let at = inner.watches.iter().position(|watch| watch.id == id)?;
            Some(inner.watches.remove(at))
        });
        let Some(Some(watch)) = gone else { return };
        let what = (watch.ask)();
        let still = self.watches().iter().any(|other| subject(&(other.ask)()) == subject(&what));
        if !still {
            self.send(&Ask::Forget { what: Box::new(what) });
        }
    }

    fn watches(self) -> Vec<Watch> {
        self.inner.try_with_value(|inner| inner.watches.clone()).unwrap_or_default()
    }

    fn send(self, ask: &Ask) {
        let Ok(text) = serde_json::to_string(ask) else { return };
        self.inner.try_with_value(|inner| {
            if let Some(socket) = inner.socket.as_ref().filter(|s| s.raw.ready_state() == web_sys::WebSocket::OPEN) {
                // A socket that breaks just now asks everything again when it is back.
                let _ = socket.raw.send_with_str(&text);
            }
        });
    }

    fn connect(self) {
        let location = gloo::utils::window().location();
        let scheme = if location.protocol().as_deref() == Ok("https:") { "wss" } else { "ws" };
        let Ok(host) = location.host() else { return };
        let Ok(raw) = web_sys::WebSocket::new(&format!("{scheme}://{host}{}", paths::LIVE)) else {
            self.lost();
            return;
        };
        let on_open = Closure::new(move || self.opened());
        let on_message = Closure::new(move |event: web_sys::MessageEvent| self.heard(&event));
        let on_close = Closure::new(move || self.lost());
        raw.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        raw.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        raw.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        let socket = Socket { raw, _on_open: on_open, _on_message: on_message, _on_close: on_close };
        self.inner.try_update_value(|inner| {
            inner.again = None;
            inner.socket = Some(socket);
        });
    }

    fn opened(self) {
        self.connection.try_set(Connection::Open);
        self.inner.try_update_value(|inner| inner.failures = 0);
        for watch in self.watches() {
            self.send(&(watch.ask)());
        }
    }

    fn heard(self, event: &web_sys::MessageEvent) {
        let Some(text) = event.data().as_string() else { return };
        match serde_json::from_str::<Tell>(&text) {
            // It does not say whose watch that was, and its sentence is for people.
            Ok(Tell::Refused { sentence }) => self.toasts.fail(sentence),
            Ok(tell) => self.watches().iter().for_each(|watch| (watch.hear)(&tell)),
            Err(error) => leptos::logging::warn!("a message of the server was not understood: {error}"),
        }
    }

    /// Waits longer with each failure, up to 15 s; a random part keeps tabs from coming all at once.
    fn lost(self) {
        self.connection.try_set(Connection::Lost);
        self.inner.try_update_value(|inner| {
            let wait = (500.0 * f64::from(1u32 << inner.failures.min(5))).min(15_000.0);
            inner.failures += 1;
            let wait = wait * (0.75 + js_sys::Math::random() / 2.0);
            // The socket's own handler runs just now: it is dropped when the next one takes its place.
            inner.again = Some(Timeout::new(wait as u32, move || self.connect()));
        });
    }
}

/// What is watched, whatever the point one has come to.
fn subject(ask: &Ask) -> Ask {
    match ask {
        Ask::Run { run, .. } => Ask::Run { run: run.clone(), version: 0 },
        Ask::Log { execution, .. } => Ask::Log { execution: execution.clone(), from: 0 },
        Ask::Pipeline { id, .. } => Ask::Pipeline { id: id.clone(), revision: 0 },
        Ask::Runs | Ask::Forget { .. } => ask.clone(),
    }
}
