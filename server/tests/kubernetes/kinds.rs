//! What does one launch of each kind look like?

use std::collections::BTreeMap;

use model::{
    Acl, Cpu, EnvValue, ExecutionId, KindName, Memory, PipelineId, RunId, Seconds, TaskId,
    kind::{Advance, File, Framework, Source, Unpack},
    launch::{CopiesJson, CopyEntry, Launch, Mount, Need, Output, Program, RESULTS, Ready, Work},
};

pub fn launch(task: &str, kind: KindName, program: Program) -> Launch {
    let execution =
        ExecutionId { pipeline: PipelineId::new("digits").unwrap(), task: TaskId::new(task).unwrap(), n: 3 };
    Launch {
        execution,
        run: RunId::new("r1").unwrap(),
        copy: None,
        kind,
        name: task.to_owned(),
        program,
        image: Some("python:3.13".into()),
        run_as: None,
        env: BTreeMap::new(),
        addresses: BTreeMap::new(),
        resources: Need::default(),
        mounts: Vec::new(),
        outputs: Vec::new(),
        work: Work::Scratch,
        files: Vec::new(),
        snapshots: Vec::new(),
        copies_json: Vec::new(),
        ports: Vec::new(),
        ready: Ready::Running,
        advance: None,
        grace: Seconds(10),
        timeout: None,
    }
}

pub fn mount(id: &str, acl: Acl, path: &str, sub: Option<&str>) -> Mount {
    Mount { id: id.into(), acl, mount_path: path.into(), sub_path: sub.map(str::to_owned) }
}

fn output(path: &str, folder: &str) -> Output {
    Output { path: path.into(), folder: format!("pipeline/digits/{folder}") }
}

fn file(name: &str, text: &str) -> File {
    File { name: name.into(), text: text.into(), unknown: Default::default() }
}

pub fn job() -> Launch {
    let mut job = launch("Train", KindName::Job, Program::Script { text: "echo \"$(date)\"\n".into() });
    job.copy = Some(1);
    job.env = BTreeMap::from([
        ("HUB".into(), EnvValue::Secret("hub".into())),
        ("PRICE".into(), EnvValue::Value("$(HOME) $$ $x".into())),
    ]);
    job.resources = Need { cpu: Some(Cpu(1500)), memory: Some(Memory(4 << 30)), gpu: 2 };
    job.mounts = vec![
        mount(RESULTS, Acl::ReadOnly, "/in/0", Some("pipeline/digits/load/1/data")),
        mount("team", Acl::ReadWrite, "/team", Some("sets/")),
    ];
    job.outputs = vec![output("/model", "Train/3/model")];
    job.files = vec![file("src/train.py", "print(1)\n")];
    let entry = CopyEntry { copy: 0, values: BTreeMap::new(), status: "done".into(), n: 1 };
    job.copies_json = vec![CopiesJson { path: "/in".into(), copies: vec![entry] }];
    job.timeout = Some(Seconds(3600));
    job
}

fn container() -> Launch {
    let mut container = launch("check", KindName::Container, Program::Stay);
    container.work = Work::Kept { folder: "pipeline/digits/check/work".into() };
    container.snapshots = vec![output("/work", "check/3/work")];
    container.ports = vec![8080];
    container.ready = Ready::Port { port: 8080 };
    container.advance = Some(Advance::File { path: "/work/done".into() });
    container
}

fn load() -> Launch {
    let source = Source {
        url: "https://example.org/a.zip".into(),
        sha256: None,
        unpack: Unpack::Auto,
        unknown: Default::default(),
    };
    let mut load = launch(
        "load",
        KindName::LoadData,
        Program::Load {
            sources: vec![source],
            target: "/data".into(),
            downloads: "pipeline/digits/load/downloads".into(),
            again: false,
            keep: false,
        },
    );
    load.image = None;
    load.outputs = vec![output("/data", "load/3/data")];
    load
}

fn notebook() -> Launch {
    let program =
        Program::Notebook { start_path: "/work".into(), open: Some("explore.ipynb".into()), arguments: Vec::new() };
    let mut notebook = launch("explore", KindName::Notebook, program);
    notebook.work = Work::Kept { folder: "pipeline/digits/explore/work".into() };
    notebook.ports = vec![8888];
    notebook.ready = Ready::Http { port: 8888, path: "/api".into() };
    notebook
}

fn viewer() -> Launch {
    let mut viewer = launch("board", KindName::Viewer, Program::Viewer);
    viewer.mounts = vec![mount(RESULTS, Acl::ReadOnly, "/fletchline/results", Some("pipeline/digits"))];
    viewer.ports = vec![6006];
    viewer.ready = Ready::Http { port: 6006, path: "/data/environment".into() };
    viewer
}

fn pack() -> Launch {
    let mut pack = launch("api", KindName::Serving, Program::Pack { framework: Framework::ScikitLearn });
    pack.outputs = vec![output("/fletchline/bento", "api/3/bento")];
    pack.files = vec![file("service.py", "import bentoml\n")];
    pack
}

fn serve() -> Launch {
    let mut serve = launch("api", KindName::Serving, Program::Serve { packed: 2, port: None });
    serve.mounts = vec![mount(RESULTS, Acl::ReadOnly, "/fletchline/bento", Some("pipeline/digits/api/2/bento"))];
    serve.ports = vec![3000];
    serve.ready = Ready::Http { port: 3000, path: "/readyz".into() };
    serve
}

pub fn every_kind() -> Vec<(&'static str, Launch)> {
    vec![
        ("job", job()),
        ("container", container()),
        ("load", load()),
        ("notebook", notebook()),
        ("viewer", viewer()),
        ("pack", pack()),
        ("serve", serve()),
    ]
}
