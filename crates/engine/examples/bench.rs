//! What does an event cost the planner, in small runs and in large ones?
//!
//! Runs layered graphs of no-op jobs through decide, journal line, apply and observe, as the server's loop does, with
//! eight at a time. Prints one JSON object: per size the median over some runs of the processor's microseconds an event.

use std::collections::BTreeMap;

use engine::{
    action::Action,
    command::{Command, StartRun, command},
    event::{By, Entry, Event},
    observed::{Ended, Exit, Observation, Observed, Phase},
    plan::plan,
    state::State,
    world::World,
};
use model::{
    Cpu, ExecutionId, Memory, RunId, Site,
    run::Part,
    site::{Capacity, Limits, RunnerName},
};
use serde_json::{Value, json};

const SIZES: [usize; 4] = [200, 1000, 2000, 10_000];
const ROUNDS: usize = 5;

fn main() {
    let rows: Vec<Value> = SIZES.map(row).into();
    println!("{}", json!({ "what": "planner", "rounds": ROUNDS, "sizes": rows }));
}

fn row(size: usize) -> Value {
    let document = document(size);
    let mut costs: Vec<(f64, usize)> = (0..ROUNDS).map(|_| Desk::new().run(&document, size)).collect();
    costs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (cost, events) = costs[ROUNDS / 2];
    json!({ "tasks": size, "events": events, "us_per_event": (cost * 100.0).round() / 100.0 })
}

/// One source, full layers whose tasks each read two of the layer before, one sink.
fn document(size: usize) -> String {
    let width = (((size - 2) as f64).sqrt() * 1.6).round() as usize;
    let (mut tasks, mut arrows) = (vec![job(0)], Vec::new());
    let (mut previous, mut next) = (vec![0], 1);
    while next < size {
        let layer: Vec<usize> = if next == size - 1 { vec![next] } else { (next..size - 1).take(width).collect() };
        for (row, to) in layer.iter().enumerate() {
            let all = layer.len() == 1;
            let ups = if all {
                previous.clone()
            } else {
                vec![previous[row % previous.len()], previous[(row * 7 + 3) % previous.len()]]
            };
            tasks.push(job(*to));
            arrows.extend(
                ups.iter().collect::<std::collections::BTreeSet<_>>().into_iter().map(|from| arrow(*from, *to)),
            );
        }
        next += layer.len();
        previous = layer;
    }
    json!({ "format": "fletchline/v1", "id": "p", "name": "P", "tasks": tasks, "arrows": arrows }).to_string()
}

fn job(number: usize) -> Value {
    json!({ "id": format!("t{number}"), "name": format!("t{number}"), "kind": "job", "command": ["true"] })
}

fn arrow(from: usize, to: usize) -> Value {
    json!({
        "id": format!("a{from}-{to}"), "from_task": format!("t{from}"), "from_path": "/out",
        "to_task": format!("t{to}"), "to_path": format!("/in/{from}")
    })
}

fn site() -> Site {
    Site {
        runner: RunnerName::Local,
        capacity: capacity(),
        volumes: BTreeMap::new(),
        secrets: Default::default(),
        default_images: BTreeMap::new(),
        faults: Default::default(),
        limits: Limits::default(),
    }
}

/// Room for eight jobs at a time.
fn capacity() -> Capacity {
    Capacity { cpu: Cpu(2000), memory: Memory(8 << 30), gpu: 0 }
}

/// Nanoseconds that this program was computing: others who use the machine do not count.
fn on_processor() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").expect("a system that counts");
    text.split(' ').next().and_then(|number| number.parse().ok()).expect("a number comes first")
}

/// The server's loop without a disk and processes.
struct Desk {
    state: State,
    world: World,
    events: usize,
    running: Vec<ExecutionId>,
}

impl Desk {
    fn new() -> Self {
        let mut world = World::new(Some(capacity()));
        world.observe(Observed::All(Vec::new()));
        Desk { state: State::new(site()), world, events: 0, running: Vec::new() }
    }

    /// Microseconds an event, and how many there were. Reading the document is not counted.
    fn run(mut self, document: &str, size: usize) -> (f64, usize) {
        let run = RunId::new("r").expect("an id");
        let start = StartRun {
            run: run.clone(),
            document: document.to_owned(),
            part: Part::All,
            parameters: Default::default(),
            reading: None,
            again: Default::default(),
            unchanged: Default::default(),
        };
        let events =
            command(&self.state, &Command::StartRun(Box::new(start)), By::Person("you".into())).expect("a good run");
        self.take(events);
        self.events = 0;
        let begun = on_processor();
        self.turn();
        while !self.running.is_empty() {
            self.work();
        }
        let micros = (on_processor() - begun) / 1e3;
        assert!(self.state.run(&run).is_some_and(|run| run.has_ended()), "the run has ended");
        assert!(self.events > 3 * size, "every job was intended, ready and ended");
        (micros / self.events as f64, self.events)
    }

    /// The oldest one begins and ends.
    fn work(&mut self) {
        let execution = self.running.remove(0);
        let ended = Ended { exit: Exit::Code { code: 0 }, started: Some(1), ended: 2, facts: None };
        for phase in [Phase::Ready { started: 1, ready: 1 }, Phase::Ended(ended)] {
            let one = Observation { execution: execution.clone(), phase, progress: None };
            self.world.observe(Observed::One(one));
            self.turn();
        }
    }

    fn turn(&mut self) {
        loop {
            let plan = plan(&self.state, &self.world, 3);
            if plan.events.is_empty() {
                plan.actions.iter().for_each(|action| self.act(action));
                self.state.settle();
                self.world.settle();
                self.state.take_touched();
                return;
            }
            self.take(plan.events);
        }
    }

    fn take(&mut self, events: Vec<Event>) {
        for event in events {
            self.state.apply(3, &event);
            std::hint::black_box(Entry::new(3, event).write());
            self.events += 1;
        }
    }

    fn act(&mut self, action: &Action) {
        self.world.ask(action);
        match action {
            Action::Launch(launch) => self.running.push(launch.execution.clone()),
            Action::Release { execution } => self.world.released(execution),
            Action::Stop { .. } | Action::Links { .. } | Action::Remove { .. } => {}
        }
    }
}
