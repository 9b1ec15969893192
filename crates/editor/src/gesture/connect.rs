//! How is an arrow drawn, by pointer or by keyboard?

use super::*;
use crate::command::obstacle;

/// The pointer is over something while an arrow hangs on it.
pub fn over(editor: &mut Editor, from: TaskId, backwards: bool, at: Point) {
    let to = editor.camera().to_world(at);
    let over = editor.hit(at).task().filter(|task| **task != from).cloned();
    let obstacle = over.as_ref().and_then(|other| {
        let (first, second) = if backwards { (other, &from) } else { (&from, other) };
        obstacle(editor.pipeline(), first, second)
    });
    editor.gesture = Gesture::Connect { from, backwards, to, over, obstacle };
}

/// Asks for the paths; the arrow itself is the answer's command, one step.
pub fn finish(
    editor: &mut Editor,
    from: TaskId,
    backwards: bool,
    over: Option<TaskId>,
    obstacle: Option<String>,
    at: Point,
) {
    match (over, obstacle) {
        (None, _) => {}
        (Some(_), Some(sentence)) => editor.ask(Ask::Say { sentence }),
        (Some(other), None) => {
            let (from, to) = if backwards { (other, from) } else { (from, other) };
            editor.ask(Ask::Connect { from, to, at });
        }
    }
}

/// The next or previous task that an arrow from the chosen one may go to.
pub(crate) fn choose(editor: &mut Editor, from: TaskId, over: Option<TaskId>, forward: bool) {
    let order = editor.reading_order();
    let may = |task: &&TaskId| obstacle(editor.pipeline(), &from, task).is_none();
    let candidates: Vec<&TaskId> = order.iter().filter(may).collect();
    if candidates.is_empty() {
        editor.ask(Ask::Say { sentence: "There is no task that this one could be connected to.".into() });
        return;
    }
    let here = over.as_ref().and_then(|task| candidates.iter().position(|other| *other == task));
    let next = match (here, forward) {
        (None, true) => 0,
        (None, false) => candidates.len() - 1,
        (Some(at), true) => (at + 1) % candidates.len(),
        (Some(at), false) => (at + candidates.len() - 1) % candidates.len(),
    };
    let over = candidates[next].clone();
    let name = editor.pipeline().tasks.get(&over).map_or_else(String::new, |task| task.name.clone());
    editor.reveal(&over);
    editor.ask(Ask::Say { sentence: format!("Connect to {name}? Enter connects, Tab goes on, Escape ends.") });
    editor.gesture = Gesture::Choose { from, over: Some(over) };
    editor.redraw();
}

pub(crate) fn finish_choice(editor: &mut Editor) {
    if let Gesture::Choose { from, over: Some(to) } = std::mem::take(&mut editor.gesture) {
        let at = editor.board().card_of(&to).map(|card| editor.camera().to_screen(card.input())).unwrap_or_default();
        editor.ask(Ask::Connect { from, to, at });
    }
    editor.redraw();
}
