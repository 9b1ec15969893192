//! How does a test draw a pipeline in a few lines?

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Cpu, Memory, RunId, Site, TaskId,
    site::{Capacity, Limits, RunnerName},
};
use serde_json::{Value, json};

pub fn task(id: &str) -> TaskId {
    TaskId::new(id).unwrap()
}

pub fn run_id(id: &str) -> RunId {
    RunId::new(id).unwrap()
}

pub fn capacity() -> Capacity {
    Capacity { cpu: Cpu(4000), memory: Memory(8 << 30), gpu: 1 }
}

pub fn site() -> Site {
    Site {
        runner: RunnerName::Local,
        capacity: capacity(),
        volumes: BTreeMap::new(),
        secrets: BTreeSet::new(),
        default_images: BTreeMap::new(),
        faults: Default::default(),
        limits: Limits::default(),
    }
}

/// A document under construction; a task is called as its id.
#[derive(Clone, Default)]
pub struct Draw {
    parameters: Vec<Value>,
    tasks: Vec<Value>,
    arrows: Vec<Value>,
}

impl Draw {
    pub fn new() -> Self {
        Draw::default()
    }

    pub fn with(mut self, id: &str, kind: &str, fields: Value) -> Self {
        let mut task = fields;
        task["id"] = id.into();
        task["name"] = id.into();
        task["kind"] = kind.into();
        self.tasks.push(task);
        self
    }

    pub fn parameter(mut self, name: &str, default: &str) -> Self {
        self.parameters.push(json!({"name": name, "type": "text", "default": default}));
        self
    }

    pub fn job(self, id: &str) -> Self {
        self.with(id, "job", json!({"command": ["true"]}))
    }

    /// Data from `/out` of the one to `/in/<its name>` of the other.
    pub fn arrow(self, from: &str, to: &str) -> Self {
        let (from_path, to_path) = ("/out".to_owned(), format!("/in/{from}"));
        self.arrow_with(from, &from_path, to, &to_path)
    }

    pub fn arrow_with(mut self, from: &str, from_path: &str, to: &str, to_path: &str) -> Self {
        let id = format!("a{}", self.arrows.len());
        self.arrows.push(json!({
            "id": id, "from_task": from, "from_path": from_path, "to_task": to, "to_path": to_path
        }));
        self
    }

    pub fn text(&self) -> String {
        json!({"format": "fletchline/v1", "id": "p", "name": "P", "parameters": self.parameters, "tasks": self.tasks,
            "arrows": self.arrows})
        .to_string()
    }
}
