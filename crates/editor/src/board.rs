//! What stands where, ready to be drawn and hit?
//!
//! Dense arrays beside the document, kept true record by record: drawing and hit tests touch no map and no text of the
//! document. A slot's number is stable while its record exists.

mod texts;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use model::{
    Arrow, ArrowId, Gather, GroupId, KindName, Note, NoteId, Pipeline, Place, Severity, Task, TaskId, order,
    run::TaskStatus,
};

use crate::{
    geometry::{Curve, Point, Rect, Size},
    record::RecordId,
    spatial::Grid,
};

/// A task's card.
pub const CARD: Size = Size { width: 220.0, height: 50.0 };
/// A card's height where statuses are shown.
pub const TALL: f64 = 88.0;
/// A note whose place says no size.
pub const NOTE: Size = Size { width: 220.0, height: 120.0 };
/// Between a port and the gate bar behind it.
pub const GATE_GAP: f64 = 8.0;
pub const GATE: Size = Size { width: 6.0, height: 28.0 };
/// Room of a group's frame around its tasks, and for its name above them.
pub const FRAME: f64 = 20.0;
pub const FRAME_NAME: f64 = 24.0;

/// The status that a card shows in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct CardStatus {
    pub status: TaskStatus,
    /// "Done · 4 s", "Waits for Explore".
    pub words: String,
}

#[derive(Clone, Debug)]
pub struct Card {
    pub id: TaskId,
    pub task: Arc<Task>,
    pub kind: KindName,
    pub rect: Rect,
    /// "Job · 3 copies over LR".
    pub subtitle: String,
    /// A stack is drawn for more than one.
    pub copies: usize,
    pub status: Option<CardStatus>,
    /// The gravest thing that validation says of it.
    pub problem: Option<Severity>,
    /// Counts up when a text of the card changed: a drawing surface may keep measured texts until then.
    pub version: u32,
    lines: Vec<u32>,
}

pub fn has_input(kind: KindName) -> bool {
    !matches!(kind, KindName::Volume | KindName::LoadData)
}

pub fn has_output(kind: KindName) -> bool {
    kind != KindName::Viewer
}

impl Card {
    pub fn has_input(&self) -> bool {
        has_input(self.kind)
    }

    pub fn has_output(&self) -> bool {
        has_output(self.kind)
    }

    pub fn has_gate(&self) -> bool {
        self.kind.is_live_step()
    }

    pub fn input(&self) -> Point {
        Point::new(self.rect.x, self.rect.y + self.rect.height / 2.0)
    }

    pub fn output(&self) -> Point {
        Point::new(self.rect.right(), self.rect.y + self.rect.height / 2.0)
    }

    /// The bar behind the output port of a live step.
    pub fn gate(&self) -> Rect {
        let port = self.output();
        Rect::new(port.x + GATE_GAP, port.y - GATE.height / 2.0, GATE.width, GATE.height)
    }
}

#[derive(Clone, Debug)]
pub struct Line {
    pub id: ArrowId,
    pub arrow: Arc<Arrow>,
    pub from: u32,
    pub to: u32,
    pub curve: Curve,
    /// No order comes from it.
    pub dashed: bool,
    /// "/data → /con1/input RO"; empty: order alone.
    pub label: String,
}

#[derive(Clone, Debug)]
pub struct NoteCard {
    pub id: NoteId,
    pub note: Arc<Note>,
    pub rect: Rect,
}

#[derive(Clone, Debug)]
pub struct Frame {
    pub id: GroupId,
    pub name: String,
    pub rect: Rect,
}

impl Frame {
    /// Where it can be grabbed.
    pub fn handle(&self) -> Rect {
        Rect { height: FRAME_NAME, ..self.rect }
    }
}

pub fn card(place: Place) -> Rect {
    Rect::new(place.x, place.y, CARD.width, CARD.height)
}

/// With the place's own size where it has one.
pub fn sized(place: Place, size: Size) -> Rect {
    Rect::new(place.x, place.y, place.width.unwrap_or(size.width), place.height.unwrap_or(size.height))
}

#[derive(Clone, Debug, Default)]
pub struct Board {
    cards: Vec<Option<Card>>,
    lines: Vec<Option<Line>>,
    free_cards: Vec<u32>,
    free_lines: Vec<u32>,
    /// Looked up by key, never walked.
    card_of: HashMap<TaskId, u32>,
    line_of: HashMap<ArrowId, u32>,
    pub(crate) card_grid: Grid,
    pub(crate) line_grid: Grid,
    notes: Vec<NoteCard>,
    frames: Vec<Frame>,
    tall: bool,
    versions: u32,
}

impl Board {
    pub fn card(&self, slot: u32) -> Option<&Card> {
        self.cards.get(slot as usize)?.as_ref()
    }

    pub fn line(&self, slot: u32) -> Option<&Line> {
        self.lines.get(slot as usize)?.as_ref()
    }

    pub fn card_of(&self, task: &TaskId) -> Option<&Card> {
        self.card(self.slot_of(task)?)
    }

    pub fn slot_of(&self, task: &TaskId) -> Option<u32> {
        self.card_of.get(task).copied()
    }

    pub fn line_of(&self, arrow: &ArrowId) -> Option<&Line> {
        self.line(*self.line_of.get(arrow)?)
    }

    pub fn cards(&self) -> impl Iterator<Item = &Card> {
        self.cards.iter().flatten()
    }

    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().flatten()
    }

    pub fn notes(&self) -> &[NoteCard] {
        &self.notes
    }

    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Around everything; `None` when there is nothing.
    pub fn bounds(&self) -> Option<Rect> {
        let cards = self.cards().map(|card| card.rect);
        let notes = self.notes.iter().map(|note| note.rect);
        Rect::around(cards.chain(notes).chain(self.frames.iter().map(|frame| frame.rect)))
    }

    /// Brings everything that these records say up to date.
    pub fn follow(&mut self, pipeline: &Pipeline, dirty: &BTreeSet<RecordId>) {
        // Lines first away and last back: in between their ends may have changed slots.
        let arrows = || dirty.iter().filter_map(|id| if let RecordId::Arrow(id) = id { Some(id) } else { None });
        arrows().for_each(|id| self.drop_line(id));
        for id in dirty {
            match id {
                RecordId::Task(id) | RecordId::TaskPlace(id) => self.follow_task(pipeline, id),
                RecordId::Settings
                | RecordId::Unknown
                | RecordId::Arrow(_)
                | RecordId::Note(_)
                | RecordId::NotePlace(_)
                | RecordId::Group(_) => {}
            }
        }
        arrows().filter_map(|id| pipeline.arrows.get(id)).for_each(|arrow| self.put_line(arrow));
        if dirty.iter().any(|id| matches!(id, RecordId::Note(_) | RecordId::NotePlace(_))) {
            self.notes = notes(pipeline);
        }
        let moves_frames =
            |id: &RecordId| matches!(id, RecordId::Group(_) | RecordId::Task(_) | RecordId::TaskPlace(_));
        if (!pipeline.groups.is_empty() || !self.frames.is_empty()) && dirty.iter().any(moves_frames) {
            self.frames = self.frames_of(pipeline);
        }
    }

    fn follow_task(&mut self, pipeline: &Pipeline, id: &TaskId) {
        match pipeline.tasks.get(id) {
            Some(task) => self.put_card(task, pipeline.task_places.get(id).copied().unwrap_or_default()),
            None => self.drop_card(id),
        }
    }

    fn put_card(&mut self, task: &Arc<Task>, place: Place) {
        let slot = self.slot_of(&task.id).unwrap_or_else(|| self.new_card_slot());
        let rect = Rect { height: self.height(), ..card(place) };
        self.versions += 1;
        let entry = &mut self.cards[slot as usize];
        match entry {
            Some(card) if Arc::ptr_eq(&card.task, task) => card.rect = rect,
            Some(card) => {
                let (lines, status, problem) = (std::mem::take(&mut card.lines), card.status.take(), card.problem);
                *card = Card { lines, status, problem, ..new_card(task, rect, self.versions) };
            }
            None => {
                *entry = Some(new_card(task, rect, self.versions));
                self.card_of.insert(task.id.clone(), slot);
            }
        }
        self.card_grid.put(slot, rect);
        self.bend_lines(slot);
    }

    fn new_card_slot(&mut self) -> u32 {
        self.free_cards.pop().unwrap_or_else(|| {
            self.cards.push(None);
            self.cards.len() as u32 - 1
        })
    }

    fn drop_card(&mut self, id: &TaskId) {
        if let Some(slot) = self.card_of.remove(id) {
            self.cards[slot as usize] = None;
            self.card_grid.remove(slot);
            self.free_cards.push(slot);
        }
    }

    fn put_line(&mut self, arrow: &Arc<Arrow>) {
        // An arrow that came dangling from a file has no line; validation says so.
        let (Some(from), Some(to)) = (self.slot_of(&arrow.from_task), self.slot_of(&arrow.to_task)) else { return };
        let (Some(first), Some(last)) = (self.card(from), self.card(to)) else { return };
        let line = Line {
            id: arrow.id.clone(),
            arrow: arrow.clone(),
            from,
            to,
            curve: curve(first, last),
            dashed: !order::orders(first.kind, last.kind),
            label: texts::arrow(arrow),
        };
        let slot = self.free_lines.pop().unwrap_or_else(|| {
            self.lines.push(None);
            self.lines.len() as u32 - 1
        });
        self.line_grid.put(slot, line.curve.bounds());
        self.line_of.insert(line.id.clone(), slot);
        self.lines[slot as usize] = Some(line);
        for end in [from, to] {
            if let Some(card) = &mut self.cards[end as usize] {
                card.lines.push(slot);
            }
        }
    }

    fn drop_line(&mut self, id: &ArrowId) {
        let Some(slot) = self.line_of.remove(id) else { return };
        let Some(line) = self.lines[slot as usize].take() else { return };
        self.line_grid.remove(slot);
        self.free_lines.push(slot);
        for end in [line.from, line.to] {
            if let Some(card) = &mut self.cards[end as usize] {
                card.lines.retain(|other| *other != slot);
            }
        }
    }

    /// Curves follow their cards, and dashes the kinds of both ends: an import may bring another kind under the same id.
    fn bend_lines(&mut self, slot: u32) {
        let lines = self.cards[slot as usize].as_mut().map(|card| std::mem::take(&mut card.lines)).unwrap_or_default();
        for at in &lines {
            let Some(line) = &mut self.lines[*at as usize] else { continue };
            if let (Some(from), Some(to)) = (&self.cards[line.from as usize], &self.cards[line.to as usize]) {
                line.curve = curve(from, to);
                line.dashed = !order::orders(from.kind, to.kind);
                self.line_grid.put(*at, line.curve.bounds());
            }
        }
        if let Some(card) = &mut self.cards[slot as usize] {
            card.lines = lines;
        }
    }

    fn frames_of(&self, pipeline: &Pipeline) -> Vec<Frame> {
        let frame = |group: &Arc<model::Group>| {
            let rects = group.tasks.iter().filter_map(|task| self.card_of(task)).map(|card| card.rect);
            let inner = Rect::around(rects)?.grown(FRAME);
            let rect = Rect { y: inner.y - FRAME_NAME, height: inner.height + FRAME_NAME, ..inner };
            Some(Frame { id: group.id.clone(), name: group.name.clone(), rect })
        };
        pipeline.groups.values().filter_map(frame).collect()
    }

    fn height(&self) -> f64 {
        if self.tall { TALL } else { CARD.height }
    }

    /// Cards with a status line, for a run.
    pub fn set_tall(&mut self, tall: bool, pipeline: &Pipeline) {
        if self.tall != tall {
            self.tall = tall;
            let all = pipeline.tasks.keys().cloned().map(RecordId::TaskPlace).gather();
            self.follow(pipeline, &all);
        }
    }

    /// What a run says of each task; a task that is not named shows none. Answers whether anything differs.
    pub fn set_statuses(&mut self, statuses: &BTreeMap<TaskId, CardStatus>) -> bool {
        let mut differs = false;
        for card in self.cards.iter_mut().flatten() {
            let status = statuses.get(&card.id);
            if card.status.as_ref() != status {
                card.status = status.cloned();
                self.versions += 1;
                card.version = self.versions;
                differs = true;
            }
        }
        differs
    }

    /// What validation says of each task. Answers whether anything differs.
    pub fn set_problems(&mut self, problems: &BTreeMap<TaskId, Severity>) -> bool {
        let mut differs = false;
        for card in self.cards.iter_mut().flatten() {
            let problem = problems.get(&card.id).copied();
            differs |= card.problem != problem;
            card.problem = problem;
        }
        differs
    }
}

fn new_card(task: &Arc<Task>, rect: Rect, version: u32) -> Card {
    Card {
        id: task.id.clone(),
        kind: task.kind.name(),
        rect,
        subtitle: texts::subtitle(&task.kind),
        copies: texts::copies(&task.kind),
        status: None,
        problem: None,
        version,
        lines: Vec::new(),
        task: task.clone(),
    }
}

/// An arrow begins behind the gate of a live step: it is what the gate holds up.
fn curve(from: &Card, to: &Card) -> Curve {
    let start = if from.has_gate() { from.output().plus(GATE_GAP + GATE.width + 2.0, 0.0) } else { from.output() };
    Curve::new(start, to.input().plus(-5.0, 0.0))
}

fn notes(pipeline: &Pipeline) -> Vec<NoteCard> {
    let place = |id: &NoteId| pipeline.note_places.get(id).copied().unwrap_or_default();
    let note =
        |note: &Arc<Note>| NoteCard { id: note.id.clone(), note: note.clone(), rect: sized(place(&note.id), NOTE) };
    pipeline.notes.values().map(note).collect()
}
