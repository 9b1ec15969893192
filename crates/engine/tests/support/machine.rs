//! What would a machine do with what it is asked, and does everything stay within the promises?
//!
//! It keeps the truth apart from what is told, and panics where a promise is broken.

use std::collections::{BTreeMap, BTreeSet};

use engine::{
    action::Action,
    event::{Entry, Event},
    observed::{Ended, Exit, Observation, Observed, Phase},
    state::{Stage, State},
};
use model::{ExecutionId, KindName, RunId, launch::Launch, launch::Program};

#[derive(Clone, Debug)]
pub struct Work {
    pub launch: Launch,
    pub phase: Phase,
    pub stop: bool,
    pub was_ready: bool,
}

#[derive(Default)]
pub struct Machine {
    pub works: BTreeMap<ExecutionId, Work>,
    /// Ends are kept for the checks, told or not.
    pub ended: BTreeMap<ExecutionId, Work>,
    /// Looked at by people's tests of Viewers.
    pub links: BTreeMap<ExecutionId, Vec<engine::action::Link>>,
    pub started: Vec<ExecutionId>,
    /// Folders of every task are there up to this number, of a time that no journal knows.
    pub folders: u64,
    /// Everything ever told, to be told again too late.
    pub told: Vec<Observation>,
    now: u64,
}

fn is_alive(work: &Work) -> bool {
    !matches!(work.phase, Phase::Ended(_) | Phase::Lost { .. } | Phase::Absent)
}

impl Machine {
    pub fn perform(&mut self, action: &Action, journal: &[String]) {
        match action {
            Action::Launch(launch) => self.launch(launch, journal),
            Action::Stop { execution, .. } => {
                if let Some(work) = self.works.get_mut(execution) {
                    work.stop = true;
                }
            }
            Action::Release { execution } => {
                let was_told = journal.iter().any(|line| match Entry::read(line).unwrap().event {
                    Event::Ended { execution: ended, .. } => ended == *execution,
                    _ => false,
                });
                assert!(was_told, "{execution} was released before its end was written down");
                if let Some(work) = self.works.remove(execution) {
                    assert!(!is_alive(&work), "{execution} was released while it runs");
                    self.ended.insert(execution.clone(), work);
                }
            }
            Action::Links { viewer, links } => {
                self.links.insert(viewer.clone(), links.clone());
            }
            Action::Remove { .. } => {}
        }
    }

    fn launch(&mut self, launch: &Launch, journal: &[String]) {
        let id = &launch.execution;
        let is_written = journal.iter().any(|line| match Entry::read(line).unwrap().event {
            Event::Intended { launch: written, .. } => *written == *launch,
            _ => false,
        });
        assert!(is_written, "{id} was launched before its journal entry");
        if self.works.contains_key(id) {
            return;
        }
        assert!(!self.ended.contains_key(id), "{id} was launched again after its end");
        self.check_alone(launch);
        self.check_order(launch, journal);
        self.started.push(id.clone());
        let phase = Phase::Preparing { sentence: "makes folders".into() };
        self.works.insert(id.clone(), Work { launch: launch.clone(), phase, stop: false, was_ready: false });
    }

    /// Two live workloads for one place are a doubled one, whatever their numbers.
    fn check_alone(&self, launch: &Launch) {
        let is_served = matches!(launch.program, Program::Serve { .. });
        let same = |work: &&Work| {
            work.launch.execution.task == launch.execution.task
                && work.launch.copy == launch.copy
                && (work.launch.run == launch.run || launch.kind.is_live_step() || launch.kind == KindName::Viewer)
                && matches!(work.launch.program, Program::Serve { .. }) == is_served
                && is_alive(work)
        };
        let other = self.works.values().find(same).map(|work| &work.launch.execution);
        assert!(other.is_none(), "{} was launched while {other:?} lives", launch.execution);
    }

    /// By the journal's own word and by what really ended.
    fn check_order(&self, launch: &Launch, journal: &[String]) {
        let state = State::fold(super::draw::site(), journal.iter().map(String::as_str)).unwrap();
        let run = state.run(&launch.run).unwrap();
        let Some(node) = run.snapshot.node(&launch.execution.task) else { return };
        if matches!(launch.program, Program::Serve { .. }) {
            return;
        }
        for up in &node.ups {
            let stage = &run.tasks[*up].stage;
            let is_free = matches!(stage, Stage::Released { .. } | Stage::NotInRun);
            assert!(is_free, "{} began before {}", launch.execution, run.snapshot.nodes[*up].id);
            if matches!(stage, Stage::Released { .. }) && run.tasks[*up].earlier.is_none() {
                self.check_good(&launch.run, &run.snapshot.nodes[*up].id);
            }
        }
    }

    fn check_good(&self, run: &RunId, task: &model::TaskId) {
        let of = |work: &&Work| work.launch.run == *run && work.launch.execution.task == *task;
        let is_good = |work: &Work| match (&work.phase, work.launch.kind) {
            (_, KindName::Serving) => work.was_ready,
            // A person may advance it in the moment in which it ends by itself.
            (_, kind) if kind.is_live_step() && work.was_ready => true,
            (Phase::Ended(Ended { exit: Exit::Code { code }, .. }), _) => *code == 0,
            (_, _) => false,
        };
        let found = self.works.values().chain(self.ended.values()).filter(of).any(is_good);
        assert!(found, "{task} of {run} counts as released and has no good execution");
    }

    pub fn alive(&self) -> Vec<ExecutionId> {
        self.works.iter().filter(|(_, work)| is_alive(work)).map(|(id, _)| id.clone()).collect()
    }

    pub fn all(&mut self) -> Observed {
        let all: Vec<Observation> =
            self.works.keys().cloned().collect::<Vec<_>>().iter().map(|id| self.look(id)).collect();
        Observed::All(all)
    }

    pub fn look(&mut self, id: &ExecutionId) -> Observation {
        let phase = self.works.get(id).map_or(Phase::Absent, |work| work.phase.clone());
        let one = Observation { execution: id.clone(), phase, progress: None };
        if one.phase != Phase::Absent {
            self.told.push(one.clone());
        }
        one
    }

    /// One more step of one workload; `choice` says how it goes.
    pub fn progress(&mut self, id: &ExecutionId, choice: u8) {
        self.now += 1;
        let now = self.now;
        let Some(work) = self.works.get_mut(id) else { return };
        let code =
            |code| Phase::Ended(Ended { exit: Exit::Code { code }, started: Some(now), ended: now, facts: None });
        if choice == 255 && is_alive(work) {
            work.phase = Phase::Lost { sentence: "the machine restarted".into() };
            return;
        }
        let taken = work.launch.execution.n.max(self.folders);
        if matches!(work.phase, Phase::Preparing { .. }) && (choice == 254 || self.folders == taken) {
            let exit = Exit::Taken { last: taken + u64::from(choice == 254) };
            work.phase = Phase::Ended(Ended { exit, started: None, ended: now, facts: None });
            return;
        }
        let ends_by_itself = matches!(work.launch.kind, KindName::Job | KindName::LoadData)
            || matches!(work.launch.program, Program::Pack { .. })
            || (matches!(work.launch.program, Program::Command { .. }) && work.launch.ports.is_empty());
        let next = match &work.phase {
            Phase::Preparing { .. } if work.stop => code(143),
            Phase::Preparing { .. } => Phase::Running { started: now },
            Phase::Running { .. } if work.stop => code(143),
            Phase::Running { .. } if ends_by_itself => code(i32::from(choice > 230)),
            Phase::Running { started } => Phase::Ready { started: *started, ready: now },
            Phase::Ready { started, .. } | Phase::RuleMet { started, .. } if work.stop => {
                Phase::Ending { started: *started }
            }
            Phase::Ready { started, ready } if work.launch.advance.is_some() => {
                Phase::RuleMet { started: *started, ready: *ready }
            }
            Phase::Ready { .. } if choice > 230 => code(1),
            Phase::Ending { .. } => code(0),
            phase @ (Phase::Ready { .. }
            | Phase::RuleMet { .. }
            | Phase::Ended(_)
            | Phase::Lost { .. }
            | Phase::Absent) => phase.clone(),
        };
        work.was_ready |= matches!(next, Phase::Ready { .. });
        work.phase = next;
    }

    pub fn names(&self) -> BTreeSet<String> {
        self.alive().iter().map(ToString::to_string).collect()
    }
}
