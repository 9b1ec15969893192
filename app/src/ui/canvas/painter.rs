//! When is a picture drawn?
//!
//! In the browser's next frame after something changed, and in each one while a running task's icon turns. What elements of
//! the page show of a picture follows a few times a second, and what is dear (the mirror for screen readers) at once after
//! a single change, and when a movement is over: to lay out the page anew for every picture takes as long as the picture.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use editor::{Editor, Size, camera::Camera};
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::HtmlElement;

use super::{EditorHandle, paint::Surface};

type Told = Box<dyn Fn()>;

/// Milliseconds between what is told of pictures that follow each other.
const PACE: f64 = 100.0;
/// Milliseconds without a change after which a movement is over: one that stutters has frames without a change.
const REST: f64 = 80.0;
/// As long as the mirror may stay behind where pictures never end, as in a run of thousands of tasks.
const LATEST: f64 = 1000.0;

/// What the mirror shows, but for things that are being dragged.
#[derive(Clone, Copy, PartialEq)]
struct Shown {
    camera: Camera,
    size: Size,
    board: u64,
    selection: u64,
}

impl Shown {
    fn of(editor: &Editor) -> Self {
        let versions = editor.versions();
        Shown { camera: editor.camera(), size: editor.size(), board: versions.board, selection: versions.selection }
    }
}

pub struct Painter {
    handle: EditorHandle,
    surface: RefCell<Surface>,
    scheduled: Cell<Option<i32>>,
    alive: Cell<bool>,
    /// The scene's version that was painted last.
    painted: Cell<u64>,
    /// When there was a picture of something new, and when one was told, in the time of frames.
    changed: Cell<f64>,
    told: Cell<f64>,
    /// What the mirror shows, when that changed, and since when it may be behind.
    shown: Cell<Option<Shown>>,
    moved: Cell<f64>,
    behind: Cell<Option<f64>>,
    still: bool,
    /// A few times a second while there are pictures, and once more before `on_rest`.
    on_picture: Told,
    on_rest: Told,
    #[expect(clippy::type_complexity, reason = "a callback that is made once, kept, and handed to the browser")]
    frame: RefCell<Option<Closure<dyn FnMut(f64)>>>,
}

impl Painter {
    pub fn new(handle: EditorHandle, surface: Surface, on_picture: Told, on_rest: Told) -> Rc<Self> {
        let painter = Rc::new(Painter {
            handle,
            surface: RefCell::new(surface),
            scheduled: Cell::new(None),
            alive: Cell::new(true),
            painted: Cell::new(u64::MAX),
            changed: Cell::new(f64::NEG_INFINITY),
            told: Cell::new(f64::NEG_INFINITY),
            shown: Cell::new(None),
            moved: Cell::new(f64::NEG_INFINITY),
            behind: Cell::new(None),
            still: wants_no_motion(),
            on_picture,
            on_rest,
            frame: RefCell::new(None),
        });
        let weak = Rc::downgrade(&painter);
        let frame = Closure::new(move |time| {
            if let Some(painter) = weak.upgrade() {
                painter.frame(time);
            }
        });
        *painter.frame.borrow_mut() = Some(frame);
        painter
    }

    /// A picture in the next frame; more calls until then are the same wish.
    pub fn schedule(&self) {
        if self.scheduled.get().is_some() || !self.alive.get() {
            return;
        }
        if let (Some(window), Some(frame)) = (web_sys::window(), self.frame.borrow().as_ref()) {
            let asked = window.request_animation_frame(frame.as_ref().unchecked_ref());
            self.scheduled.set(asked.ok());
        }
    }

    /// The page is going: nothing may be drawn or told any more.
    pub fn stop(&self) {
        self.alive.set(false);
        // The browser would call what is dropped with the page.
        if let (Some(window), Some(frame)) = (web_sys::window(), self.scheduled.take()) {
            let _ = window.cancel_animation_frame(frame);
        }
    }

    pub fn resize(&self, width: f64, height: f64, density: f64) {
        self.surface.borrow_mut().resize(width, height, density);
        self.again();
    }

    /// The theme or the fonts changed.
    pub fn refresh(&self, host: &HtmlElement) {
        self.surface.borrow_mut().refresh(host);
        self.again();
    }

    fn again(&self) {
        self.painted.set(u64::MAX);
        self.schedule();
    }

    fn frame(&self, time: f64) {
        self.scheduled.set(None);
        if !self.alive.get() {
            return;
        }
        let version = self.handle.with(|editor| editor.versions().scene);
        let changed = self.painted.replace(version) != version;
        let turns = !self.still && self.surface.borrow().scene.turns;
        if changed || turns {
            let mut surface = self.surface.borrow_mut();
            self.handle.with(|editor| surface.paint(editor, time));
        }
        if changed {
            self.changed.set(time);
            self.behind.set(self.behind.get().or(Some(time)));
            self.tell(time, PACE);
        }
        if self.behind.get().is_some_and(|since| self.jumps(time) || self.is_over(time) || time - since >= LATEST) {
            self.behind.set(None);
            self.tell(time, 0.0);
            (self.on_rest)();
        }
        let turns = !self.still && self.surface.borrow().scene.turns;
        if self.behind.get().is_some() || turns {
            self.schedule();
        }
    }

    /// Is what the mirror shows another, and was not just before? A movement's first change is taken for one, too.
    fn jumps(&self, time: f64) -> bool {
        let shown = self.handle.with(Shown::of);
        if self.shown.replace(Some(shown)) == Some(shown) {
            return false;
        }
        time - self.moved.replace(time) >= REST
    }

    fn is_over(&self, time: f64) -> bool {
        time - self.changed.get() >= REST
    }

    /// Unless that was done less than `pace` ago.
    fn tell(&self, time: f64, pace: f64) {
        if time - self.told.get() >= pace {
            self.told.set(time);
            (self.on_picture)();
        }
    }
}

fn wants_no_motion() -> bool {
    let query = web_sys::window().and_then(|window| window.match_media("(prefers-reduced-motion: reduce)").ok()?);
    query.is_some_and(|query| query.matches())
}
