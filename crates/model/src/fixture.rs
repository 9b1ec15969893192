//! How does a test draw a pipeline in a few lines?

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    Acl, Arrow, ArrowId, Cpu, KindName, Memory, Pipeline, PipelineId, Site, Task, TaskId, Unknown,
    kind::Kind,
    site::{Capacity, Limits, RunnerName, SiteVolume},
};

pub fn id(text: &str) -> TaskId {
    TaskId::new(text).expect("a test's id")
}

/// A pipeline under construction. Tasks are called as their ids, with a capital.
pub struct Build(Pipeline);

impl Build {
    pub fn new() -> Build {
        Build(Pipeline::new(PipelineId::new("p").expect("a letter"), "Test"))
    }

    pub fn task(self, id: &str, kind: KindName) -> Build {
        let fields = serde_json::to_value(Kind::new(kind)).expect("a kind is JSON");
        self.put(id, fields)
    }

    /// Fields as in a document; `kind` among them.
    pub fn with(self, id: &str, kind: KindName, mut fields: Value) -> Build {
        fields["kind"] = kind.key().into();
        self.put(id, fields)
    }

    fn put(mut self, text: &str, mut fields: Value) -> Build {
        let name = text[..1].to_uppercase() + &text[1..];
        let at = fields.as_object_mut().expect("an object");
        at.insert("id".into(), json!(text));
        at.entry("name").or_insert(json!(name));
        let task: Task = serde_json::from_value(fields).expect("a test's task");
        self.0.tasks.insert(id(text), Arc::new(task));
        self
    }

    pub fn arrow(self, from: &str, from_path: &str, to: &str, to_path: &str) -> Build {
        self.arrow_acl(from, from_path, to, to_path, Acl::ReadOnly)
    }

    pub fn arrow_acl(mut self, from: &str, from_path: &str, to: &str, to_path: &str, acl: Acl) -> Build {
        let arrow = ArrowId::new(format!("a{}", self.0.arrows.len() + 1)).expect("a letter and digits");
        let (from_task, to_task) = (id(from), id(to));
        let (from_path, to_path) = (from_path.into(), to_path.into());
        let made = Arrow { id: arrow.clone(), from_task, from_path, to_task, to_path, acl, unknown: Unknown::new() };
        self.0.arrows.insert(arrow, Arc::new(made));
        self
    }

    /// A parameter `name: type = default`.
    pub fn parameter(mut self, name: &str, kind: &str, default: &str) -> Build {
        let parameter = json!({"name": name, "type": kind, "default": default});
        let parameter = serde_json::from_value(parameter).expect("a test's parameter");
        Arc::make_mut(&mut self.0.settings).parameters.push(parameter);
        self
    }

    pub fn done(self) -> Pipeline {
        self.0
    }
}

/// A machine with 4 processors, 16 GiB and no GPU, a writable volume `nas` that holds results and a read-only `data`.
pub fn site() -> Site {
    let volume = |access, holds_results| SiteVolume { access, holds_results };
    Site {
        runner: RunnerName::Local,
        capacity: Capacity { cpu: Cpu(4000), memory: Memory(16 << 30), gpu: 0 },
        volumes: [("nas".into(), volume(Acl::ReadWrite, true)), ("data".into(), volume(Acl::ReadOnly, false))].into(),
        secrets: ["hub".to_owned()].into(),
        default_images: Default::default(),
        faults: Default::default(),
        limits: Limits::default(),
    }
}

/// The same on a cluster, with an image for every kind.
pub fn cluster() -> Site {
    let image = |kind: KindName| (kind, format!("registry.example/{}:1", kind.key()));
    Site { runner: RunnerName::Kubernetes, default_images: KindName::ALL.map(image).into(), ..site() }
}

/// Load, explore, train in three copies, watch, serve: one task of every kind but Container.
pub fn digits() -> Pipeline {
    let files =
        |names: &[&str]| names.iter().map(|name| json!({"name": name, "text": service(name)})).collect::<Vec<_>>();
    let train = json!({"command": ["python", "/code/train.py", "--lr={{LR}}", "--epochs={{epochs}}"],
        "copies": {"LR": ["0.01", "0.1", "1"]}, "retries": 1, "tolerate_failed_copies": true});
    Build::new()
        .parameter("epochs", "integer", "20")
        .with("data", KindName::LoadData, json!({"sources": [{"url": "example:digits.zip"}]}))
        .with(
            "explore",
            KindName::Notebook,
            json!({"files": files(&["explore.ipynb", "train.py"]), "resources": {"cpu": 1, "memory": "1Gi"},
                "env": {"SEED": {"value": "7"}, "HUB": {"secret": "hub"}}}),
        )
        .with("train", KindName::Job, train)
        .task("board", KindName::Viewer)
        .with("serve", KindName::Serving, json!({"files": files(&["pack.py", "service.py", "bentofile.yaml"])}))
        .with("ask", KindName::Job, json!({"script": "curl \"$SERVE_URL\"", "keep": ["/answers"]}))
        .with("nas", KindName::Volume, json!({"volume": "nas", "access": "RW", "mount_path": "/nas"}))
        .arrow("data", "/data", "explore", "/data")
        .arrow("explore", "/prepared", "train", "/data")
        .arrow("explore", "/work", "train", "/code")
        .arrow("train", "/logs", "board", "")
        .arrow("train", "/model", "serve", "/models")
        .arrow("serve", "", "ask", "")
        .arrow_acl("nas", "", "train", "", Acl::ReadWrite)
        .done()
}

/// A file's text; that of a service is the product's own template.
fn service(name: &str) -> String {
    let template = crate::serving::template(crate::kind::Framework::ScikitLearn, crate::serving::Generation::Current);
    template.into_iter().find(|file| file.name == name).map_or_else(String::new, |file| file.text)
}
