//! What lies under the pointer?

use model::{ArrowId, GroupId, NoteId, TaskId};

use crate::{
    board::Board,
    camera::Camera,
    geometry::{Point, Rect},
    selection::Selection,
};

/// A port takes hits this far around its middle, in CSS pixels: 24 px across.
const PORT_REACH: f64 = 12.0;
/// Ports smaller than this zoom makes them cannot be hit: the card would be all port.
pub const PORTS_FROM: f64 = 0.45;
const ARROW_REACH: f64 = 6.0;
/// A note's corner, for its size.
pub const CORNER: f64 = 14.0;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hit {
    Nothing,
    Task(TaskId),
    Input(TaskId),
    Output(TaskId),
    Arrow(ArrowId),
    Note(NoteId),
    NoteCorner(NoteId),
    Group(GroupId),
}

impl Hit {
    pub fn task(&self) -> Option<&TaskId> {
        match self {
            Hit::Task(id) | Hit::Input(id) | Hit::Output(id) => Some(id),
            Hit::Nothing | Hit::Arrow(_) | Hit::Note(_) | Hit::NoteCorner(_) | Hit::Group(_) => None,
        }
    }

    /// As a selection of that one thing.
    pub fn selection(&self) -> Selection {
        match self {
            Hit::Nothing => Selection::default(),
            Hit::Task(id) | Hit::Input(id) | Hit::Output(id) => Selection::task(id.clone()),
            Hit::Arrow(id) => Selection::arrow(id.clone()),
            Hit::Note(id) | Hit::NoteCorner(id) => Selection::note(id.clone()),
            Hit::Group(id) => Selection::group(id.clone()),
        }
    }
}

/// Asks a board what lies at points of the screen. Keeps its lists from question to question.
#[derive(Clone, Debug, Default)]
pub struct HitTest {
    found: Vec<u32>,
}

impl HitTest {
    /// Front to back: ports, cards, notes, arrows, names of groups.
    pub fn at(&mut self, board: &Board, camera: &Camera, screen: Point) -> Hit {
        let at = camera.to_world(screen);
        let reach = PORT_REACH / camera.zoom;
        self.port(board, camera, at, reach)
            .or_else(|| self.card(board, at))
            .or_else(|| note(board, camera, at))
            .or_else(|| self.arrow(board, at, ARROW_REACH / camera.zoom))
            .or_else(|| frame(board, at))
            .unwrap_or(Hit::Nothing)
    }

    fn port(&mut self, board: &Board, camera: &Camera, at: Point, reach: f64) -> Option<Hit> {
        if camera.zoom < PORTS_FROM {
            return None;
        }
        board.card_grid.query(&around(at, reach), &mut self.found);
        let cards = self.found.iter().rev().filter_map(|slot| board.card(*slot));
        let mut ports = cards.flat_map(|card| {
            let input = card.has_input().then(|| (card.input().distance(at), Hit::Input(card.id.clone())));
            let output = card.has_output().then(|| (card.output().distance(at), Hit::Output(card.id.clone())));
            input.into_iter().chain(output)
        });
        ports.find(|(distance, _)| *distance <= reach).map(|(_, hit)| hit)
    }

    fn card(&mut self, board: &Board, at: Point) -> Option<Hit> {
        board.card_grid.query(&around(at, 0.0), &mut self.found);
        let top = self.found.last().and_then(|slot| board.card(*slot))?;
        Some(Hit::Task(top.id.clone()))
    }

    fn arrow(&mut self, board: &Board, at: Point, reach: f64) -> Option<Hit> {
        board.line_grid.query(&around(at, reach), &mut self.found);
        let lines = self.found.iter().filter_map(|slot| board.line(*slot));
        let near = lines.map(|line| (line.curve.distance(at), line));
        let nearest = near.min_by(|(a, _), (b, _)| a.total_cmp(b)).filter(|(distance, _)| *distance <= reach)?;
        Some(Hit::Arrow(nearest.1.id.clone()))
    }

    /// Everything that a frame takes: cards and notes that it touches, and arrows between those cards.
    pub fn framed(&mut self, board: &Board, area: &Rect) -> Selection {
        let mut selection = Selection::default();
        board.card_grid.query(area, &mut self.found);
        let cards = self.found.iter().filter_map(|slot| board.card(*slot));
        selection.tasks.extend(cards.map(|card| card.id.clone()));
        let notes = board.notes().iter().filter(|note| note.rect.touches(area));
        selection.notes.extend(notes.map(|note| note.id.clone()));
        board.line_grid.query(area, &mut self.found);
        let lines = self.found.iter().filter_map(|slot| board.line(*slot));
        let both = |line: &&crate::board::Line| {
            selection.tasks.contains(&line.arrow.from_task) && selection.tasks.contains(&line.arrow.to_task)
        };
        let arrows: Vec<ArrowId> = lines.filter(both).map(|line| line.id.clone()).collect();
        selection.arrows.extend(arrows);
        selection
    }
}

fn around(at: Point, reach: f64) -> Rect {
    Rect::new(at.x, at.y, 0.0, 0.0).grown(reach)
}

fn note(board: &Board, camera: &Camera, at: Point) -> Option<Hit> {
    let note = board.notes().iter().rev().find(|note| note.rect.contains(at))?;
    let corner = Point::new(note.rect.right(), note.rect.bottom());
    let near = (corner.x - at.x).max(corner.y - at.y) <= CORNER / camera.zoom.max(0.5);
    Some(if near { Hit::NoteCorner(note.id.clone()) } else { Hit::Note(note.id.clone()) })
}

fn frame(board: &Board, at: Point) -> Option<Hit> {
    let frame = board.frames().iter().rev().find(|frame| frame.handle().contains(at))?;
    Some(Hit::Group(frame.id.clone()))
}
