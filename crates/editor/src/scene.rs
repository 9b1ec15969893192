//! What is there to draw?
//!
//! Data, in the order of drawing: frames, arrows by style, cards (far away: rectangles by colour), labels, notes, and
//! what a gesture shows. Only what is in view; less detail the smaller it is. Filled again for each picture without
//! giving its memory back. What stays where it is lies apart from what follows the pointer: a picture of it lasts for a
//! whole drag, and far away, where thousands of things are in view, it is of a wider view and lasts while one pans, too.

use model::{KindName, run::TaskStatus};

use crate::{
    board::{Board, CARD, Card, Frame, Line},
    camera::Camera,
    editor::{Editor, Mode},
    geometry::{Curve, Point, Rect, Size},
    gesture::Gesture,
    hit::Hit,
    selection::Selection,
};

/// Below this zoom, where a name has letters of less than five pixels, a card is one rectangle of its colour, and an arrow a
/// straight line.
pub const MIDDLE_FROM: f64 = 0.4;
/// From this zoom on everything is drawn.
pub const NEAR_FROM: f64 = 0.7;
/// Advance of a letter of a label and its padding, in world units: the font has one width.
const LABEL_LETTER: f64 = 5.7;
const LABEL_PADDING: f64 = 5.0;
const LABEL_HEIGHT: f64 = 17.0;
/// How much wider than what is seen a view that is kept far away is on each side, in CSS pixels; whole ones.
const WIDER: f64 = 128.0;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    #[default]
    Far,
    Middle,
    Near,
}

impl Detail {
    pub fn at(zoom: f64) -> Self {
        match zoom {
            zoom if zoom < MIDDLE_FROM => Detail::Far,
            zoom if zoom < NEAR_FROM => Detail::Middle,
            _ => Detail::Near,
        }
    }
}

/// A colour of the palette, by meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hue {
    Kind(KindName),
    Running,
    Done,
    Failed,
    Waits,
    Idle,
}

impl Hue {
    pub const ALL: [Hue; 12] = [
        Hue::Kind(KindName::LoadData),
        Hue::Kind(KindName::Container),
        Hue::Kind(KindName::Notebook),
        Hue::Kind(KindName::Job),
        Hue::Kind(KindName::Viewer),
        Hue::Kind(KindName::Serving),
        Hue::Kind(KindName::Volume),
        Hue::Running,
        Hue::Done,
        Hue::Failed,
        Hue::Waits,
        Hue::Idle,
    ];

    /// Its place in [`Hue::ALL`].
    pub fn index(self) -> usize {
        match self {
            Hue::Kind(KindName::LoadData) => 0,
            Hue::Kind(KindName::Container) => 1,
            Hue::Kind(KindName::Notebook) => 2,
            Hue::Kind(KindName::Job) => 3,
            Hue::Kind(KindName::Viewer) => 4,
            Hue::Kind(KindName::Serving) => 5,
            Hue::Kind(KindName::Volume) => 6,
            Hue::Running => 7,
            Hue::Done => 8,
            Hue::Failed => 9,
            Hue::Waits => 10,
            Hue::Idle => 11,
        }
    }

    pub fn of_status(status: TaskStatus) -> Hue {
        match status {
            TaskStatus::Starting | TaskStatus::Running | TaskStatus::Ending | TaskStatus::Serving => Hue::Running,
            TaskStatus::Done => Hue::Done,
            TaskStatus::Failed => Hue::Failed,
            TaskStatus::WaitingForYou => Hue::Waits,
            TaskStatus::Waiting
            | TaskStatus::Paused
            | TaskStatus::Skipped
            | TaskStatus::Cancelled
            | TaskStatus::NotInRun => Hue::Idle,
        }
    }
}

/// How an arrow is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    /// What it carries is there.
    Done,
    Hovered,
    Selected,
}

impl Tone {
    pub const ALL: [Tone; 4] = [Tone::Plain, Tone::Done, Tone::Hovered, Tone::Selected];
}

/// The bar behind the output port of a live step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Waits for a person: a solid amber bar.
    Closed,
    /// Went on: a green outline.
    Open,
    NotReached,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CardItem {
    pub slot: u32,
    pub selected: bool,
    pub hovered: bool,
    pub gate: Option<Gate>,
    /// An arrow hangs over it: whether it may end here.
    pub target: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label {
    pub line: u32,
    pub rect: Rect,
    pub tone: Tone,
}

/// The arrow under the pointer while it is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wire {
    pub curve: Curve,
    pub refused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ghost {
    pub kind: KindName,
    pub rect: Rect,
}

/// A group's frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameItem {
    /// Index into [`Board::frames`].
    pub at: usize,
    pub rect: Rect,
    pub selected: bool,
}

/// Things that are drawn one upon the other, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    pub frames: Vec<FrameItem>,
    /// By [`Tone`], each plain and dashed: `lines[tone][dashed]`.
    pub lines: [[Vec<Curve>; 2]; 4],
    /// Far away: the cards by [`Hue::index`].
    pub far: [Vec<Rect>; 12],
    /// Selected cards far away.
    pub far_selected: Vec<Rect>,
    /// Nearer: each card.
    pub cards: Vec<CardItem>,
    pub labels: Vec<Label>,
}

impl Layer {
    fn clear(&mut self) {
        self.frames.clear();
        self.lines.iter_mut().flatten().for_each(Vec::clear);
        self.far.iter_mut().for_each(Vec::clear);
        self.far_selected.clear();
        self.cards.clear();
        self.labels.clear();
    }
}

/// A canvas of this size under this camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct View {
    pub camera: Camera,
    pub size: Size,
}

impl View {
    fn wider(&self) -> View {
        let size = Size { width: self.size.width + 2.0 * WIDER, height: self.size.height + 2.0 * WIDER };
        View { camera: self.camera.panned(WIDER, WIDER), size }
    }

    /// Whether it is as wide as that of `other` would be, and shows all that `other` shows, as large.
    fn covers(&self, other: &View) -> bool {
        let way = |wide: f64, seen: f64| (0.0..=2.0 * WIDER).contains(&(wide - seen));
        let at = way(self.camera.x, other.camera.x) && way(self.camera.y, other.camera.y);
        at && self.camera.zoom == other.camera.zoom && self.size == other.wider().size
    }
}

#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub view: View,
    /// Where a picture of [`Scene::still`] lasts: the view that it is filled for.
    pub kept: Option<View>,
    pub detail: Detail,
    pub still: Layer,
    /// What follows the pointer, above the rest.
    pub moving: Layer,
    /// Indices into [`Board::notes`] and whether each is selected.
    pub notes: Vec<(usize, bool)>,
    pub wire: Option<Wire>,
    pub ghost: Option<Ghost>,
    pub marquee: Option<Rect>,
    /// A running task is in view: its icon turns, so there will be a next picture.
    pub turns: bool,
    found: Vec<u32>,
    near: Vec<u32>,
    /// Cards that follow the pointer, by slot.
    moved: Vec<u32>,
}

impl Scene {
    /// Fills it with what the editor shows now.
    pub fn fill(&mut self, editor: &Editor) {
        let view = View { camera: editor.camera(), size: editor.size() };
        self.detail = Detail::at(view.camera.zoom);
        self.kept = self.kept_for(&view, editor.gesture());
        self.view = view;
        let View { camera, size } = self.kept.unwrap_or(view);
        let area = camera.seen(size).grown(16.0 / camera.zoom.max(0.1));
        self.clear();
        self.fill_moved(editor);
        self.fill_lines(editor, &area);
        self.fill_cards(editor, &area);
        let (board, selection) = (editor.board(), editor.selection());
        let notes = board.notes().iter().enumerate().filter(|(_, note)| note.rect.touches(&area));
        self.notes.extend(notes.map(|(at, note)| (at, selection.notes.contains(&note.id))));
        let frames = board.frames().iter().enumerate().filter(|(_, frame)| frame.rect.touches(&area));
        let item =
            |at, frame: &Frame| FrameItem { at, rect: frame.rect, selected: selection.groups.contains(&frame.id) };
        self.still.frames.extend(frames.map(|(at, frame)| item(at, frame)));
        self.fill_gesture(editor);
    }

    /// While the zoom changes or an icon turns, a picture of what is still would be good for one picture alone.
    fn kept_for(&self, view: &View, gesture: &Gesture) -> Option<View> {
        if self.turns || self.view.camera.zoom != view.camera.zoom {
            return None;
        }
        match self.detail {
            Detail::Far => Some(self.kept.filter(|wide| wide.covers(view)).unwrap_or_else(|| view.wider())),
            Detail::Middle | Detail::Near => matches!(gesture, Gesture::Move { .. }).then_some(*view),
        }
    }

    fn clear(&mut self) {
        self.still.clear();
        self.moving.clear();
        self.notes.clear();
        self.moved.clear();
        (self.wire, self.ghost, self.marquee, self.turns) = (None, None, None, false);
    }

    fn fill_moved(&mut self, editor: &Editor) {
        self.moved.extend(editor.gesture().moved().filter_map(|task| editor.board().slot_of(task)));
        self.moved.sort_unstable();
    }

    fn layer_of(&mut self, cards: &[u32]) -> &mut Layer {
        let moves = cards.iter().any(|card| self.moved.binary_search(card).is_ok());
        if moves { &mut self.moving } else { &mut self.still }
    }

    fn fill_lines(&mut self, editor: &Editor, area: &Rect) {
        let board = editor.board();
        let mut found = std::mem::take(&mut self.found);
        board.line_grid.query(area, &mut found);
        for slot in &found {
            let Some(line) = board.line(*slot) else { continue };
            let tone = tone(editor, line);
            self.layer_of(&[line.from, line.to]).lines[tone as usize][usize::from(line.dashed)].push(line.curve);
            if self.detail == Detail::Near && !line.label.is_empty() {
                self.fill_label(board, *slot, line, tone);
            }
        }
        self.found = found;
    }

    /// A label stands where the gap is wide enough and nothing is under it; on hover and selection always.
    fn fill_label(&mut self, board: &Board, slot: u32, line: &Line, tone: Tone) {
        let width = line.label.chars().count() as f64 * LABEL_LETTER + 2.0 * LABEL_PADDING;
        let middle = line.curve.at(0.5);
        let rect = Rect::new(middle.x - width / 2.0, middle.y - LABEL_HEIGHT / 2.0, width, LABEL_HEIGHT);
        let asked = matches!(tone, Tone::Hovered | Tone::Selected);
        if asked || (line.curve.to.x - line.curve.from.x > width + 12.0 && self.is_free(board, &rect)) {
            self.layer_of(&[line.from, line.to]).labels.push(Label { line: slot, rect, tone });
        }
    }

    fn is_free(&mut self, board: &Board, rect: &Rect) -> bool {
        board.card_grid.query(&rect.grown(8.0), &mut self.near);
        let mut labels = self.still.labels.iter().chain(&self.moving.labels);
        self.near.is_empty() && labels.all(|label| !label.rect.touches(rect))
    }

    fn fill_cards(&mut self, editor: &Editor, area: &Rect) {
        let board = editor.board();
        let mut found = std::mem::take(&mut self.found);
        board.card_grid.query(area, &mut found);
        let target = target(editor.gesture());
        for slot in &found {
            let Some(card) = board.card(*slot) else { continue };
            let selected = is_selected(editor.selection(), card);
            if self.detail == Detail::Far {
                self.fill_far(*slot, card, selected || target.is_some_and(|(task, _)| *task == card.id));
                continue;
            }
            self.turns |= card.status.as_ref().is_some_and(|status| turns(status.status));
            let target = target.filter(|(task, _)| **task == card.id).map(|(_, may)| may);
            let hovered = editor.hover().task() == Some(&card.id);
            let item = CardItem { slot: *slot, selected, hovered, gate: gate(card, editor.mode()), target };
            self.layer_of(&[*slot]).cards.push(item);
        }
        self.found = found;
    }

    fn fill_far(&mut self, slot: u32, card: &Card, selected: bool) {
        let hue = card.status.as_ref().map_or(Hue::Kind(card.kind), |status| Hue::of_status(status.status));
        let layer = self.layer_of(&[slot]);
        layer.far[hue.index()].push(card.rect);
        if selected {
            layer.far_selected.push(card.rect);
        }
    }

    fn fill_gesture(&mut self, editor: &Editor) {
        match editor.gesture() {
            Gesture::Marquee { from, to, .. } => self.marquee = Some(Rect::between(*from, *to)),
            Gesture::Connect { from, backwards, to, over, obstacle } => {
                self.wire = wire(editor.board(), from, *backwards, *to, over.as_ref())
                    .map(|curve| Wire { curve, refused: obstacle.is_some() });
            }
            Gesture::Choose { from, over: Some(over) } => {
                let curve = wire(editor.board(), from, false, Point::default(), Some(over));
                self.wire = curve.map(|curve| Wire { curve, refused: false });
            }
            Gesture::Palette { kind, at: Some(at) } => {
                self.ghost = Some(Ghost { kind: *kind, rect: Rect::new(at.x, at.y, CARD.width, CARD.height) });
            }
            Gesture::Idle
            | Gesture::Pressed { .. }
            | Gesture::Pan { .. }
            | Gesture::Move { .. }
            | Gesture::Resize { .. }
            | Gesture::Palette { at: None, .. }
            | Gesture::File { .. }
            | Gesture::Choose { over: None, .. } => {}
        }
    }
}

fn is_selected(selection: &Selection, card: &Card) -> bool {
    !selection.tasks.is_empty() && selection.tasks.contains(&card.id)
}

fn tone(editor: &Editor, line: &Line) -> Tone {
    let selection = editor.selection();
    if !selection.arrows.is_empty() && selection.arrows.contains(&line.id) {
        return Tone::Selected;
    }
    if matches!(editor.hover(), Hit::Arrow(id) if *id == line.id) {
        return Tone::Hovered;
    }
    let status = editor.board().card(line.from).and_then(|card| card.status.as_ref());
    match status.map(|status| status.status) {
        Some(TaskStatus::Done | TaskStatus::Serving) => Tone::Done,
        Some(_) | None => Tone::Plain,
    }
}

fn turns(status: TaskStatus) -> bool {
    matches!(status, TaskStatus::Starting | TaskStatus::Running | TaskStatus::Ending)
}

fn gate(card: &Card, mode: Mode) -> Option<Gate> {
    let status = card.status.as_ref().map(|status| status.status);
    card.has_gate().then_some(match (mode, status) {
        (Mode::Run, Some(TaskStatus::WaitingForYou)) => Gate::Closed,
        (Mode::Run, Some(TaskStatus::Done | TaskStatus::Serving)) => Gate::Open,
        (Mode::Run, Some(_) | None) | (Mode::Edit, _) => Gate::NotReached,
    })
}

fn target(gesture: &Gesture) -> Option<(&model::TaskId, bool)> {
    match gesture {
        Gesture::Connect { over: Some(task), obstacle, .. } => Some((task, obstacle.is_none())),
        Gesture::Choose { over: Some(task), .. } => Some((task, true)),
        Gesture::File { over: Some(task), taken } => Some((task, *taken)),
        Gesture::Connect { over: None, .. }
        | Gesture::Choose { over: None, .. }
        | Gesture::File { over: None, .. }
        | Gesture::Idle
        | Gesture::Pressed { .. }
        | Gesture::Pan { .. }
        | Gesture::Move { .. }
        | Gesture::Marquee { .. }
        | Gesture::Resize { .. }
        | Gesture::Palette { .. } => None,
    }
}

/// From the port to the pointer, or to the port of what lies under it.
fn wire(
    board: &Board,
    from: &model::TaskId,
    backwards: bool,
    to: Point,
    over: Option<&model::TaskId>,
) -> Option<Curve> {
    let (card, over) = (board.card_of(from)?, over.and_then(|task| board.card_of(task)));
    Some(if backwards {
        Curve::new(over.map_or(to, Card::output), card.input())
    } else {
        Curve::new(card.output(), over.map_or(to, Card::input))
    })
}
