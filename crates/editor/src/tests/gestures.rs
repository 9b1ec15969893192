//! Does each gesture do what a person expects?

use model::KindName;

use super::harness::{PLAIN, Person, SHIFT};
use crate::{
    Ask, CardStatus, Hit, Mode, Point, Selection,
    editor::Editor,
    gesture::Gesture,
    input::{Button, Input, Key, Modifiers},
};

fn tasks(person: &Person) -> Vec<model::TaskId> {
    person.editor.reading_order()
}

#[test]
fn a_drag_moves_by_the_grid_from_where_it_started_and_is_one_step() {
    let mut person = Person::with_chain(2);
    let (task, steps) = (tasks(&person)[0].clone(), person.steps());
    let at = person.middle(&task);
    person.down(at, PLAIN);
    for x in 1..50 {
        person.slide(at.plus(f64::from(x), 2.0));
    }
    person.up(at.plus(49.0, 2.0));
    assert_eq!((person.place(&task).x, person.place(&task).y), (40.0, 100.0));
    assert_eq!((person.steps(), person.editor.history().undo_name()), (steps + 1, Some("Move Job")));
}

#[test]
fn escape_in_mid_drag_gives_back_places_and_selection_and_leaves_no_step() {
    let mut person = Person::with_chain(2);
    let task = tasks(&person)[1].clone();
    let (saved, steps) = (person.saved(), person.steps());
    let at = person.middle(&task);
    person.down(at, PLAIN);
    person.slide(at.plus(200.0, 90.0));
    assert_ne!(person.saved(), saved);
    assert!(person.key(Key::Escape, PLAIN));
    person.up(at.plus(200.0, 90.0));
    assert_eq!((person.saved(), person.steps()), (saved, steps));
    assert!(person.editor.selection().is_empty());
}

#[test]
fn a_selected_group_of_things_moves_together() {
    let mut person = Person::with_chain(3);
    let all = tasks(&person);
    person.drag(Point::new(20.0, 150.0), Point::new(730.0, 350.0), SHIFT);
    assert_eq!(person.editor.selection().tasks.len(), 3);
    assert_eq!(person.editor.selection().arrows.len(), 2);
    let at = person.middle(&all[1]);
    person.drag(at, at.plus(0.0, 80.0), PLAIN);
    assert!(all.iter().all(|task| person.place(task).y == 180.0));
}

#[test]
fn a_drag_on_nothing_pans_and_a_click_on_nothing_selects_nothing() {
    let mut person = Person::with_chain(2);
    person.editor.set_selection(Selection::task(tasks(&person)[0].clone()));
    let camera = person.editor.camera();
    person.drag(Point::new(500.0, 600.0), Point::new(560.0, 640.0), PLAIN);
    assert_eq!(person.editor.camera(), camera.panned(60.0, 40.0));
    assert_eq!(person.editor.selection().len(), 1);
    person.down(Point::new(500.0, 600.0), PLAIN);
    person.up(Point::new(500.0, 600.0));
    assert!(person.editor.selection().is_empty());
}

#[test]
fn an_arrow_is_drawn_from_port_to_card_and_only_the_form_makes_it() {
    let mut person = Person::with_chain(2);
    person.act(crate::Command::AddTask { kind: KindName::Job, at: Point::new(300.0, 300.0) }).unwrap();
    let new = person.editor.selection().only_task().unwrap().clone();
    let (first, saved) = (tasks(&person)[0].clone(), person.saved());
    let port = person.editor.camera().to_screen(person.editor.board().card_of(&first).unwrap().output());
    person.editor.take_asks();
    person.drag(port, person.middle(&new), PLAIN);
    let asks = person.editor.take_asks();
    assert!(matches!(&asks[..], [Ask::Connect { from, to, .. }] if *from == first && *to == new));
    assert_eq!(person.saved(), saved);
}

#[test]
fn an_arrow_that_closes_a_circle_is_refused_with_both_names() {
    let mut person = Person::with_chain(2);
    let all = tasks(&person);
    let port = person.editor.camera().to_screen(person.editor.board().card_of(&all[1]).unwrap().output());
    person.drag(port, person.middle(&all[0]), PLAIN);
    let asks = person.editor.take_asks();
    let sentence = "Job 2 already waits for Job: an arrow back would close a circle.".to_owned();
    assert_eq!(asks, [Ask::Say { sentence }]);
}

#[test]
fn a_file_lights_up_the_card_under_it_as_one_that_takes_it_or_not_and_changes_nothing() {
    let mut person = Person::with_chain(2);
    let job = tasks(&person)[1].clone();
    person.give(Input::PaletteOver { kind: KindName::LoadData, at: Some(Point::new(900.0, 600.0)) });
    person.give(Input::PaletteDrop);
    let load = person.editor.selection().only_task().unwrap().clone();
    let steps = person.steps();
    for (task, taken) in [(load, true), (job, false)] {
        person.give(Input::FileOver { at: Some(person.middle(&task)) });
        assert_eq!(*person.editor.gesture(), Gesture::File { over: Some(task), taken });
    }
    person.give(Input::FileOver { at: None });
    assert!(person.editor.gesture().is_idle());
    assert_eq!(person.steps(), steps);
}

#[test]
fn what_snaps_to_zero_from_the_left_is_saved_as_the_zero_that_there_is() {
    let mut person = Person::new();
    let at = person.editor.camera().to_screen(Point::new(crate::board::CARD.width / 2.0 - 3.0, 300.0));
    person.give(Input::PaletteOver { kind: KindName::Job, at: Some(at) });
    person.give(Input::PaletteDrop);
    let task = person.editor.selection().only_task().unwrap().clone();
    assert_eq!(person.place(&task).x, 0.0);
    let (saved, middle) = (person.saved(), person.middle(&task));
    assert!(!saved.contains("-0.0"), "{saved}");
    // There and back again.
    person.down(middle, PLAIN);
    person.slide(middle.plus(300.0, 0.0));
    person.slide(middle);
    person.up(middle);
    assert_eq!(person.saved(), saved);
}

#[test]
fn what_is_dropped_beside_the_canvas_is_not_added() {
    let mut person = Person::new();
    person.give(Input::PaletteOver { kind: KindName::Notebook, at: Some(Point::new(300.0, 300.0)) });
    person.give(Input::PaletteOver { kind: KindName::Notebook, at: None });
    person.give(Input::PaletteDrop);
    assert_eq!(person.steps(), 0);
    person.give(Input::PaletteOver { kind: KindName::Notebook, at: Some(Point::new(300.0, 300.0)) });
    person.give(Input::PaletteDrop);
    assert_eq!(person.editor.history().undo_name(), Some("Add Notebook"));
    let place = person.place(person.editor.selection().only_task().unwrap());
    assert_eq!((place.x.rem_euclid(20.0), place.y.rem_euclid(20.0)), (0.0, 0.0));
}

#[test]
fn shift_and_click_adds_and_takes_away() {
    let mut person = Person::with_chain(2);
    let all = tasks(&person);
    for (task, expected) in [(&all[0], 1), (&all[1], 2), (&all[0], 1)] {
        let at = person.middle(task);
        person.down(at, SHIFT);
        person.give(Input::Up { at, modifiers: SHIFT });
        assert_eq!(person.editor.selection().tasks.len(), expected);
    }
}

#[test]
fn the_wheel_zooms_at_the_pointer_and_with_shift_pans() {
    let mut person = Person::with_chain(1);
    let at = Point::new(400.0, 300.0);
    let world = person.editor.camera().to_world(at);
    person.give(Input::Wheel { at, dx: 0.0, dy: -200.0, modifiers: PLAIN });
    assert!(person.editor.camera().zoom > 1.2);
    assert!(person.editor.camera().to_world(at).distance(world) < 1e-9);
    let camera = person.editor.camera();
    person.give(Input::Wheel { at, dx: 0.0, dy: 50.0, modifiers: SHIFT });
    assert_eq!(person.editor.camera(), camera.panned(-50.0, 0.0));
}

#[test]
fn a_right_press_selects_what_is_under_it_and_asks_for_a_menu() {
    let mut person = Person::with_chain(2);
    let task = tasks(&person)[1].clone();
    let at = person.middle(&task);
    person.give(Input::Down { at, button: Button::Right, modifiers: PLAIN, double: false });
    assert_eq!(person.editor.selection().only_task(), Some(&task));
    assert_eq!(person.editor.take_asks(), [Ask::Menu { at, on: Hit::Task(task) }]);
}

#[test]
fn a_run_is_looked_at_and_never_changed() {
    let snapshot = Person::with_chain(2).editor.pipeline().clone();
    let mut person = Person::with(snapshot.clone());
    person.editor = Editor::new(snapshot, Mode::Run);
    person.editor.set_camera(crate::camera::Camera { zoom: 1.0, x: 100.0, y: 100.0 });
    let task = tasks(&person)[0].clone();
    let saved = person.saved();
    let at = person.middle(&task);
    person.drag(at, at.plus(100.0, 100.0), PLAIN);
    person.key(Key::Delete, PLAIN);
    person.key(Key::Character('d'), Modifiers { control: true, ..PLAIN });
    assert!(person.act(crate::Command::Layout).is_err());
    assert_eq!(person.saved(), saved);
    let status = CardStatus { status: model::run::TaskStatus::Running, words: "Running".into() };
    person.editor.set_statuses(&[(task.clone(), status)].into());
    assert!(person.editor.board().card_of(&task).unwrap().status.is_some());
}
