//! How do the tests act like a person, and check everything after every step?

use model::{KindName, Pipeline, PipelineId, Place, TaskId, document};

use crate::{
    Command, Editor, Mode, Point, Refusal, Selection, Size,
    input::{Button, Input, Key, Modifiers},
    invariants,
    record::{self, RecordId},
};

pub const SHIFT: Modifiers = Modifiers { shift: true, control: false, alt: false };
pub const CONTROL: Modifiers = Modifiers { shift: false, control: true, alt: false };
pub const PLAIN: Modifiers = Modifiers { shift: false, control: false, alt: false };

/// A person in front of an editor; ids are counted.
pub struct Person {
    pub editor: Editor,
    ids: u32,
}

impl Person {
    pub fn new() -> Self {
        Person::with(Pipeline::new(PipelineId::new("p").unwrap(), "Pipeline"))
    }

    pub fn with(pipeline: Pipeline) -> Self {
        let mut person = Person { editor: Editor::new(pipeline, Mode::Edit), ids: 0 };
        person.give(Input::Resize(Size { width: 1000.0, height: 700.0 }));
        person.editor.zoom_to(1.0);
        person
    }

    /// With a chain of Jobs `t0 → t1 → …` in a row, 300 apart.
    pub fn with_chain(count: u32) -> Self {
        let mut person = Person::new();
        for n in 0..count {
            person.act(Command::AddTask { kind: KindName::Job, at: Point::new(f64::from(n) * 300.0, 100.0) }).unwrap();
        }
        let tasks: Vec<TaskId> = person.editor.reading_order();
        for pair in tasks.windows(2) {
            person.connect(&pair[0], &pair[1]).unwrap();
        }
        person.editor.set_selection(Selection::default());
        person.editor.set_camera(crate::camera::Camera { zoom: 1.0, x: 100.0, y: 100.0 });
        person
    }

    pub fn connect(&mut self, from: &TaskId, to: &TaskId) -> Result<(), Refusal> {
        let (from, to) = (from.clone(), to.clone());
        let (from_path, to_path) = ("/out".into(), "/in".into());
        self.act(Command::Connect { from, from_path, to, to_path, acl: model::Acl::ReadOnly })
    }

    pub fn give(&mut self, input: Input) -> bool {
        let ids = &mut self.ids;
        let answer = self.editor.handle(input, &mut || {
            *ids += 1;
            format!("id{ids}")
        });
        self.check();
        answer
    }

    pub fn act(&mut self, command: Command) -> Result<(), Refusal> {
        let ids = &mut self.ids;
        let answer = self.editor.dispatch(command, &mut || {
            *ids += 1;
            format!("id{ids}")
        });
        self.check();
        answer
    }

    pub fn key(&mut self, key: Key, modifiers: Modifiers) -> bool {
        self.give(Input::Key { key, modifiers })
    }

    pub fn down(&mut self, at: Point, modifiers: Modifiers) {
        self.give(Input::Down { at, button: Button::Left, modifiers, double: false });
    }

    pub fn slide(&mut self, at: Point) {
        self.give(Input::Move { at, modifiers: PLAIN });
    }

    pub fn up(&mut self, at: Point) {
        self.give(Input::Up { at, modifiers: PLAIN });
    }

    /// Down, a few moves, up.
    pub fn drag(&mut self, from: Point, to: Point, modifiers: Modifiers) {
        self.down(from, modifiers);
        for part in [0.1, 0.4, 0.7, 1.0] {
            self.slide(Point::new(from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part));
        }
        self.up(to);
    }

    /// The middle of a task's card on the screen.
    pub fn middle(&self, task: &TaskId) -> Point {
        let card = self.editor.board().card_of(task).expect("the task is there");
        self.editor.camera().to_screen(card.rect.centre())
    }

    pub fn place(&self, task: &TaskId) -> Place {
        self.editor.pipeline().task_places[task]
    }

    /// The saved document.
    pub fn saved(&self) -> String {
        document::write(self.editor.pipeline())
    }

    pub fn steps(&self) -> usize {
        self.editor.history().steps().len()
    }

    /// What must be true whenever a person can look.
    pub fn check(&self) {
        assert_eq!(invariants::broken(self.editor.pipeline()), Vec::<String>::new());
        assert_board_is_true(&self.editor);
    }
}

/// The board that grew record by record equals one that was made of the whole.
fn assert_board_is_true(editor: &Editor) {
    let fresh = Editor::new(editor.pipeline().clone(), editor.mode());
    let cards = |editor: &Editor| {
        let mut cards: Vec<_> = editor.board().cards().map(|c| (c.id.clone(), c.rect, c.subtitle.clone())).collect();
        cards.sort_by(|a, b| a.0.cmp(&b.0));
        cards
    };
    let lines = |editor: &Editor| {
        let mut lines: Vec<_> = editor.board().lines().map(|l| (l.id.clone(), l.curve, l.dashed)).collect();
        lines.sort_by(|a, b| a.0.cmp(&b.0));
        lines
    };
    assert_eq!(cards(editor), cards(&fresh));
    assert_eq!(lines(editor), lines(&fresh));
    assert_eq!(editor.board().notes().len(), fresh.board().notes().len());
    let frames = |editor: &Editor| editor.board().frames().iter().map(|f| (f.id.clone(), f.rect)).collect::<Vec<_>>();
    assert_eq!(frames(editor), frames(&fresh));
}

/// The records in which two pipelines differ.
pub fn differing(a: &Pipeline, b: &Pipeline) -> std::collections::BTreeSet<RecordId> {
    let ids = record::all(a).chain(record::all(b));
    ids.filter(|id| record::read(a, id) != record::read(b, id)).collect()
}
