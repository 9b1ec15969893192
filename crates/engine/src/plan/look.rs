//! What follows from what the runner sees of one execution?

use model::{ExecutionId, KindName, kind::Replace, run::Millis};

use super::Draft;
use crate::{
    action::Action,
    event::{By, End, Event, Place, Role, Why},
    observed::{Ended, Phase},
    state::{Execution, Life, Memory, ServiceStep, Stage},
};

impl Draft<'_> {
    pub(super) fn look(&mut self, execution: &ExecutionId, known: &Execution) {
        let phase = self.world.seen(execution).map(|seen| &seen.phase);
        match &known.life {
            Life::Over { .. } => self.over(execution, phase),
            Life::Intended | Life::Started { .. } | Life::Ready { .. } => match phase {
                None | Some(Phase::Absent) => self.absent(execution, known),
                Some(Phase::Preparing { .. }) => self.stop(execution, known),
                Some(Phase::Running { started } | Phase::Ending { started }) => {
                    self.running(execution, known, *started);
                    self.stop(execution, known);
                }
                Some(Phase::Ready { started, ready }) => self.ready(execution, known, *started, *ready, false),
                Some(Phase::RuleMet { started, ready }) => self.ready(execution, known, *started, *ready, true),
                Some(Phase::Ended(ended)) => self.ended(execution, known, ended),
                Some(Phase::Lost { sentence }) => {
                    self.end(execution, known, End::Lost { sentence: sentence.clone() }, None);
                }
            },
        }
    }

    fn ask(&mut self, execution: &ExecutionId, action: Action) {
        if !self.world.is_later(execution, self.now) {
            self.plan.actions.push(action);
        }
    }

    /// Its end is written down; what the runner keeps to tell it may go.
    fn over(&mut self, execution: &ExecutionId, phase: Option<&Phase>) {
        let asked = self.world.asked(execution);
        match phase {
            None | Some(Phase::Absent) => {}
            Some(Phase::Ended(_) | Phase::Lost { .. }) => {
                if !asked.release {
                    self.ask(execution, Action::Release { execution: execution.clone() });
                }
            }
            // Given up as lost, and there after all.
            Some(
                Phase::Preparing { .. }
                | Phase::Running { .. }
                | Phase::Ready { .. }
                | Phase::RuleMet { .. }
                | Phase::Ending { .. },
            ) => {
                if !asked.stop {
                    self.ask(
                        execution,
                        Action::Stop { execution: execution.clone(), grace: self.state.site.limits.grace },
                    );
                }
            }
        }
    }

    fn absent(&mut self, execution: &ExecutionId, known: &Execution) {
        let asked = self.world.asked(execution);
        match (&known.life, &known.launch) {
            (Life::Started { .. } | Life::Ready { .. }, _) => {
                let sentence = "it is gone without a trace".to_owned();
                self.end(execution, known, End::Lost { sentence }, None);
            }
            (Life::Intended | Life::Over { .. }, _) if known.stop.is_some() => match asked.launch {
                true => self.stop(execution, known),
                false => self.end(execution, known, End::NeverStarted, None),
            },
            (Life::Intended | Life::Over { .. }, Some(launch)) if !asked.launch => {
                self.ask(execution, Action::Launch(Box::new((**launch).clone())));
            }
            (Life::Intended | Life::Over { .. }, Some(_) | None) => {}
        }
    }

    fn stop(&mut self, execution: &ExecutionId, known: &Execution) {
        if known.stop.is_some() && !self.world.asked(execution).stop {
            let grace = known.launch.as_ref().map_or(self.state.site.limits.grace, |launch| launch.grace);
            self.ask(execution, Action::Stop { execution: execution.clone(), grace });
        }
    }

    fn running(&mut self, execution: &ExecutionId, known: &Execution, started: Millis) {
        match known.life {
            Life::Intended => self.plan.events.push(Event::Started { execution: execution.clone(), started }),
            Life::Started { .. } | Life::Ready { .. } | Life::Over { .. } => {}
        }
    }

    fn ready(&mut self, execution: &ExecutionId, known: &Execution, started: Millis, ready: Millis, is_met: bool) {
        if matches!(known.kind, KindName::Job | KindName::LoadData) || known.role == Role::Pack {
            self.running(execution, known, started);
        } else if !matches!(known.life, Life::Ready { .. }) {
            self.plan.events.push(Event::Ready { execution: execution.clone(), started, ready });
            self.become_live(execution, known);
        } else if is_met && known.stop.is_none() {
            self.advance_by_rule(execution, known);
        }
        self.stop(execution, known);
        self.plan_links_of(execution, known);
    }

    fn advance_by_rule(&mut self, execution: &ExecutionId, known: &Execution) {
        let Some((run, node)) = self.state.node_of(&known.place) else { return };
        let is_open =
            run.snapshot.place(&node.id).is_some_and(|place| matches!(run.tasks[place].stage, Stage::Open { .. }));
        if is_open {
            let event = advance(execution, node.task.kind.stays_open(), By::Rule);
            self.plan.events.push(event);
        }
    }

    /// The first good version of a Serving becomes live by itself; a later one where the task says so or a person did.
    fn become_live(&mut self, execution: &ExecutionId, known: &Execution) {
        let Place::Service { pipeline, task, packed } = &known.place else { return };
        let Some(memory) = self.state.memory(pipeline, task) else { return };
        let is_automatic = match self.state.node_of(&known.place).map(|(_, node)| &node.task.kind) {
            Some(model::Kind::Serving(serving)) => serving.replace == Replace::Automatic,
            Some(
                model::Kind::LoadData(_)
                | model::Kind::Container(_)
                | model::Kind::Notebook(_)
                | model::Kind::Job(_)
                | model::Kind::Viewer(_)
                | model::Kind::Volume(_),
            )
            | None => return,
        };
        let is_newer = memory.live.is_none_or(|live| live < *packed);
        if known.stop.is_none() && (!has_live(memory) || memory.wanted == Some(*packed) || is_automatic && is_newer) {
            self.plan.events.extend(make_live(memory, execution, *packed, By::Rule));
        }
    }

    fn ended(&mut self, execution: &ExecutionId, known: &Execution, ended: &Ended) {
        let end = End::Exited { exit: ended.exit.clone(), started: ended.started, ended: ended.ended };
        self.end(execution, known, end, ended.facts.clone());
    }

    fn end(&mut self, execution: &ExecutionId, known: &Execution, end: End, facts: Option<serde_json::Value>) {
        let then = self.verdict(known, &end);
        self.plan.events.push(Event::Ended { execution: execution.clone(), end, then, facts });
    }
}

/// How a live step is advanced: it ends, or it lets the run go on and stays.
pub(crate) fn advance(execution: &ExecutionId, stays_open: bool, by: By) -> Event {
    match stays_open {
        true => Event::Released { execution: execution.clone(), by },
        false => Event::StopAsked { execution: execution.clone(), why: Why::Advanced, by },
    }
}

/// Whether the version with the address answers.
fn has_live(memory: &Memory) -> bool {
    let step = memory.live.and_then(|live| memory.services.get(&live)).map(|service| &service.step);
    matches!(step, Some(ServiceStep::Live { .. } | ServiceStep::Queued { .. }))
}

/// Moves the address to a version, and ends the one that had it.
pub(crate) fn make_live(memory: &Memory, execution: &ExecutionId, packed: u64, by: By) -> Vec<Event> {
    let (pipeline, task) = (execution.pipeline.clone(), execution.task.clone());
    let mut events = vec![Event::MadeLive { pipeline, task, packed, by: by.clone() }];
    let old = memory.live.filter(|live| *live != packed).and_then(|live| memory.services.get(&live));
    match old.map(|service| &service.step) {
        Some(ServiceStep::Live { n, .. }) => {
            let old = ExecutionId { n: *n, ..execution.clone() };
            events.push(Event::StopAsked { execution: old, why: Why::Replaced, by });
        }
        Some(ServiceStep::Off | ServiceStep::Queued { .. } | ServiceStep::Broken { .. }) | None => {}
    }
    events
}
