//! How does a test be the shell: journal first, then act?

use engine::{
    action::Action,
    command::{Command, Refusal, StartRun, command},
    event::{By, Entry, Event},
    plan::plan,
    state::State,
    world::World,
};
use model::run::{Deed, Part, RunStatus, TaskView};

use super::{
    draw::{capacity, run_id, site, task},
    machine::Machine,
};

/// What is broken on purpose, to see that the checks see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    None,
    LaunchBeforeItsEntry,
    AdoptionSkipped,
}

pub struct Desk {
    pub journal: Vec<String>,
    pub state: State,
    pub world: World,
    pub machine: Machine,
    pub now: u64,
    pub sabotage: Sabotage,
    runs: u32,
}

impl Desk {
    pub fn new() -> Self {
        let mut desk = Desk {
            journal: Vec::new(),
            state: State::new(site()),
            world: World::new(Some(capacity())),
            machine: Machine::default(),
            now: 1_000,
            sabotage: Sabotage::None,
            runs: 0,
        };
        desk.world.observe(desk.machine.all());
        desk
    }

    pub fn write(&mut self, events: &[Event]) {
        for event in events {
            let entry = Entry::new(self.now, event.clone());
            self.journal.push(entry.write());
            self.state.apply(self.now, event);
        }
    }

    /// Plans until nothing is decided any more; the actions are what is to be asked now.
    pub fn decide(&mut self) -> Vec<Action> {
        for _ in 0..10_000 {
            let plan = plan(&self.state, &self.world, self.now);
            if plan.events.is_empty() {
                self.world.news().iter().for_each(|execution| self.state.draw(execution));
                self.state.settle();
                self.world.settle();
                return plan.actions;
            }
            if self.sabotage == Sabotage::LaunchBeforeItsEntry {
                self.launch_too_early(&plan.events);
            }
            self.world.decided(&plan.events);
            self.write(&plan.events);
        }
        panic!("the plan never comes to rest");
    }

    fn launch_too_early(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Intended { launch, .. } = event {
                self.machine.perform(&Action::Launch(launch.clone()), &self.journal);
            }
        }
    }

    pub fn act(&mut self, actions: &[Action]) {
        for action in actions {
            self.world.ask(action);
            self.machine.perform(action, &self.journal);
            if let Action::Release { execution } = action {
                self.world.released(execution);
            }
        }
    }

    pub fn turn(&mut self) {
        let actions = self.decide();
        self.act(&actions);
    }

    /// The server dies and comes back: what is known is what is written.
    pub fn restart(&mut self) {
        self.state = State::fold(site(), self.journal.iter().map(String::as_str)).unwrap();
        self.world = World::new(Some(capacity()));
        let seen = match self.sabotage {
            Sabotage::AdoptionSkipped => engine::observed::Observed::All(Vec::new()),
            Sabotage::None | Sabotage::LaunchBeforeItsEntry => self.machine.all(),
        };
        self.world.observe(seen);
    }

    pub fn ask(&mut self, wish: Command) -> Result<(), Refusal> {
        let events = command(&self.state, &wish, By::Person("Ada".into()))?;
        self.write(&events);
        Ok(())
    }

    pub fn start(&mut self, document: &str) -> String {
        self.start_part(document, Part::All).unwrap()
    }

    pub fn start_part(&mut self, document: &str, part: Part) -> Result<String, Refusal> {
        self.start_by(document, |wish| wish.part = part)
    }

    /// A run that differs from one of everything with defaults.
    pub fn start_by(&mut self, document: &str, differs: impl FnOnce(&mut StartRun)) -> Result<String, Refusal> {
        self.runs += 1;
        let name = format!("r{}", self.runs);
        let mut wish = StartRun {
            run: run_id(&name),
            document: document.into(),
            part: Part::All,
            parameters: Default::default(),
            reading: None,
            again: Default::default(),
            unchanged: Default::default(),
        };
        differs(&mut wish);
        self.ask(Command::StartRun(Box::new(wish)))?;
        self.turn();
        Ok(name)
    }

    pub fn deed(&mut self, run: &str, id: &str, deed: Deed) -> Result<(), Refusal> {
        self.ask(Command::Deed { run: run_id(run), task: task(id), deed })?;
        self.turn();
        Ok(())
    }

    pub fn tell(&mut self) {
        let all: Vec<_> = self.machine.works.keys().cloned().collect();
        for id in all {
            let one = self.machine.look(&id);
            self.world.observe(engine::observed::Observed::One(one));
        }
        self.turn();
    }

    /// Every workload goes as far as it goes by itself, with this outcome, and everything that follows.
    pub fn work(&mut self, choice: u8) {
        for _ in 0..200 {
            let before = (self.journal.len(), self.machine.works.len());
            for id in self.machine.alive() {
                self.machine.progress(&id, choice);
            }
            self.tell();
            self.now += 1_000;
            let is_moving = self.machine.works.values().any(|work| {
                matches!(
                    work.phase,
                    engine::observed::Phase::Preparing { .. }
                        | engine::observed::Phase::Running { .. }
                        | engine::observed::Phase::Ending { .. }
                ) || work.stop
            });
            if !is_moving && before == (self.journal.len(), self.machine.works.len()) {
                return;
            }
        }
    }

    /// One task goes as far as it can be used; the others wait.
    pub fn work_until_ready(&mut self, id: &str) {
        for _ in 0..3 {
            let own = self.machine.alive().into_iter().find(|one| one.task == task(id)).unwrap();
            self.machine.progress(&own, 0);
            self.tell();
        }
    }

    pub fn view(&self, run: &str, id: &str) -> TaskView {
        let run = run_id(run);
        let place = self.state.run(&run).unwrap().snapshot.place(&task(id)).unwrap();
        engine::view::one_task(&self.state, &self.world, &run, place).unwrap().1
    }

    pub fn status(&self, run: &str) -> RunStatus {
        engine::view::summary(self.state.run(&run_id(run)).unwrap()).status
    }

    pub fn started(&self) -> Vec<String> {
        self.machine.started.iter().map(|id| format!("{}/{}", id.task, id.n)).collect()
    }
}
