//! Can everything be done without a pointer?

use super::harness::{CONTROL, PLAIN, Person, SHIFT};
use crate::{
    Ask, Selection,
    input::{Direction, Input, Key},
};

#[test]
fn tab_goes_from_task_to_task_and_then_out_of_the_canvas() {
    let mut person = Person::with_chain(3);
    let order = person.editor.reading_order();
    for task in &order {
        assert!(person.key(Key::Tab, PLAIN));
        assert_eq!(person.editor.selection().only_task(), Some(task));
    }
    assert!(!person.key(Key::Tab, PLAIN), "beyond the last task the focus leaves");
    assert!(person.key(Key::Tab, SHIFT));
    assert_eq!(person.editor.selection().only_task(), Some(&order[1]));
}

#[test]
fn arrow_keys_in_a_row_are_one_step_and_letting_go_begins_a_new_one() {
    let mut person = Person::with_chain(1);
    let task = person.editor.reading_order()[0].clone();
    person.editor.set_selection(Selection::task(task.clone()));
    let steps = person.steps();
    for _ in 0..5 {
        person.key(Key::Arrow(Direction::Right), PLAIN);
    }
    assert_eq!((person.place(&task).x, person.steps()), (100.0, steps + 1));
    person.give(Input::KeyUp { key: Key::Arrow(Direction::Right) });
    person.key(Key::Arrow(Direction::Down), SHIFT);
    assert_eq!((person.place(&task).y, person.steps()), (101.0, steps + 2));
}

#[test]
fn c_and_tab_and_enter_draw_an_arrow_to_what_may_be_reached() {
    let mut person = Person::with_chain(3);
    let order = person.editor.reading_order();
    person.editor.set_selection(Selection::task(order[0].clone()));
    assert!(person.key(Key::Character('c'), PLAIN));
    person.key(Key::Tab, PLAIN);
    person.editor.take_asks();
    person.key(Key::Enter, PLAIN);
    let asks = person.editor.take_asks();
    assert!(matches!(&asks[..], [Ask::Connect { from, to, .. }] if *from == order[0] && *to == order[2]));
}

#[test]
fn escape_ends_choosing_before_it_clears_the_selection() {
    let mut person = Person::with_chain(2);
    let task = person.editor.reading_order()[0].clone();
    person.editor.set_selection(Selection::task(task));
    person.key(Key::Character('c'), PLAIN);
    assert!(person.key(Key::Escape, PLAIN));
    assert_eq!(person.editor.selection().len(), 1);
    assert!(person.key(Key::Escape, PLAIN));
    assert!(person.editor.selection().is_empty());
    assert!(!person.key(Key::Escape, PLAIN));
}

#[test]
fn undo_and_redo_select_what_was_selected_then() {
    let mut person = Person::with_chain(2);
    let task = person.editor.reading_order()[1].clone();
    person.editor.set_selection(Selection::task(task.clone()));
    person.key(Key::Delete, PLAIN);
    assert!(person.editor.pipeline().arrows.is_empty(), "its arrow went along");
    person.key(Key::Character('z'), CONTROL);
    assert_eq!(person.editor.selection().only_task(), Some(&task));
    person.key(Key::Character('z'), SHIFT.with_control());
    assert!(person.editor.selection().is_empty());
}

#[test]
fn a_change_of_selection_keeps_redo() {
    let mut person = Person::with_chain(2);
    person.key(Key::Character('z'), CONTROL);
    let redo = person.editor.history().redo_name().map(str::to_owned);
    person.key(Key::Character('a'), CONTROL);
    person.key(Key::Escape, PLAIN);
    assert_eq!(person.editor.history().redo_name().map(str::to_owned), redo);
    assert!(redo.is_some());
}

impl crate::input::Modifiers {
    fn with_control(self) -> Self {
        Self { control: true, ..self }
    }
}
