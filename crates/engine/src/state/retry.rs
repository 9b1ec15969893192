//! How does a run go on after something failed?

use std::collections::BTreeSet;

use model::{RunId, TaskId, run::Millis};

use super::{Fate, Run, Stage, State, Step};

impl State {
    /// A live step that ended by itself gets a new execution.
    pub(super) fn start_again(&mut self, id: &RunId, task: &TaskId) {
        let Some(place) = self.place_of(id, task) else { return };
        self.no_person(id, task);
        if self.runs.get(id).is_some_and(|run| matches!(run.tasks[place].lanes[0].step, Step::Held { .. })) {
            self.queue_lane(id, place, 0, false);
        }
        self.touch(id, place);
    }

    /// A live step that ended by itself is given up.
    pub(super) fn fail_it(&mut self, at: Millis, id: &RunId, task: &TaskId) {
        let Some(place) = self.place_of(id, task) else { return };
        self.no_person(id, task);
        let Some(run) = self.runs.get_mut(id) else { return };
        let step = &mut run.tasks[place].lanes[0].step;
        if let Step::Held { n, sentence } = step {
            *step = Step::Failed { n: Some(*n), sentence: std::mem::take(sentence) };
        }
        self.settle_task(id, place, at);
    }

    /// Failed tasks begin again where they failed, and what was skipped because of them waits again.
    pub(super) fn retried(&mut self, at: Millis, id: &RunId, tasks: &BTreeSet<TaskId>) {
        let Some(run) = self.runs.get_mut(id) else { return };
        let again: BTreeSet<usize> = tasks.iter().filter_map(|task| run.snapshot.place(task)).collect();
        run.fate = Fate::Going;
        let reset: Vec<usize> = (0..run.tasks.len()).filter(|place| is_reset(run, *place, &again)).collect();
        for place in &reset {
            reset_lanes(run, *place);
            run.failed.remove(place);
            run.tasks[*place].stage = Stage::Blocked { missing: 0 };
            run.left += 1;
        }
        for place in &reset {
            let missing = missing(run, *place);
            run.tasks[*place].stage = Stage::Blocked { missing };
        }
        self.closing.remove(id);
        for place in reset {
            self.touch(id, place);
            self.skip_or_open(id, place, at);
        }
    }

    /// An upstream that failed and was not asked for again still skips what waits for it.
    fn skip_or_open(&mut self, id: &RunId, place: usize, at: Millis) {
        let Some(run) = self.runs.get(id) else { return };
        let cause = run.snapshot.nodes[place].ups.iter().find_map(|up| match run.tasks[*up].stage {
            Stage::Failed { .. } | Stage::Cancelled { .. } => Some(*up),
            Stage::Skipped { because, .. } => Some(because),
            Stage::NotInRun | Stage::Blocked { .. } | Stage::Open { .. } | Stage::Released { .. } | Stage::Viewer => {
                None
            }
        });
        match cause {
            Some(because) => {
                self.skips.insert((id.clone(), place, because));
            }
            None => self.open_if_free(id, place, at),
        }
    }
}

fn is_reset(run: &Run, place: usize, again: &BTreeSet<usize>) -> bool {
    match run.tasks[place].stage {
        Stage::Failed { .. } => again.contains(&place),
        Stage::Skipped { because, .. } => again.contains(&because),
        Stage::NotInRun
        | Stage::Blocked { .. }
        | Stage::Open { .. }
        | Stage::Released { .. }
        | Stage::Cancelled { .. }
        | Stage::Viewer => false,
    }
}

/// Copies that ended well are kept.
fn reset_lanes(run: &mut Run, place: usize) {
    for lane in &mut run.tasks[place].lanes {
        lane.failures = 0;
        lane.lost = 0;
        if matches!(lane.step, Step::Failed { .. }) {
            lane.step = Step::Waiting;
        }
    }
}

fn missing(run: &Run, place: usize) -> usize {
    let is_missing = |up: &&usize| !matches!(run.tasks[**up].stage, Stage::Released { .. } | Stage::NotInRun);
    run.snapshot.nodes[place].ups.iter().filter(is_missing).count()
}
