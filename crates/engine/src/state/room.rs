//! Is there room on this machine, and who waits for it?
//!
//! What waits is kept by what it takes, so that room that becomes free costs a look at each distinct need and not at
//! each waiting task.

use std::collections::{BTreeMap, BTreeSet};

use model::{ExecutionId, launch::Need, site::Capacity};

use crate::event::Place;

/// What one execution takes. Without figures of its own a quick one (Load Data, Job, packing) still takes a turn:
/// a thousand ready copies do not start at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class {
    pub cpu: u32,
    pub memory: u64,
    pub gpu: u32,
    pub quick: bool,
}

impl Class {
    pub fn new(need: Need, quick: bool) -> Self {
        Class {
            cpu: need.cpu.map_or(0, |cpu| cpu.0),
            memory: need.memory.map_or(0, |memory| memory.0),
            gpu: need.gpu,
            quick,
        }
    }

    pub fn takes(self) -> bool {
        self.cpu > 0 || self.memory > 0 || self.gpu > 0
    }
}

/// The sum of what is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub cpu: u64,
    pub memory: u64,
    pub gpu: u64,
    pub quick: u32,
}

/// What a waiting task lacks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    Gpu,
    Memory,
    Cpu,
    Turn,
}

impl Sum {
    pub fn add(&mut self, class: Class) {
        self.cpu += u64::from(class.cpu);
        self.memory += class.memory;
        self.gpu += u64::from(class.gpu);
        self.quick += u32::from(class.quick);
    }

    fn remove(&mut self, class: Class) {
        self.cpu -= u64::from(class.cpu);
        self.memory -= class.memory;
        self.gpu -= u64::from(class.gpu);
        self.quick -= u32::from(class.quick);
    }

    /// What is missing for one more of this class; `None`: it fits. A cluster (no budget) decides by itself.
    pub fn lacks(&self, class: Class, budget: Option<&Capacity>) -> Option<Lack> {
        let budget = budget?;
        let turns = (budget.cpu.0 / 1000 * 4).max(8);
        if class.gpu > 0 && self.gpu + u64::from(class.gpu) > u64::from(budget.gpu) {
            Some(Lack::Gpu)
        } else if class.memory > 0 && self.memory + class.memory > budget.memory.0 {
            Some(Lack::Memory)
        } else if class.cpu > 0 && self.cpu + u64::from(class.cpu) > u64::from(budget.cpu.0) {
            Some(Lack::Cpu)
        } else if class.quick && self.quick >= turns {
            Some(Lack::Turn)
        } else {
            None
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Room {
    pub taken: Sum,
    /// In the order in which they began to wait.
    pub queues: BTreeMap<Class, BTreeMap<u64, Place>>,
    /// Live executions that take processors, memory or GPUs.
    pub holders: BTreeSet<ExecutionId>,
}

impl Room {
    pub fn enter(&mut self, class: Class, ticket: u64, place: Place) {
        self.queues.entry(class).or_default().insert(ticket, place);
    }

    pub fn leave(&mut self, class: Class, ticket: u64) {
        if let Some(queue) = self.queues.get_mut(&class) {
            queue.remove(&ticket);
            if queue.is_empty() {
                self.queues.remove(&class);
            }
        }
    }

    pub fn take(&mut self, class: Class, execution: &ExecutionId) {
        self.taken.add(class);
        if class.takes() {
            self.holders.insert(execution.clone());
        }
    }

    pub fn give_back(&mut self, class: Class, execution: &ExecutionId) {
        self.taken.remove(class);
        self.holders.remove(execution);
    }
}
