//! Is what is drawn what is there, and no more than is seen?

use model::{KindName, run::TaskStatus};

use super::harness::Person;
use crate::{
    CardStatus, Command, Mode, Point, Selection,
    camera::Camera,
    editor::Editor,
    input::{Input, Modifiers},
    scene::{Detail, Gate, Layer, Scene, Tone},
};

fn scene(person: &Person) -> Scene {
    let mut scene = Scene::default();
    scene.fill(&person.editor);
    scene
}

#[test]
fn only_what_is_in_view_is_drawn() {
    let mut person = Person::with_chain(40);
    let near = scene(&person);
    assert!(near.still.cards.len() < 6, "{} cards", near.still.cards.len());
    person.editor.fit();
    let far = scene(&person);
    assert_eq!((far.detail, far.still.cards.len()), (Detail::Far, 0));
    assert_eq!(far.still.far.iter().map(Vec::len).sum::<usize>(), 40);
}

#[test]
fn far_away_what_stays_is_the_same_for_every_picture_of_a_drag_or_a_pan() {
    let mut person = Person::with_chain(40);
    person.editor.fit();
    let mut scene = Scene::default();
    scene.fill(&person.editor);
    assert_eq!(scene.kept, None, "it was just zoomed");
    let task = person.editor.reading_order()[20].clone();
    let at = person.middle(&task);
    person.down(at, Modifiers::default());
    person.slide(Point::new(at.x + 40.0, at.y));
    scene.fill(&person.editor);
    let (wide, still) = (scene.kept.expect("the zoom stayed"), scene.still.clone());
    let count = |ground: &Layer| {
        let lines = ground.lines.iter().flatten().map(Vec::len).sum::<usize>();
        (ground.far.iter().map(Vec::len).sum::<usize>(), lines)
    };
    assert_eq!((count(&scene.still), count(&scene.moving)), ((39, 37), (1, 2)));
    person.slide(Point::new(at.x + 90.0, at.y + 60.0));
    let before = scene.moving.clone();
    scene.fill(&person.editor);
    assert_eq!((scene.kept, &scene.still), (Some(wide), &still));
    assert_ne!(scene.moving, before);
    person.up(Point::new(at.x + 90.0, at.y + 60.0));
    scene.fill(&person.editor);
    assert_eq!((count(&scene.still), count(&scene.moving)), ((40, 39), (0, 0)));

    let still = scene.still.clone();
    person.editor.set_camera(person.editor.camera().panned(100.0, -30.0));
    scene.fill(&person.editor);
    assert_eq!((scene.kept, &scene.still), (Some(wide), &still));
    person.editor.set_camera(person.editor.camera().panned(100.0, 0.0));
    scene.fill(&person.editor);
    assert_ne!(scene.kept, Some(wide), "it shows too little by now");
}

#[test]
fn near_by_what_stays_is_the_same_for_every_picture_of_a_drag_and_what_moves_lies_above() {
    let mut person = Person::with_chain(3);
    let task = person.editor.reading_order()[1].clone();
    let at = person.middle(&task);
    let mut scene = Scene::default();
    scene.fill(&person.editor);
    scene.fill(&person.editor);
    assert_eq!((scene.kept, scene.still.cards.len()), (None, 3), "nothing moves");
    person.down(at, Modifiers::default());
    person.slide(Point::new(at.x, at.y + 150.0));
    scene.fill(&person.editor);
    let still = scene.still.clone();
    let lines = |layer: &Layer| layer.lines.iter().flatten().map(Vec::len).sum::<usize>();
    assert_eq!(scene.kept, Some(scene.view));
    assert_eq!((still.cards.len(), lines(&still)), (2, 0));
    assert_eq!((scene.moving.cards.len(), lines(&scene.moving)), (1, 2));
    person.slide(Point::new(at.x + 30.0, at.y + 170.0));
    scene.fill(&person.editor);
    assert_eq!(scene.still, still);
    person.up(Point::new(at.x + 30.0, at.y + 170.0));
    scene.fill(&person.editor);
    assert_eq!((scene.kept, scene.still.cards.len(), scene.moving.cards.len()), (None, 3, 0));
}

#[test]
fn labels_show_near_by_in_a_wide_gap_and_on_selection_everywhere_near() {
    let mut person = Person::with_chain(2);
    let shown = scene(&person).still.labels.len();
    assert_eq!(shown, 0, "80 units are too narrow for \"/out → /in RO\"");
    let arrow = person.editor.pipeline().arrows.keys().next().unwrap().clone();
    person.editor.set_selection(Selection::arrow(arrow));
    let selected = scene(&person);
    assert_eq!((selected.still.labels.len(), selected.still.labels[0].tone), (1, Tone::Selected));
    person.editor.set_selection(Selection::default());
    let last = person.editor.reading_order()[1].clone();
    person.editor.set_selection(Selection::task(last));
    person.act(Command::Nudge { dx: 200.0, dy: 0.0 }).unwrap();
    assert_eq!(scene(&person).still.labels.len(), 1);
    person.editor.set_camera(Camera { zoom: 0.5, ..person.editor.camera() });
    assert_eq!(scene(&person).still.labels.len(), 0);
}

#[test]
fn the_gate_of_a_live_step_is_closed_while_it_waits_and_open_when_it_went_on() {
    let mut person = Person::new();
    person.act(Command::AddTask { kind: KindName::Notebook, at: Point::new(50.0, 50.0) }).unwrap();
    assert_eq!(scene(&person).still.cards[0].gate, Some(Gate::NotReached));
    let task = person.editor.reading_order()[0].clone();
    person.editor = Editor::new(person.editor.pipeline().clone(), Mode::Run);
    person.give(Input::Resize(crate::Size { width: 900.0, height: 600.0 }));
    for (status, gate) in [
        (TaskStatus::Waiting, Gate::NotReached),
        (TaskStatus::WaitingForYou, Gate::Closed),
        (TaskStatus::Done, Gate::Open),
    ] {
        let status = CardStatus { status, words: String::new() };
        person.editor.set_statuses(&[(task.clone(), status)].into());
        assert_eq!(scene(&person).still.cards[0].gate, Some(gate));
    }
}

#[test]
fn a_picture_is_wished_for_when_something_changed_and_only_then() {
    let mut person = Person::with_chain(2);
    let before = person.editor.versions();
    person.give(Input::Move { at: Point::new(900.0, 650.0), modifiers: Modifiers::default() });
    let settled = person.editor.versions();
    person.give(Input::KeyUp { key: crate::input::Key::Enter });
    assert_eq!(person.editor.versions(), settled);
    assert_eq!(before.document, settled.document);
}

#[test]
fn the_document_does_not_count_as_changed_before_a_gesture_ends() {
    let mut person = Person::with_chain(2);
    let task = person.editor.reading_order()[0].clone();
    let (at, before) = (person.middle(&task), person.editor.versions());
    person.down(at, Modifiers::default());
    (0..30).for_each(|n| person.slide(at.plus(f64::from(n) * 5.0, 0.0)));
    assert_eq!(person.editor.versions().document, before.document);
    person.up(at.plus(150.0, 0.0));
    assert_eq!(person.editor.versions().document, before.document + 1);
}
