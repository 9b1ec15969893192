//! What does the runner see at this moment, and what was it asked?
//!
//! Nothing here is kept: after a restart the runner tells it again, and is asked again.

use std::collections::{BTreeMap, BTreeSet};

use model::{ExecutionId, run::Millis, site::Capacity};

use crate::{
    action::{Action, Link},
    event::Event,
    observed::{Ended, Exit, Observation, Observed, Phase},
};

pub struct World {
    /// Nothing is concluded from what is not seen before the runner has told all.
    looked: bool,
    /// The most that tasks may take together; none where a cluster decides.
    pub budget: Option<Capacity>,
    seen: BTreeMap<ExecutionId, Observation>,
    asked: BTreeMap<ExecutionId, Asked>,
    links: BTreeMap<ExecutionId, Vec<Link>>,
    /// Not to be asked again before.
    later: BTreeMap<ExecutionId, Millis>,
    news: BTreeSet<ExecutionId>,
}

/// What was asked for one execution since the runner last told all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub launch: bool,
    pub stop: bool,
    pub release: bool,
}

impl World {
    pub fn new(budget: Option<Capacity>) -> Self {
        World {
            looked: false,
            budget,
            seen: BTreeMap::new(),
            asked: BTreeMap::new(),
            links: BTreeMap::new(),
            later: BTreeMap::new(),
            news: BTreeSet::new(),
        }
    }

    /// Takes in what a runner tells. What is told twice, or too late, changes nothing.
    pub fn observe(&mut self, observed: Observed) {
        match observed {
            Observed::All(all) => self.observe_all(all),
            Observed::One(one) => self.observe_one(one),
        }
    }

    fn observe_all(&mut self, all: Vec<Observation>) {
        self.news.extend(self.seen.keys().chain(self.asked.keys()).cloned());
        self.seen.clear();
        self.asked.clear();
        self.links.clear();
        self.later.clear();
        self.looked = true;
        for one in all {
            self.news.insert(one.execution.clone());
            self.seen.insert(one.execution.clone(), one);
        }
    }

    fn observe_one(&mut self, one: Observation) {
        if self.seen.get(&one.execution).is_some_and(|before| rank(&before.phase) > rank(&one.phase)) {
            return;
        }
        if one.phase == Phase::Absent {
            // A launch that left no trace is asked again.
            self.asked.remove(&one.execution);
        }
        self.news.insert(one.execution.clone());
        self.seen.insert(one.execution.clone(), one);
    }

    /// Of what was just decided. What was seen of an execution before it was intended is somebody else's: its launch is
    /// asked, and whoever finds the other one there says so.
    pub fn decided(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Intended { launch, .. } = event {
                self.seen.remove(&launch.execution);
            }
        }
    }

    pub fn has_looked(&self) -> bool {
        self.looked
    }

    pub fn seen(&self, execution: &ExecutionId) -> Option<&Observation> {
        self.seen.get(execution)
    }

    pub(crate) fn asked(&self, execution: &ExecutionId) -> Asked {
        self.asked.get(execution).copied().unwrap_or_default()
    }

    pub(crate) fn links(&self, viewer: &ExecutionId) -> Option<&Vec<Link>> {
        self.links.get(viewer)
    }

    pub(crate) fn is_later(&self, execution: &ExecutionId, now: Millis) -> bool {
        self.later.get(execution).is_some_and(|at| *at > now)
    }

    /// What something new is known of since the world was last [settled](World::settle).
    pub fn news(&self) -> &BTreeSet<ExecutionId> {
        &self.news
    }

    /// Executions whose asking is due again.
    pub(crate) fn due(&self, now: Millis) -> impl Iterator<Item = &ExecutionId> {
        self.later.iter().filter(move |(_, at)| **at <= now).map(|(execution, _)| execution)
    }

    pub(crate) fn next_due(&self) -> Option<Millis> {
        self.later.values().min().copied()
    }

    /// An action is handed to the runner.
    pub fn ask(&mut self, action: &Action) {
        match action {
            Action::Launch(launch) => self.note(&launch.execution).launch = true,
            Action::Stop { execution, .. } => self.note(execution).stop = true,
            Action::Release { execution } => {
                self.links.remove(execution);
                self.note(execution).release = true;
            }
            Action::Links { viewer, links } => {
                self.links.insert(viewer.clone(), links.clone());
            }
            // Of executions that nobody plans for any more.
            Action::Remove { .. } => {}
        }
    }

    fn note(&mut self, execution: &ExecutionId) -> &mut Asked {
        self.later.remove(execution);
        self.asked.entry(execution.clone()).or_default()
    }

    /// The runner has accepted a release: nothing more will be asked for this execution.
    pub fn released(&mut self, execution: &ExecutionId) {
        self.asked.remove(execution);
        self.seen.remove(execution);
    }

    /// The runner could not take an action now: it is asked again at `again`.
    pub fn failed(&mut self, action: &Action, again: Millis) {
        let execution = match action {
            // The next start asks for it again.
            Action::Remove { .. } => return,
            Action::Launch(launch) => &launch.execution,
            Action::Stop { execution, .. }
            | Action::Release { execution }
            | Action::Links { viewer: execution, .. } => execution,
        };
        let asked = self.asked.entry(execution.clone()).or_default();
        match action {
            Action::Launch(_) => asked.launch = false,
            Action::Stop { .. } => asked.stop = false,
            Action::Release { .. } => asked.release = false,
            Action::Links { .. } => {
                self.links.remove(execution);
            }
            Action::Remove { .. } => {}
        }
        self.later.insert(execution.clone(), again);
        self.news.insert(execution.clone());
    }

    /// The runner will never take this launch.
    pub fn refused(&mut self, execution: &ExecutionId, sentence: String, now: Millis) {
        let ended = Ended { exit: Exit::NotStarted { sentence }, started: None, ended: now, facts: None };
        self.news.insert(execution.clone());
        self.seen.entry(execution.clone()).or_insert(Observation {
            execution: execution.clone(),
            phase: Phase::Ended(ended),
            progress: None,
        });
    }

    /// Everything was looked at and asked.
    pub fn settle(&mut self) {
        self.news.clear();
    }
}

/// The order of phases of one execution never goes back.
fn rank(phase: &Phase) -> u8 {
    match phase {
        Phase::Preparing { .. } => 1,
        Phase::Running { .. } => 2,
        Phase::Ready { .. } => 3,
        Phase::RuleMet { .. } => 4,
        Phase::Ending { .. } => 5,
        // A live look found nothing: only an end that was told says more.
        Phase::Absent => 6,
        Phase::Ended(_) | Phase::Lost { .. } => 7,
    }
}
