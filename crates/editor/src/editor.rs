//! How do document, history, selection, camera and gesture work together?

use std::collections::BTreeMap;

use model::{GroupId, KindName, NoteId, Pipeline, Severity, TaskId};

use crate::{
    board::{Board, CARD, Card, CardStatus},
    camera::Camera,
    command::{Command, Ids, Refusal},
    document::{Document, Edits},
    geometry::{Point, Rect, Size, as_one_reads, snap},
    gesture::{self, GRID, Gesture},
    history::{History, Step},
    hit::{Hit, HitTest},
    input::Input,
    keys,
    record::RecordId,
    selection::Selection,
};

/// What the editor wants of the page around it.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// An arrow was drawn: ask for its paths near `at` (CSS pixels of the canvas), then dispatch
    /// [`Command::Connect`]. Until then nothing was changed.
    Connect {
        from: TaskId,
        to: TaskId,
        at: Point,
    },
    /// Enter or a double click: go to the task's settings.
    Open {
        task: TaskId,
    },
    Rename {
        task: TaskId,
    },
    RenameGroup {
        group: GroupId,
    },
    EditNote {
        note: NoteId,
    },
    Menu {
        at: Point,
        on: Hit,
    },
    /// A sentence to show and to read out: a refusal, or what the keyboard does.
    Say {
        sentence: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Edit,
    /// A run's snapshot: selected and looked at, never changed.
    Run,
}

/// Counters that tell what changed since somebody last looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Committed changes: what is saved and listed. Does not count while a gesture goes on.
    pub document: u64,
    /// Of these, the ones that did more than move something: what is validated.
    pub meaning: u64,
    pub selection: u64,
    /// What a small picture of the whole shows: committed changes, statuses and problems.
    pub board: u64,
    /// Anything that is drawn, all of the above included.
    pub scene: u64,
}

/// One line of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryLine {
    pub name: String,
    /// False: undone, can be redone.
    pub done: bool,
}

pub struct Editor {
    document: Document,
    history: History,
    selection: Selection,
    camera: Camera,
    /// The camera that the last fit made; `None` before the first.
    fitted: Option<Camera>,
    size: Size,
    board: Board,
    hits: HitTest,
    hover: Hit,
    mode: Mode,
    versions: Versions,
    /// Something else than places was touched since a change was last counted.
    has_meaning: bool,
    asks: Vec<Ask>,
    focuses: u64,
    pub(crate) gesture: Gesture,
    pub(crate) space_held: bool,
    /// Arrow keys held or pressed in a row are one step.
    pub(crate) nudging: Option<u64>,
}

impl Editor {
    pub fn new(pipeline: Pipeline, mode: Mode) -> Self {
        let mut editor = Editor {
            document: Document::new(pipeline),
            history: History::default(),
            selection: Selection::default(),
            camera: Camera::default(),
            fitted: None,
            size: Size::default(),
            board: Board::default(),
            hits: HitTest::default(),
            hover: Hit::Nothing,
            mode,
            versions: Versions::default(),
            has_meaning: false,
            asks: Vec::new(),
            focuses: 0,
            gesture: Gesture::Idle,
            space_held: false,
            nudging: None,
        };
        editor.follow();
        editor.board.set_tall(mode == Mode::Run, editor.document.pipeline());
        editor
    }

    /// Breaks the doorway on purpose.
    #[cfg(test)]
    pub(crate) fn forget(&mut self, forgets: fn(&crate::record::RecordId) -> bool) {
        self.document.forgets = Some(forgets);
    }

    /// Counts on from another editor's versions, whose place this one takes: every follower sees a change.
    #[must_use]
    pub fn after(mut self, before: Versions) -> Self {
        let Versions { document, meaning, selection, board, scene } = before;
        let (document, meaning, selection) = (document + 1, meaning + 1, selection + 1);
        self.versions = Versions { document, meaning, selection, board: board + 1, scene: scene + 1 };
        self
    }

    /// Lays out what was opened when a task of it has no place.
    pub fn place_the_placeless(&mut self) {
        let pipeline = self.document.pipeline();
        if pipeline.tasks.keys().all(|task| pipeline.task_places.contains_key(task)) {
            return;
        }
        let nothing = Selection::default();
        // Layout makes no ids, and is no step when only looking at a run.
        if Command::Layout.run(&mut self.document.begin(), &nothing, &mut String::new).is_err() {
            return self.roll_back();
        }
        self.commit("Lay out".into(), nothing, None);
        if self.mode == Mode::Run {
            self.history = History::default();
        }
    }

    /// As it is now, with what a gesture did so far.
    pub fn pipeline(&self) -> &Pipeline {
        self.document.pipeline()
    }

    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    pub fn camera(&self) -> Camera {
        self.camera
    }

    pub fn size(&self) -> Size {
        self.size
    }

    pub fn board(&self) -> &Board {
        &self.board
    }

    pub fn hover(&self) -> &Hit {
        &self.hover
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    pub fn gesture(&self) -> &Gesture {
        &self.gesture
    }

    pub fn history(&self) -> &History {
        &self.history
    }

    pub fn versions(&self) -> Versions {
        self.versions
    }

    /// What the page should do; each is told once.
    pub fn take_asks(&mut self) -> Vec<Ask> {
        std::mem::take(&mut self.asks)
    }

    /// Takes one event. Answers whether it was of use, so that the page lets everything else go its own way.
    pub fn handle(&mut self, input: Input, ids: Ids<'_>) -> bool {
        if !matches!(input, Input::Key { .. } | Input::KeyUp { .. } | Input::Move { .. }) {
            self.nudging = None;
        }
        match input {
            Input::Key { key, modifiers } => keys::down(self, key, modifiers, ids),
            Input::KeyUp { key } => keys::up(self, key),
            Input::Paste { text } => self.try_dispatch(Command::Paste { text, at: None }, ids),
            Input::Resize(size) => {
                self.resize(size);
                true
            }
            pointer => gesture::pointer(self, pointer, ids),
        }
    }

    /// Carries a command out as one step. A gesture that is under way ends first, as if Escape were pressed.
    ///
    /// # Errors
    /// [`Refusal`]: a sentence; nothing was changed.
    pub fn dispatch(&mut self, command: Command, ids: Ids<'_>) -> Result<(), Refusal> {
        if self.mode == Mode::Run {
            return Err(Refusal::ReadOnly);
        }
        gesture::cancel(self);
        let (before, typing) = (self.selection.clone(), command.typing());
        let name = command.name(self.pipeline(), &before);
        self.step(name, typing, command, before, ids)
    }

    pub(crate) fn step(
        &mut self,
        name: String,
        typing: Option<u64>,
        command: Command,
        before: Selection,
        ids: Ids<'_>,
    ) -> Result<(), Refusal> {
        match command.run(&mut self.document.begin(), &before, ids) {
            Ok(selection) => self.finish(name, before, selection, typing),
            Err(refusal) => {
                self.roll_back();
                Err(refusal)
            }
        }
    }

    /// Like [`Editor::dispatch`]; a refusal is said to the person.
    pub(crate) fn try_dispatch(&mut self, command: Command, ids: Ids<'_>) -> bool {
        if let Err(refusal) = self.dispatch(command, ids) {
            self.ask(Ask::Say { sentence: refusal.to_string() });
        }
        true
    }

    fn finish(
        &mut self,
        name: String,
        before: Selection,
        after: Selection,
        typing: Option<u64>,
    ) -> Result<(), Refusal> {
        let committed = self.document.commit();
        self.follow();
        let change = committed?;
        let changed = !change.is_empty();
        let after = after.kept_to(self.document.pipeline());
        self.history.push(Step { name, change, before, after: after.clone(), typing });
        if changed {
            self.count_change();
        }
        self.set_selection(after);
        self.redraw();
        Ok(())
    }

    /// Edits within a gesture: the transaction stays open.
    pub(crate) fn edit(&mut self, edits: impl FnOnce(&mut Edits<'_>)) {
        edits(&mut self.document.begin());
        self.follow();
        self.redraw();
    }

    /// Ends a gesture's transaction as one step.
    pub(crate) fn commit(&mut self, name: String, before: Selection, typing: Option<u64>) {
        if let Err(refusal) = self.finish(name, before, self.selection.clone(), typing) {
            self.ask(Ask::Say { sentence: refusal.to_string() });
        }
    }

    pub(crate) fn roll_back(&mut self) {
        self.document.cancel();
        self.follow();
        self.redraw();
    }

    /// Answers whether there was a step to undo.
    pub fn undo(&mut self) -> bool {
        self.travel(|history, document| history.undo(document))
    }

    pub fn redo(&mut self) -> bool {
        self.travel(|history, document| history.redo(document))
    }

    /// To where `done` steps of [`Editor::history_lines`] are done.
    pub fn jump(&mut self, done: usize) -> bool {
        self.travel(|history, document| history.jump(document, done))
    }

    fn travel(&mut self, go: impl FnOnce(&mut History, &mut Document) -> Option<Selection>) -> bool {
        if gesture::cancel(self) || self.mode == Mode::Run {
            return self.mode == Mode::Edit;
        }
        let Some(selection) = go(&mut self.history, &mut self.document) else { return false };
        self.follow();
        self.count_change();
        self.set_selection(selection.kept_to(self.document.pipeline()));
        self.redraw();
        true
    }

    pub fn history_lines(&self) -> Vec<HistoryLine> {
        let done = self.history.done();
        let line = |(at, step): (usize, &Step)| HistoryLine { name: step.name.clone(), done: at < done };
        self.history.steps().iter().enumerate().map(line).collect()
    }

    /// Takes up a history that was kept beside a draft. Answers whether it fits this document.
    pub fn restore_history(&mut self, history: History) -> bool {
        let fits = history.fits(self.pipeline());
        if fits {
            self.history = history;
            self.versions.document += 1;
        }
        fits
    }

    /// A new stay in a field, for the `typing` of commands.
    pub fn new_focus(&mut self) -> u64 {
        self.focuses += 1;
        self.focuses
    }

    /// What a run says of its tasks.
    pub fn set_statuses(&mut self, statuses: &BTreeMap<TaskId, CardStatus>) {
        if self.board.set_statuses(statuses) {
            self.versions.board += 1;
            self.redraw();
        }
    }

    /// What validation says of the tasks.
    pub fn set_problems(&mut self, problems: &BTreeMap<TaskId, Severity>) {
        if self.board.set_problems(problems) {
            self.versions.board += 1;
            self.redraw();
        }
    }

    fn follow(&mut self) {
        let dirty = self.document.take_dirty();
        self.has_meaning |= !dirty.iter().all(RecordId::is_place);
        self.board.follow(self.document.pipeline(), &dirty);
    }

    fn count_change(&mut self) {
        self.versions.document += 1;
        self.versions.board += 1;
        self.versions.meaning += u64::from(std::mem::take(&mut self.has_meaning));
    }

    pub(crate) fn redraw(&mut self) {
        self.versions.scene += 1;
    }

    pub(crate) fn ask(&mut self, ask: Ask) {
        self.asks.push(ask);
    }

    /// Selects; never a step, clears nothing.
    pub fn set_selection(&mut self, selection: Selection) {
        if self.selection != selection {
            self.selection = selection;
            self.versions.selection += 1;
            self.redraw();
        }
    }

    pub(crate) fn set_hover(&mut self, hover: Hit) {
        if self.hover != hover {
            self.hover = hover;
            self.redraw();
        }
    }

    pub(crate) fn hover_at(&mut self, at: Point) {
        let hit = self.hit(at);
        self.set_hover(hit);
    }

    pub fn hit(&mut self, at: Point) -> Hit {
        self.hits.at(&self.board, &self.camera, at)
    }

    pub(crate) fn framed(&mut self, area: &Rect) -> Selection {
        self.hits.framed(&self.board, area)
    }
}

/// The camera.
impl Editor {
    pub fn set_camera(&mut self, camera: Camera) {
        if self.camera != camera {
            self.camera = camera;
            self.redraw();
        }
    }

    fn resize(&mut self, size: Size) {
        self.size = size;
        self.redraw();
        // A view that shows everything goes on showing everything; any other stays where the person put it.
        if self.fitted.is_none_or(|fitted| fitted == self.camera) {
            self.fit();
        }
    }

    /// Everything in view, never magnified.
    pub fn fit(&mut self) {
        let bounds = self.board.bounds().unwrap_or_default();
        self.set_camera(Camera::fitting(bounds, self.size, 1.0));
        self.fitted = Some(self.camera);
    }

    /// What is selected in view; everything when nothing is.
    pub fn zoom_to_selection(&mut self) {
        let tasks = self.selection.tasks.iter().filter_map(|id| self.board.card_of(id)).map(|card| card.rect);
        let notes = self.board.notes().iter().filter(|note| self.selection.notes.contains(&note.id));
        let arrows = self.selection.arrows.iter().filter_map(|id| self.board.line_of(id)).map(|l| l.curve.bounds());
        match Rect::around(tasks.chain(notes.map(|note| note.rect)).chain(arrows)) {
            Some(area) => self.set_camera(Camera::fitting(area, self.size, 1.5)),
            None => self.fit(),
        }
    }

    pub fn zoom_by(&mut self, factor: f64) {
        self.set_camera(self.camera.zoomed(self.middle(), factor));
    }

    pub fn zoom_to(&mut self, zoom: f64) {
        self.set_camera(self.camera.zoomed_to(self.middle(), zoom));
    }

    pub fn centre_on(&mut self, world: Point) {
        self.set_camera(Camera::centred(world, self.size, self.camera.zoom));
    }

    /// Moves the camera only as far as the task is out of view.
    pub fn reveal(&mut self, task: &TaskId) {
        let Some(rect) = self.board.card_of(task).map(|card| self.camera.rect_to_screen(card.rect)) else { return };
        let way = |low: f64, high: f64, length: f64| match (low < 20.0, high > length - 20.0) {
            (true, _) => 20.0 - low,
            (false, true) => length - 20.0 - high,
            (false, false) => 0.0,
        };
        let dx = way(rect.x, rect.right(), self.size.width);
        let dy = way(rect.y, rect.bottom(), self.size.height);
        self.set_camera(self.camera.panned(dx, dy));
    }

    fn middle(&self) -> Point {
        Point::new(self.size.width / 2.0, self.size.height / 2.0)
    }

    /// Adds a task in the middle of the view, beside what stands there.
    ///
    /// # Errors
    /// As [`Editor::dispatch`].
    pub fn add_in_view(&mut self, kind: KindName, ids: Ids<'_>) -> Result<(), Refusal> {
        let middle = self.camera.to_world(self.middle());
        let mut at = Point::new(snap(middle.x - CARD.width / 2.0, GRID), snap(middle.y - CARD.height / 2.0, GRID));
        let mut found = Vec::new();
        let mut taken = |at: Point| {
            self.board.card_grid.query(&Rect::new(at.x, at.y, CARD.width, CARD.height).grown(10.0), &mut found);
            !found.is_empty()
        };
        while taken(at) {
            at = at.plus(0.0, CARD.height + 2.0 * GRID + 10.0);
        }
        self.dispatch(Command::AddTask { kind, at }, ids)
    }

    /// Tasks as one reads: from left to right, then from top to bottom.
    pub fn reading_order(&self) -> Vec<TaskId> {
        let cards: Vec<&Card> = self.board.cards().collect();
        let corners: Vec<Point> = cards.iter().map(|card| card.rect.corner()).collect();
        as_one_reads(&corners).into_iter().map(|at| cards[at].id.clone()).collect()
    }
}
