//! What does the one task do, over and over?

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use engine::{
    action::Action,
    command::{Refusal, command},
    event::{By, Entry, Event},
    observed::Observed,
    plan::plan,
    state::{Gone, State},
    view,
};
use model::{KindName, RunId, Site, run::Millis};
use tokio::sync::{mpsc, oneshot};

use super::{
    Asked, Brain, Mark, RunChange, Shared, StartError,
    duties::{Done, Duties, execution_of},
};
use crate::{
    runner::{Runner, RunnerError},
    store::{Store, StoreError, StoredEvent},
};

/// Events read at once from the journal.
const CHUNK: u32 = 2000;
/// Before a runner that did not answer, or a disk that was full, is asked again.
const PATIENCE: Millis = 1000;
/// Executions that pages are told of in a millisecond. A Job with thousands of copies is told as a whole whenever one of
/// them changes: to make, send and draw that a hundred times a second helps nobody.
const TOLD: usize = 10;
/// Pages are told no oftener than they draw: what changes several times within that is told once.
const FRAME: Millis = 16;
/// Between two looks at everything that waits for room, whose sentences say who holds it.
const LINE: Millis = 250;

type Marks = BTreeMap<RunId, Mark>;
type Answer = (oneshot::Sender<Result<(), Refusal>>, Result<(), Refusal>);

/// The state that the journal tells.
pub async fn fold(store: &dyn Store, site: Site) -> Result<(State, Marks), StartError> {
    let (mut state, mut marks, mut seen) = (State::new(site), Marks::new(), 0);
    loop {
        let chunk = store.events_after(seen, CHUNK).await?;
        let Some(last) = chunk.last() else { return Ok((state, marks)) };
        seen = last.seq;
        for stored in chunk {
            let entry = state.take_in(&stored.body)?;
            mark(&mut marks, &state, &entry.event, stored.seq);
        }
    }
}

fn mark(marks: &mut Marks, state: &State, event: &Event, seq: u64) {
    if let Some(run) = view::run_of(state, event) {
        let mark = marks.entry(run.clone()).or_insert(Mark { first: seq, ..Mark::default() });
        mark.last = seq;
        mark.events += 1;
        mark.told = 0;
    }
}

/// Starts the loop; it ends with the last handle.
pub async fn spawn(
    runner: Arc<dyn Runner>,
    shared: Arc<Shared>,
    asked: mpsc::Receiver<Asked>,
) -> Result<(), StartError> {
    let observations = runner.observe().await?;
    let duties = Duties::new(runner.clone());
    let the = Loop { runner, shared, asked, observations, duties, wake: None, tell_again: 0, line_again: 0 };
    tokio::spawn(async move {
        if let Err(error) = the.run().await {
            // What was decided is not on the disk: doing it could do it twice.
            tracing::error!("{error}");
            std::process::exit(1);
        }
    });
    Ok(())
}

struct Loop {
    runner: Arc<dyn Runner>,
    shared: Arc<Shared>,
    asked: mpsc::Receiver<Asked>,
    observations: mpsc::Receiver<Observed>,
    duties: Duties,
    wake: Option<Millis>,
    /// Pages are told no sooner.
    tell_again: Millis,
    /// Nor those of what waits in the line for room.
    line_again: Millis,
}

/// What one look at everything decided.
struct Decided {
    entries: Vec<Entry>,
    answers: Vec<Answer>,
    actions: Vec<Action>,
}

impl Loop {
    async fn run(mut self) -> Result<(), StoreError> {
        loop {
            let mut asked = Vec::new();
            let wait =
                self.wake.map_or(Duration::from_secs(3600), |at| Duration::from_millis(at.saturating_sub(now())));
            tokio::select! {
                command = self.asked.recv() => match command {
                    Some(command) => asked.push(command),
                    None => return Ok(()),
                },
                seen = self.observations.recv() => self.see(seen).await,
                done = self.duties.done() => self.take(done),
                () = tokio::time::sleep(wait) => {}
            }
            self.drain(&mut asked);
            self.settle(asked).await?;
        }
    }

    /// What is there already is decided together, in one transaction.
    fn drain(&mut self, asked: &mut Vec<Asked>) {
        while let Ok(command) = self.asked.try_recv() {
            asked.push(command);
        }
        while let Ok(seen) = self.observations.try_recv() {
            self.brain().world.observe(seen);
        }
        while let Some(done) = self.duties.try_done() {
            self.take(done);
        }
    }

    fn brain(&self) -> std::sync::RwLockWriteGuard<'_, Brain> {
        self.shared.brain.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A runner whose stream broke is asked for a new one, which begins with everything it has.
    async fn see(&mut self, seen: Option<Observed>) {
        match seen {
            Some(seen) => self.brain().world.observe(seen),
            None => match self.runner.observe().await {
                Ok(observations) => self.observations = observations,
                Err(error) => {
                    tracing::warn!("the runner cannot be observed: {error}");
                    tokio::time::sleep(Duration::from_millis(PATIENCE)).await;
                }
            },
        }
    }

    /// A launch that was refused has ended; what did not answer is asked again.
    fn take(&mut self, Done { action, outcome }: Done) {
        let execution = execution_of(&action);
        let world = &mut self.brain().world;
        match (outcome, &action) {
            (Ok(()), Action::Release { .. }) => world.released(execution),
            (Ok(()), Action::Launch(_) | Action::Stop { .. } | Action::Links { .. } | Action::Remove { .. }) => {}
            (Err(RunnerError::Refused(sentence)), Action::Launch(_)) => world.refused(execution, sentence, now()),
            (Err(error), action) => {
                tracing::warn!("{execution}: {error}");
                world.failed(action, now() + PATIENCE);
            }
        }
    }

    async fn settle(&mut self, asked: Vec<Asked>) -> Result<(), StoreError> {
        let Decided { entries, answers, actions } = self.decide(asked);
        if !entries.is_empty() {
            let events: Vec<StoredEvent> =
                entries.iter().map(|entry| StoredEvent { at: entry.at, body: entry.write() }).collect();
            let last = self.append(&events).await?;
            self.mark(&entries, last + 1 - entries.len() as u64);
        }
        for (answer, outcome) in answers {
            // Who asked may have gone.
            let _ = answer.send(outcome);
        }
        self.duties.perform(actions);
        self.remove();
        self.tell();
        Ok(())
    }

    /// Waits while the disk is full: what was decided stays decided, and nothing of it was done.
    async fn append(&self, events: &[StoredEvent]) -> Result<u64, StoreError> {
        loop {
            match self.shared.store.append(events).await {
                Err(error @ StoreError::Full) => {
                    if !self.shared.full.send_replace(true) {
                        tracing::error!("{error} Nothing is started or stopped until then.");
                    }
                    tokio::time::sleep(Duration::from_millis(PATIENCE)).await;
                }
                written => {
                    // Each event comes by here: who waits is woken by a change alone.
                    self.shared.full.send_if_modified(std::mem::take);
                    return written;
                }
            }
        }
    }

    /// Commands first, then whatever follows, until nothing does.
    fn decide(&mut self, asked: Vec<Asked>) -> Decided {
        let at = now();
        let mut brain = self.shared.brain.write().unwrap_or_else(PoisonError::into_inner);
        let Brain { state, world, .. } = &mut *brain;
        let (mut entries, mut answers) = (Vec::new(), Vec::new());
        for Asked { command: wish, answer } in asked {
            let events = command(state, &wish, By::Person("you".into()));
            answers.push((answer, events.map(|events| fold_in(state, &mut entries, events, at))));
        }
        loop {
            let plan = plan(state, world, at);
            if plan.events.is_empty() {
                self.wake = plan.wake;
                plan.actions.iter().for_each(|action| world.ask(action));
                world.news().iter().for_each(|execution| state.draw(execution));
                state.settle();
                world.settle();
                return Decided { entries, answers, actions: plan.actions };
            }
            world.decided(&plan.events);
            fold_in(state, &mut entries, plan.events, at);
        }
    }

    fn mark(&self, entries: &[Entry], first: u64) {
        let Brain { state, marks, .. } = &mut *self.brain();
        for (seq, entry) in (first..).zip(entries) {
            mark(marks, state, &entry.event, seq);
        }
    }

    /// Only what the journal lets go; after what was asked of the same executions before.
    fn remove(&mut self) {
        let gone = self.brain().state.take_gone();
        let remove = |Gone { execution, whole }| Action::Remove { execution, whole };
        self.duties.perform(gone.into_iter().map(remove).collect());
    }

    fn wake_by(&mut self, at: Millis) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    /// Tells pages what changed since the last time, now or a little later.
    fn tell(&mut self) {
        let at = now();
        if at < self.tell_again {
            return self.wake_by(self.tell_again);
        }
        let shared = self.shared.clone();
        let mut brain = shared.brain.write().unwrap_or_else(PoisonError::into_inner);
        let Brain { state, world, marks } = &mut *brain;
        let mut told = 0;
        let listens = shared.changes.receiver_count() > 0;
        if listens && state.is_line_touched() {
            if at < self.line_again {
                self.wake_by(self.line_again);
            } else {
                state.touch_line();
                self.line_again = at + LINE;
            }
        }
        let (tasks, runs) = state.take_touched();
        if tasks.iter().any(|(run, place)| is_serving(state, run, *place)) {
            self.shared.servings.send_replace(());
        }
        for run in &runs {
            marks.entry(run.clone()).and_modify(|mark| mark.told = mark.told.wrapping_add(1));
        }
        if !listens {
            return;
        }
        for id in runs {
            let Some(run) = state.run(&id) else { continue };
            let touched = tasks.range((id.clone(), 0)..=(id.clone(), usize::MAX));
            let tasks: BTreeMap<_, _> =
                touched.filter_map(|(run, place)| view::one_task(state, world, run, *place)).collect();
            told += tasks.values().map(|task| task.executions.len()).sum::<usize>();
            let version = marks.get(&id).map_or(0, Mark::version);
            // Without a listener there is nobody to tell.
            let _ = shared.changes.send(RunChange { summary: view::summary(run), version, tasks });
        }
        self.tell_again = at + FRAME.max((told / TOLD) as Millis);
    }
}

fn is_serving(state: &State, run: &RunId, place: usize) -> bool {
    state.run(run).is_some_and(|run| run.snapshot.nodes[place].kind == KindName::Serving)
}

fn fold_in(state: &mut State, entries: &mut Vec<Entry>, events: Vec<Event>, at: Millis) {
    for event in events {
        state.apply(at, &event);
        entries.push(Entry::new(at, event));
    }
}

pub fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}
