//! How does the page steer the editor, and how does it hear of changes?
//!
//! The one file that turns changes of the editor into signals. During a gesture nothing here is set: what depends on the
//! document waits for the gesture's end.

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use editor::{Ask, CardStatus, Command, Editor, HistoryLine, Mode, Refusal, Selection, Versions, input::Input};
use leptos::prelude::*;
use model::{Arrow, ArrowId, KindName, Pipeline, Severity, Task, TaskId, document::ReadError};

use super::{events, ids};

/// The editor of one page. Make it where the page lives, hand it to `<Canvas/>` and to everything around it.
#[derive(Clone, Copy)]
pub struct EditorHandle {
    editor: StoredValue<Editor, LocalStorage>,
    seen: StoredValue<Versions>,
    revision: RwSignal<u64>,
    meaning: RwSignal<u64>,
    selection: RwSignal<Selection>,
    undo_name: RwSignal<Option<String>>,
    redo_name: RwSignal<Option<String>>,
    ask: RwSignal<Option<Ask>>,
    said: RwSignal<String>,
    /// The canvas asks to be told when there is something to draw.
    painter: StoredValue<Option<Rc<dyn Fn()>>, LocalStorage>,
    host: StoredValue<Option<web_sys::HtmlElement>, LocalStorage>,
}

impl EditorHandle {
    /// Opens a pipeline (for [`Mode::Run`]: a run's snapshot). Tasks without a place are laid out as a first step.
    pub fn new(pipeline: Pipeline, mode: Mode) -> Self {
        let handle = EditorHandle {
            editor: StoredValue::new_local(Editor::new(pipeline, mode)),
            seen: StoredValue::new(Versions::default()),
            revision: RwSignal::new(0),
            meaning: RwSignal::new(0),
            selection: RwSignal::new(Selection::default()),
            undo_name: RwSignal::new(None),
            redo_name: RwSignal::new(None),
            ask: RwSignal::new(None),
            said: RwSignal::new(String::new()),
            painter: StoredValue::new_local(None),
            host: StoredValue::new_local(None),
        };
        handle.mutate(|editor| editor.place_the_placeless());
        handle
    }

    /// Counts committed changes of the document: read it to follow them.
    pub fn revision(self) -> Signal<u64> {
        self.revision.into()
    }

    pub fn selection(self) -> Signal<Selection> {
        self.selection.into()
    }

    /// What undo would undo: "Move Train". `None`: nothing to undo.
    pub fn undo_name(self) -> Signal<Option<String>> {
        self.undo_name.into()
    }

    pub fn redo_name(self) -> Signal<Option<String>> {
        self.redo_name.into()
    }

    pub fn can_undo(self) -> Signal<bool> {
        Signal::derive(move || self.undo_name.with(Option::is_some))
    }

    pub fn can_redo(self) -> Signal<bool> {
        Signal::derive(move || self.redo_name.with(Option::is_some))
    }

    /// What the canvas wants of the page: the form of an arrow's paths, a menu, a task's settings. The page sets it
    /// back to `None` when that is done. Points are CSS pixels from the canvas' upper left corner.
    pub fn ask(self) -> RwSignal<Option<Ask>> {
        self.ask
    }

    /// The last sentence that the editor said (a refusal, what the keyboard does); the canvas reads it out, the page
    /// may show it. The page may say sentences, too.
    pub fn said(self) -> RwSignal<String> {
        self.said
    }

    pub fn mode(self) -> Mode {
        self.editor.with_value(Editor::mode)
    }

    /// Carries out one step; all edits go this way.
    ///
    /// # Errors
    /// One sentence; nothing was changed.
    pub fn dispatch(self, command: Command) -> Result<(), Refusal> {
        self.mutate(|editor| editor.dispatch(command, &mut ids::new))
    }

    /// As [`EditorHandle::dispatch`]; a refusal becomes [`EditorHandle::said`].
    pub fn act(self, command: Command) {
        if let Err(refusal) = self.dispatch(command) {
            self.said.set(refusal.to_string());
        }
    }

    /// Call it when a field gets the focus, and give the answer to the field's commands as `typing`: one stay in a
    /// field is one step.
    pub fn new_focus(self) -> u64 {
        self.mutate(Editor::new_focus)
    }

    pub fn undo(self) {
        self.mutate(Editor::undo);
    }

    pub fn redo(self) {
        self.mutate(Editor::redo);
    }

    /// All steps, oldest first. Follows [`EditorHandle::revision`].
    pub fn history(self) -> Vec<HistoryLine> {
        self.revision.track();
        self.editor.with_value(Editor::history_lines)
    }

    /// To where the first `done` steps of [`EditorHandle::history`] are done.
    pub fn jump(self, done: usize) {
        self.mutate(|editor| editor.jump(done));
    }

    pub fn select(self, selection: Selection) {
        self.mutate(|editor| editor.set_selection(selection));
    }

    /// Selects a task and brings it into view.
    pub fn show_task(self, task: &TaskId) {
        self.mutate(|editor| {
            editor.set_selection(Selection::task(task.clone()));
            editor.reveal(task);
        });
    }

    pub fn show_arrow(self, arrow: &ArrowId) {
        self.mutate(|editor| {
            editor.set_selection(Selection::arrow(arrow.clone()));
            if let Some(task) = editor.pipeline().arrows.get(arrow).map(|arrow| arrow.to_task.clone()) {
                editor.reveal(&task);
            }
        });
    }

    pub fn fit(self) {
        self.mutate(Editor::fit);
    }

    pub fn zoom_to_selection(self) {
        self.mutate(Editor::zoom_to_selection);
    }

    pub fn zoom_in(self) {
        self.mutate(|editor| editor.zoom_by(editor::camera::ZOOM_STEP));
    }

    pub fn zoom_out(self) {
        self.mutate(|editor| editor.zoom_by(1.0 / editor::camera::ZOOM_STEP));
    }

    pub fn zoom_to(self, zoom: f64) {
        self.mutate(|editor| editor.zoom_to(zoom));
    }

    /// A task in the middle of the view: Enter on a palette's item; for dragging see
    /// [`EditorHandle::drag_from_palette`].
    pub fn add_from_palette(self, kind: KindName) {
        if let Err(refusal) = self.mutate(|editor| editor.add_in_view(kind, &mut ids::new)) {
            self.said.set(refusal.to_string());
        }
    }

    /// CSS pixels of the canvas in world units.
    pub fn to_world(self, at: editor::Point) -> editor::Point {
        self.with(|editor| editor.camera().to_world(at))
    }

    /// A file from outside is over the canvas: the card under it shows whether it takes it.
    pub fn file_over(self, event: &web_sys::MouseEvent) {
        let at = self.canvas_element().map(|host| super::events::point(&host, event));
        self.handle(Input::FileOver { at });
    }

    /// It went away or was dropped. Answers the task that takes it.
    pub fn file_gone(self) -> Option<TaskId> {
        let taker = self.with(|editor| editor.gesture().taker().cloned());
        self.handle(Input::FileOver { at: None });
        taker
    }

    /// What is selected as text for a clipboard; `None`: neither task nor note.
    pub fn copied(self) -> Option<String> {
        self.editor.with_value(|editor| editor::command::copy(editor.pipeline(), editor.selection()))
    }

    /// Follows [`EditorHandle::revision`].
    pub fn with_pipeline<R>(self, read: impl FnOnce(&Pipeline) -> R) -> R {
        self.revision.track();
        self.editor.with_value(|editor| read(editor.pipeline()))
    }

    /// Is not told of changes that only moved something: for what is dear to find out and the same wherever a task stands.
    pub fn with_meaning<R>(self, read: impl FnOnce(&Pipeline) -> R) -> R {
        self.meaning.track();
        self.with_pipeline_untracked(read)
    }

    pub fn with_pipeline_untracked<R>(self, read: impl FnOnce(&Pipeline) -> R) -> R {
        self.editor.with_value(|editor| read(editor.pipeline()))
    }

    /// Follows [`EditorHandle::revision`].
    pub fn task(self, task: &TaskId) -> Option<Arc<Task>> {
        self.with_pipeline(|pipeline| pipeline.tasks.get(task).cloned())
    }

    /// Follows [`EditorHandle::revision`].
    pub fn arrow(self, arrow: &ArrowId) -> Option<Arc<Arrow>> {
        self.with_pipeline(|pipeline| pipeline.arrows.get(arrow).cloned())
    }

    /// The document as it is saved. Untracked.
    pub fn document_json(self) -> String {
        self.with_pipeline_untracked(model::document::write)
    }

    /// Import: the document takes the place of what is here, as one step; it keeps its id. Answers the warnings.
    ///
    /// # Errors
    /// What is wrong with the text and where; nothing was changed.
    pub fn import(self, text: &str) -> Result<Vec<model::Problem>, ReadError> {
        let read = model::document::read(text)?;
        self.act(Command::Import(Box::new(read.pipeline)));
        self.fit();
        Ok(read.warnings)
    }

    /// Another document in place of this one, with a history of its own (nothing to undo).
    pub fn open(self, pipeline: Pipeline) {
        self.mutate(|editor| {
            let (size, mode) = (editor.size(), editor.mode());
            let before = editor.versions();
            *editor = Editor::new(pipeline, mode).after(before);
            editor.place_the_placeless();
            editor.handle(Input::Resize(size), &mut ids::new);
        });
    }

    /// For the draft: all steps, so that undo survives a reload.
    pub fn history_json(self) -> String {
        self.editor.with_value(|editor| serde_json::to_string(editor.history())).unwrap_or_default()
    }

    /// Answers whether the kept history belongs to this document; if not, nothing is taken up.
    pub fn restore_history(self, text: &str) -> bool {
        let Ok(history) = serde_json::from_str(text) else { return false };
        self.mutate(|editor| editor.restore_history(history))
    }

    /// What a run says of its tasks; shown in [`Mode::Run`] (and as colours from afar in both).
    pub fn set_statuses(self, statuses: &BTreeMap<TaskId, CardStatus>) {
        self.mutate(|editor| editor.set_statuses(statuses));
    }

    /// The gravest problem of each task that has one: a mark on its card.
    pub fn set_problems(self, problems: &BTreeMap<TaskId, Severity>) {
        self.mutate(|editor| editor.set_problems(problems));
    }

    /// A key that nothing on the page has: the canvas takes it, and the focus with it.
    pub fn take_key(self, event: &web_sys::KeyboardEvent) {
        if let Some(host) = self.canvas_element() {
            let _ = host.focus();
            events::key_down(self, event);
        }
    }

    pub(super) fn handle(self, input: Input) -> bool {
        self.mutate(|editor| editor.handle(input, &mut ids::new))
    }

    pub(super) fn with<R>(self, read: impl FnOnce(&Editor) -> R) -> R {
        self.editor.with_value(read)
    }

    /// The canvas is there and asks to be told when there is something to draw.
    pub(super) fn attach(self, host: web_sys::HtmlElement, painter: Rc<dyn Fn()>) {
        self.host.set_value(Some(host));
        self.painter.set_value(Some(painter));
    }

    pub(super) fn canvas_element(self) -> Option<web_sys::HtmlElement> {
        self.host.with_value(Option::clone)
    }

    /// Every change of the editor passes here, and tells signals what it changed.
    pub(super) fn mutate<R>(self, change: impl FnOnce(&mut Editor) -> R) -> R {
        let mut change = Some(change);
        let (answer, versions, asks) = self
            .editor
            .try_update_value(|editor| {
                let answer = (change.take().expect("called once"))(editor);
                (answer, editor.versions(), editor.take_asks())
            })
            .expect("the page owns the editor and lives longer than its parts");
        self.publish(versions);
        asks.into_iter().for_each(|ask| self.pass_on(ask));
        answer
    }

    fn publish(self, now: Versions) {
        let before = self.seen.get_value();
        self.seen.set_value(now);
        if now.document != before.document {
            self.editor.with_value(|editor| {
                self.undo_name.set(editor.history().undo_name().map(str::to_owned));
                self.redo_name.set(editor.history().redo_name().map(str::to_owned));
            });
            self.revision.set(now.document);
        }
        if now.meaning != before.meaning {
            self.meaning.set(now.meaning);
        }
        if now.selection != before.selection {
            self.selection.set(self.editor.with_value(|editor| editor.selection().clone()));
        }
        if now.scene != before.scene {
            let painter = self.painter.with_value(Option::clone);
            painter.inspect(|painter| painter());
        }
    }

    fn pass_on(self, ask: Ask) {
        match ask {
            Ask::Say { sentence } => self.said.set(sentence),
            other => self.ask.set(Some(other)),
        }
    }
}
