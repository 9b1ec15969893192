//! Does each command do what it says, and nothing else?

use model::{Acl, Kind, KindName, TaskId, value::Inherit};
use serde_json::json;

use super::harness::Person;
use crate::{Axis, Command, Edge, Point, Selection, command};

fn set(task: &TaskId, field: &str, value: Option<serde_json::Value>) -> Command {
    Command::SetField { task: task.clone(), field: field.into(), value, typing: None }
}

fn first(person: &Person) -> TaskId {
    person.editor.reading_order()[0].clone()
}

#[test]
fn a_field_is_set_by_its_place_in_the_document() {
    let mut person = Person::with_chain(1);
    let task = first(&person);
    person.act(set(&task, "resources.gpu", Some(json!(2)))).unwrap();
    person.act(set(&task, "env.SEED", Some(json!({ "value": "42" })))).unwrap();
    person.act(set(&task, "files.0", Some(json!({ "name": "a.py", "text": "" })))).unwrap();
    person.act(set(&task, "files.0.text", Some(json!("print()")))).unwrap();
    let Kind::Job(job) = &person.editor.pipeline().tasks[&task].kind else { panic!("it is a Job") };
    assert_eq!(job.resources.gpu, Inherit::Own(2));
    assert_eq!((job.env.len(), job.files[0].text.as_str()), (1, "print()"));
    person.act(set(&task, "resources.gpu", None)).unwrap();
    person.act(set(&task, "files.0", None)).unwrap();
    let Kind::Job(job) = &person.editor.pipeline().tasks[&task].kind else { panic!("it is a Job") };
    assert!(job.resources.gpu.is_inherited() && job.files.is_empty());
}

#[test]
fn null_clears_an_inherited_value_and_nothing_inherits_it() {
    let mut person = Person::with_chain(1);
    let task = first(&person);
    person.act(set(&task, "image", Some(json!(null)))).unwrap();
    let image = |person: &Person| match &person.editor.pipeline().tasks[&task].kind {
        Kind::Job(job) => job.image.clone(),
        other => panic!("{other:?} is no Job"),
    };
    assert_eq!(image(&person), Inherit::None);
    person.act(set(&task, "image", None)).unwrap();
    assert_eq!(image(&person), Inherit::Inherited);
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_its_field_and_changes_nothing() {
    let mut person = Person::with_chain(1);
    let (task, saved, steps) = (first(&person), person.saved(), person.steps());
    let refusal = person.act(set(&task, "resources.gpu", Some(json!("many")))).unwrap_err().to_string();
    assert!(refusal.starts_with("resources.gpu cannot be set so: "), "{refusal}");
    assert!(person.act(set(&task, "id", Some(json!("other")))).is_err());
    assert!(person.act(set(&task, "files.3", Some(json!({})))).is_err());
    assert_eq!((person.saved(), person.steps()), (saved, steps));
}

#[test]
fn one_stay_in_a_field_is_one_step_and_typing_back_leaves_none() {
    let mut person = Person::with_chain(1);
    let (task, steps) = (first(&person), person.steps());
    let typed = |person: &mut Person, focus, name: &str| {
        let (task, value) = (task.clone(), Some(json!(name)));
        person.act(Command::SetField { task, field: "name".into(), value, typing: Some(focus) }).unwrap();
    };
    let focus = person.editor.new_focus();
    ["T", "Tr", "Train"].iter().for_each(|name| typed(&mut person, focus, name));
    assert_eq!(person.steps(), steps + 1);
    let focus = person.editor.new_focus();
    ["Trains", "Train"].iter().for_each(|name| typed(&mut person, focus, name));
    assert_eq!(person.steps(), steps + 1);
    person.editor.undo();
    assert_eq!(person.editor.pipeline().tasks[&task].name, "Job");
}

#[test]
fn typing_after_an_undo_is_a_step_of_its_own() {
    let mut person = Person::with_chain(1);
    let task = first(&person);
    let focus = person.editor.new_focus();
    let typed = |name: &str| Command::SetField {
        task: task.clone(),
        field: "name".into(),
        value: Some(json!(name)),
        typing: Some(focus),
    };
    person.act(typed("A")).unwrap();
    person.editor.undo();
    person.act(typed("B")).unwrap();
    person.editor.undo();
    assert_eq!(person.editor.pipeline().tasks[&task].name, "Job");
}

#[test]
fn a_pasted_part_has_new_ids_free_names_and_its_inner_arrows_only() {
    let mut person = Person::with_chain(3);
    let order = person.editor.reading_order();
    let two = Selection { tasks: order[1..].iter().cloned().collect(), ..Selection::default() };
    let text = command::copy(person.editor.pipeline(), &two).unwrap();
    person.act(Command::Paste { text: text.clone(), at: Some(Point::new(500.0, 500.0)) }).unwrap();
    assert_eq!((person.editor.pipeline().tasks.len(), person.editor.pipeline().arrows.len()), (5, 3));
    let names: std::collections::BTreeSet<_> =
        person.editor.pipeline().tasks.values().map(|t| t.name.clone()).collect();
    assert_eq!(names.len(), 5);
    let mut other = Person::new();
    other.act(Command::Paste { text, at: None }).unwrap();
    assert_eq!(other.editor.pipeline().tasks.len(), 2);
}

#[test]
fn a_foreign_text_in_the_clipboard_is_refused_with_a_sentence() {
    let mut person = Person::new();
    for text in ["hello", "{}", "[1]", r#"{"format":"other"}"#, r#"{"format":"fletchline/clipboard-v1"}"#] {
        let refusal = person.act(Command::Paste { text: text.into(), at: None }).unwrap_err().to_string();
        assert!(refusal.starts_with("This text holds no tasks: "), "{refusal}");
    }
}

#[test]
fn an_arrow_is_dashed_by_the_kinds_that_an_import_brought_under_the_same_ids() {
    let mut person = Person::with_chain(2);
    let chain = person.editor.pipeline().clone();
    let arrow = chain.arrows.keys().next().unwrap();
    assert!(!person.editor.board().line_of(arrow).unwrap().dashed);
    let mut other = chain.clone();
    let second = std::sync::Arc::make_mut(other.tasks.values_mut().next_back().unwrap());
    second.kind = Kind::new(KindName::Viewer);
    person.act(Command::Import(Box::new(other))).unwrap();
    assert!(person.editor.board().line_of(arrow).unwrap().dashed);
}

#[test]
fn an_import_keeps_the_id_and_is_undone_in_one_step() {
    let mut person = Person::with_chain(2);
    let saved = person.saved();
    let mut other = Person::with_chain(4).editor.pipeline().clone();
    other.id = model::PipelineId::new("foreign").unwrap();
    person.act(Command::Import(Box::new(other.clone()))).unwrap();
    assert_eq!(person.editor.pipeline().id.as_str(), "p");
    assert_eq!(person.editor.pipeline().tasks, other.tasks);
    person.editor.undo();
    assert_eq!(person.saved(), saved);
}

#[test]
fn aligned_things_share_an_edge_and_distributed_ones_a_gap() {
    let mut person = Person::new();
    for (x, y) in [(0.0, 0.0), (310.0, 55.0), (900.0, 130.0)] {
        person.act(Command::AddTask { kind: KindName::Job, at: Point::new(x, y) }).unwrap();
    }
    person.editor.set_selection(Selection::everything(person.editor.pipeline()));
    person.act(Command::Distribute(Axis::Horizontal)).unwrap();
    person.act(Command::Align(Edge::Bottom)).unwrap();
    let places: Vec<_> = person.editor.reading_order().iter().map(|task| person.place(task)).collect();
    assert_eq!(places.iter().map(|place| place.x).collect::<Vec<_>>(), [0.0, 450.0, 900.0]);
    assert!(places.iter().all(|place| place.y == 130.0));
}

#[test]
fn a_layout_puts_every_arrow_from_left_to_right_and_no_card_on_another() {
    let mut person = Person::with_chain(4);
    let order = person.editor.reading_order();
    person.connect(&order[0], &order[2]).unwrap();
    person.connect(&order[0], &order[3]).unwrap();
    person.editor.set_selection(Selection::everything(person.editor.pipeline()));
    person.act(Command::Align(Edge::Left)).unwrap();
    person.editor.set_selection(Selection::default());
    person.act(Command::Layout).unwrap();
    for arrow in person.editor.pipeline().arrows.values() {
        assert!(person.place(&arrow.from_task).x < person.place(&arrow.to_task).x);
    }
    let cards: Vec<_> = person.editor.board().cards().map(|card| card.rect).collect();
    let overlap = cards.iter().enumerate().any(|(at, card)| cards[..at].iter().any(|other| other.touches(card)));
    assert!(!overlap);
}

#[test]
fn a_task_is_in_one_group_and_a_group_goes_with_its_last_task() {
    let mut person = Person::with_chain(2);
    let order = person.editor.reading_order();
    person.editor.set_selection(Selection::task(order[0].clone()));
    person.act(Command::Group { name: "One".into() }).unwrap();
    let both = Selection { tasks: order.iter().cloned().collect(), ..Selection::default() };
    person.editor.set_selection(both.clone());
    person.act(Command::Group { name: "Two".into() }).unwrap();
    assert_eq!(person.editor.pipeline().groups.len(), 1);
    person.editor.set_selection(both);
    person.act(Command::Delete).unwrap();
    assert!(person.editor.pipeline().groups.is_empty());
}

#[test]
fn volumes_read_nothing_viewers_make_nothing_and_the_same_arrow_is_not_drawn_twice() {
    let mut person = Person::new();
    for kind in [KindName::Job, KindName::Volume, KindName::Viewer] {
        person.act(Command::AddTask { kind, at: Point::default() }).unwrap();
    }
    let by_kind = |person: &Person, kind| {
        let task = person.editor.pipeline().tasks.values().find(|task| task.kind.name() == kind).unwrap();
        task.id.clone()
    };
    let (job, volume, viewer) =
        (by_kind(&person, KindName::Job), by_kind(&person, KindName::Volume), by_kind(&person, KindName::Viewer));
    assert!(person.connect(&job, &volume).is_err());
    assert!(person.connect(&viewer, &job).is_err());
    assert!(person.connect(&job, &job).is_err());
    person.connect(&job, &viewer).unwrap();
    assert!(person.connect(&job, &viewer).is_err());
    person.connect(&volume, &job).unwrap();
    assert!(person.editor.board().lines().all(|line| line.dashed), "neither makes an order");
    let arrow = person.editor.selection().only_arrow().unwrap().clone();
    let acl =
        Command::SetArrowField { arrow: arrow.clone(), field: "acl".into(), value: Some(json!("RW")), typing: None };
    person.act(acl).unwrap();
    assert_eq!(person.editor.pipeline().arrows[&arrow].acl, Acl::ReadWrite);
}

#[test]
fn a_record_that_both_changed_stays_ours_and_what_only_they_changed_comes_in() {
    let mut person = Person::with_chain(2);
    let (base, order) = (person.editor.pipeline().clone(), person.editor.reading_order());
    let mut other = Person::with(base.clone());
    other.act(set(&order[0], "name", Some(json!("Theirs")))).unwrap();
    other.act(set(&order[1], "name", Some(json!("Also theirs")))).unwrap();
    person.act(set(&order[0], "name", Some(json!("Ours")))).unwrap();
    let theirs = Box::new(other.editor.pipeline().clone());
    person.act(Command::Merge { base: Box::new(base), theirs }).unwrap();
    let name = |task: &TaskId| person.editor.pipeline().tasks[task].name.as_str();
    assert_eq!((name(&order[0]), name(&order[1])), ("Ours", "Also theirs"));
}

#[test]
fn a_history_that_does_not_lead_to_the_document_is_not_taken_up() {
    let person = Person::with_chain(3);
    let mut other = Person::with_chain(2);
    assert!(!other.editor.restore_history(person.editor.history().clone()));
    let mut same = Person::with(person.editor.pipeline().clone());
    assert!(same.editor.restore_history(person.editor.history().clone()));
}

#[test]
fn what_only_moves_changes_no_meaning_and_what_else_is_edited_does() {
    let mut person = Person::with_chain(2);
    let task = first(&person);
    let before = person.editor.versions();
    person.editor.set_selection(Selection::task(task.clone()));
    person.act(Command::Nudge { dx: 40.0, dy: 0.0 }).unwrap();
    person.editor.undo();
    person.editor.redo();
    let moved = person.editor.versions();
    assert_eq!((moved.meaning, moved.document), (before.meaning, before.document + 3));
    person.act(set(&task, "resources.gpu", Some(json!(1)))).unwrap();
    person.editor.undo();
    assert_eq!(person.editor.versions().meaning, before.meaning + 2);
}
