//! Does a launch hold what the task finds mounted, set and passed on?

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    TaskId,
    fixture::{Build, cluster, digits, id, site},
    generate,
    inherit::Resolved,
    mounts,
    pipeline::Pipeline,
    site::Site,
    value::Inherit,
};

/// What the engine would decide: every upstream's execution 7, or copies 0 to 2 as 11 to 13 of which one failed.
fn chosen(pipeline: &Pipeline) -> BTreeMap<TaskId, Vec<Chosen>> {
    let one = |task: &crate::Task| match task.kind.grid() {
        None => vec![Chosen { n: 7, copy: None, values: BTreeMap::new(), good: true }],
        Some(grid) => (0..3)
            .filter_map(|copy| {
                let values = crate::copies::values(grid, copy)?;
                Some(Chosen { n: 11 + u64::from(copy), copy: Some(copy), values, good: copy != 1 })
            })
            .collect(),
    };
    pipeline.tasks.values().map(|task| (task.id.clone(), one(task))).collect()
}

struct Case {
    pipeline: Pipeline,
    site: Site,
    n: u64,
    copy: Option<u32>,
    previous: Option<u64>,
    packed: Option<u64>,
}

impl Case {
    fn of(pipeline: Pipeline) -> Case {
        Case { pipeline, site: site(), n: 3, copy: None, previous: None, packed: None }
    }

    fn try_launch(&self, task: &str) -> Result<Launch, BuildError> {
        let run = RunId::new("r1").unwrap();
        let upstreams = chosen(&self.pipeline);
        let parameters = BTreeMap::from([("epochs".to_owned(), "5".to_owned())]);
        let decided = Decided {
            run: &run,
            parameters: &parameters,
            n: self.n,
            copy: self.copy,
            upstreams: &upstreams,
            previous: self.previous,
            again: false,
            packed: self.packed,
        };
        let resolved = Resolved::of(&self.pipeline, &self.site);
        build(&self.pipeline, &self.site, &resolved, &id(task), &decided)
    }

    fn launch(&self, task: &str) -> Launch {
        self.try_launch(task).unwrap()
    }
}

fn mount(id: &str, acl: &str, mount_path: &str, sub_path: impl Into<Value>) -> Value {
    json!({"id": id, "acl": acl, "mountPath": mount_path, "subPath": sub_path.into()})
}

fn as_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn plan(task: &str) -> Value {
    as_json(&mounts::plan(&digits(), &site(), &id(task)))
}

#[test]
fn the_plan_of_each_task_is_the_originals_request_with_n_for_numbers() {
    assert_eq!(plan("data"), json!([mount("results", "RW", "/data", "pipeline/p/data/n/data")]));
    assert_eq!(
        plan("explore"),
        json!([
            mount("results", "RO", "/data", "pipeline/p/data/n/data"),
            mount("results", "RW", "/prepared", "pipeline/p/explore/n/prepared"),
            mount("results", "RW", "/work", "pipeline/p/explore/work"),
        ])
    );
    assert_eq!(
        plan("train"),
        json!([
            mount("results", "RO", "/code", "pipeline/p/explore/n/work"),
            mount("results", "RO", "/data", "pipeline/p/explore/n/prepared"),
            mount("results", "RW", "/logs", "pipeline/p/train/n/logs"),
            mount("results", "RW", "/model", "pipeline/p/train/n/model"),
            mount("nas", "RW", "/nas", Value::Null),
            mount("nas", "RO", "/nas/pipeline", "pipeline"),
        ])
    );
    assert_eq!(plan("board"), json!([mount("results", "RO", "/fletchline/results", "pipeline/p")]));
    assert_eq!(
        plan("serve"),
        json!([
            mount("results", "RO", "/models/0", "pipeline/p/train/n/model"),
            mount("results", "RO", "/models/1", "pipeline/p/train/n/model"),
            mount("results", "RO", "/models/2", "pipeline/p/train/n/model"),
        ])
    );
}

#[test]
fn a_plan_is_made_for_an_unfinished_pipeline_too() {
    for task in digits().tasks.keys() {
        let mut pipeline = digits();
        pipeline.tasks.remove(task);
        for other in pipeline.tasks.keys() {
            mounts::plan(&pipeline, &site(), other);
        }
        assert!(mounts::plan(&pipeline, &site(), task).is_empty());
    }
}

#[test]
fn a_copy_is_told_its_values_and_number_and_fills_in_its_command() {
    let launch = Case { n: 12, copy: Some(1), ..Case::of(digits()) }.launch("train");
    let argv = ["python", "/code/train.py", "--lr=0.1", "--epochs=5"].map(String::from).to_vec();
    assert_eq!(launch.program, Program::Command { argv });
    let env = as_json(&launch.env);
    let value = |text: &str| json!({"value": text});
    assert_eq!(
        env,
        json!({
            "FLETCHLINE_COPY": value("1"), "FLETCHLINE_N": value("12"), "FLETCHLINE_PARAM_EPOCHS": value("5"),
            "FLETCHLINE_PIPELINE": value("p"), "FLETCHLINE_RUN": value("r1"), "FLETCHLINE_TASK": value("train"),
            "HUB": {"secret": "hub"}, "LR": value("0.1"), "SEED": value("7"),
        })
    );
    let need = Need { cpu: Some(Cpu(1000)), memory: Some(Memory(1 << 30)), gpu: 0 };
    assert_eq!((launch.resources, launch.work, launch.image), (need, Work::Scratch, None));
    let folders: Vec<&str> = launch.outputs.iter().map(|output| output.folder.as_str()).collect();
    assert_eq!(folders, ["pipeline/p/train/12/logs", "pipeline/p/train/12/model"]);
    assert_eq!(launch.mounts[0].sub_path.as_deref(), Some("pipeline/p/explore/7/work"));
}

#[test]
fn a_retry_finds_the_folders_of_the_last_one_read_only_and_the_first_one_is_told_of_none() {
    let first = Case { n: 12, copy: Some(1), ..Case::of(digits()) }.launch("train");
    assert!(!first.env.contains_key("FLETCHLINE_PREVIOUS"));
    let retry = Case { n: 14, copy: Some(1), previous: Some(12), ..Case::of(digits()) }.launch("train");
    assert_eq!(retry.env["FLETCHLINE_PREVIOUS"], EnvValue::Value("/fletchline/previous".into()));
    let expected = mount("results", "RO", "/fletchline/previous", "pipeline/p/train/12");
    assert!(retry.mounts.iter().any(|mount| as_json(mount) == expected), "{:#?}", retry.mounts);
}

#[test]
fn what_lies_in_a_notebooks_work_folder_goes_on_as_a_snapshot() {
    let launch = Case::of(digits()).launch("explore");
    let output = |path: &str, folder: &str| Output { path: path.into(), folder: folder.into() };
    assert_eq!(launch.outputs, [output("/prepared", "pipeline/p/explore/3/prepared")]);
    assert_eq!(launch.snapshots, [output("/work", "pipeline/p/explore/3/work")]);
    assert_eq!(launch.work, Work::Kept { folder: "pipeline/p/explore/work".into() });
    assert_eq!(launch.files.len(), 2);
    assert_eq!(launch.ready, Ready::Http { port: 8888, path: "/api".into() });
    assert!(launch.advance.is_none() && launch.copy.is_none());
}

#[test]
fn only_good_copies_are_mounted_and_all_are_listed() {
    let launch = Case::of(digits()).launch("serve");
    let places: Vec<&str> = launch.mounts.iter().map(|mount| mount.mount_path.as_str()).collect();
    assert_eq!(places, ["/models/0", "/models/2"]);
    assert_eq!(launch.mounts[1].sub_path.as_deref(), Some("pipeline/p/train/13/model"));
    let copy = |copy: u32, lr: &str, status: &str| json!({"copy": copy, "values": {"LR": lr}, "status": status, "n": 11 + copy});
    let copies = [copy(0, "0.01", "done"), copy(1, "0.1", "failed"), copy(2, "1", "done")];
    assert_eq!(as_json(&launch.copies_json), json!([{"path": "/models", "copies": copies}]));
}

#[test]
fn a_serving_packs_into_its_own_folder_and_what_serves_only_reads_that() {
    let pack = Case::of(digits()).launch("serve");
    assert_eq!(pack.program, Program::Pack { framework: Framework::ScikitLearn });
    assert_eq!(as_json(&pack.outputs), json!([{"path": "/fletchline/bento", "folder": "pipeline/p/serve/3/bento"}]));
    let serve = Case { n: 4, packed: Some(3), ..Case::of(digits()) }.launch("serve");
    assert_eq!(serve.program, Program::Serve { packed: 3, port: None });
    assert_eq!(
        as_json(&serve.mounts),
        json!([mount("results", "RO", "/fletchline/bento", "pipeline/p/serve/3/bento")])
    );
    assert!(serve.outputs.is_empty() && serve.files.is_empty() && serve.copies_json.is_empty());
    assert_eq!(serve.ready, Ready::Http { port: 3000, path: "/readyz".into() });
}

#[test]
fn a_task_is_told_the_address_of_each_serving_it_waits_for() {
    let launch = Case::of(digits()).launch("ask");
    let of = ExecutionId { pipeline: digits().id, task: id("serve"), n: 7 };
    assert_eq!(launch.addresses, BTreeMap::from([("SERVE_URL".to_owned(), of)]));
    assert!(!launch.env.contains_key("SERVE_URL"));
    assert_eq!(mounts::url_variable("Digits API"), "DIGITS_API_URL");
    assert_eq!(mounts::url_variable("3D é"), "_3D___URL");
}

#[test]
fn a_cluster_gets_the_image_and_this_machine_none() {
    let launch = Case { site: cluster(), ..Case::of(digits()) }.launch("explore");
    assert_eq!(launch.image.as_deref(), Some("registry.example/notebook:1"));
    let build = Build::new().parameter("epochs", "integer", "1");
    let pipeline = build.with("a", KindName::Job, json!({"script": "true", "image": "py:{{epochs}}"})).done();
    let launch = Case { site: cluster(), ..Case::of(pipeline) }.launch("a");
    assert_eq!(launch.image.as_deref(), Some("py:5"));
}

#[test]
fn a_script_and_files_are_never_filled_in() {
    let fields = json!({"script": "echo {{epochs}} $(x)", "files": [{"name": "a", "text": "{{epochs}}"}]});
    let launch = Case::of(Build::new().with("a", KindName::Job, fields).done()).launch("a");
    assert_eq!(launch.program, Program::Script { text: "echo {{epochs}} $(x)".into() });
    assert_eq!(launch.files[0].text, "{{epochs}}");
}

#[test]
fn a_container_waits_for_its_first_port_and_its_rule_is_watched_if_there_is_something_to_watch() {
    let step = |fields: Value| Case::of(Build::new().with("a", KindName::Container, fields).done()).launch("a");
    let ports = json!({"ports": [{"port": 80}, {"port": 81}], "advance": {"by": "file", "path": "/out/done"}});
    let launch = step(ports);
    assert_eq!((launch.program, launch.ready, launch.ports), (Program::Stay, Ready::Port { port: 80 }, vec![80, 81]));
    assert_eq!(launch.advance, Some(Advance::File { path: "/out/done".into() }));
    assert_eq!(step(json!({"command": ["x"], "advance": {"by": "exit"}})).advance, None);
}

#[test]
fn a_load_keeps_its_downloads_beside_its_executions() {
    let launch = Case::of(digits()).launch("data");
    let Program::Load { sources, target, downloads, again, keep } = launch.program else { panic!("{launch:?}") };
    assert_eq!((sources[0].url.as_str(), target.as_str()), ("example:digits.zip", "/data"));
    assert_eq!((downloads.as_str(), again, keep), ("pipeline/p/data/downloads", false, false));
}

#[test]
fn access_is_never_more_than_volume_arrow_and_installation_allow() {
    let volumes = json!([{"volume": "data", "mount_path": "/d", "acl": "RW"}]);
    let pipeline = Build::new()
        .with("a", KindName::Job, json!({"script": "true", "volumes": volumes}))
        .with("v", KindName::Volume, json!({"volume": "nas", "access": "RO", "mount_path": "/v"}))
        .arrow_acl("v", "", "a", "", Acl::ReadWrite)
        .done();
    let launch = Case::of(pipeline).launch("a");
    assert!(launch.mounts.iter().all(|mount| mount.acl == Acl::ReadOnly), "{:#?}", launch.mounts);
}

#[test]
fn what_cannot_be_launched_says_why() {
    assert_eq!(
        Case::of(digits()).try_launch("nas").unwrap_err().to_string(),
        "Nas is a volume: it is mounted, never started"
    );
    let wrong = Case { copy: Some(9), ..Case::of(digits()) };
    assert_eq!(wrong.try_launch("train").unwrap_err().to_string(), "Train has no copy 9");
    assert!(matches!(Case::of(digits()).try_launch("x"), Err(BuildError::NoTask(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The plan shows what a launch of one execution mounts, but for numbers and what belongs to one moment.
    #[test]
    fn a_launch_mounts_what_the_plan_showed_and_writes_only_to_its_own_folders(pipeline in generate::pipeline(6)) {
        let resolved = Resolved::of(&pipeline, &site());
        let run = RunId::new("r").unwrap();
        let upstreams: BTreeMap<TaskId, Vec<Chosen>> = pipeline.tasks.keys().map(|task| {
            (task.clone(), vec![Chosen { n: 5, copy: None, values: BTreeMap::new(), good: true }])
        }).collect();
        for task in pipeline.tasks.values().filter(|task| task.kind.grid().is_none()) {
            let decided = Decided { run: &run, parameters: &BTreeMap::new(), n: 5, copy: None, upstreams: &upstreams,
                previous: None, again: false, packed: None };
            let Ok(launch) = build(&pipeline, &site(), &resolved, &task.id, &decided) else { continue };
            prop_assert_eq!(&build(&pipeline, &site(), &resolved, &task.id, &decided).unwrap(), &launch);
            prop_assert_eq!(serde_json::from_value::<Launch>(as_json(&launch)).unwrap(), launch.clone());
            let own = format!("{}/", mounts::execution_folder(&pipeline.id, &task.id, 5));
            for output in launch.outputs.iter().chain(&launch.snapshots) {
                prop_assert!(output.folder.starts_with(&own) && !output.folder.contains(".."), "{:?}", output);
            }
            let results = launch.mounts.iter().filter(|mount| mount.id == RESULTS);
            prop_assert!(results.clone().all(|mount| mount.acl == Acl::ReadOnly));
            let planned: BTreeSet<String> =
                mounts::plan_resolved(&pipeline, &site(), &resolved, &task.id).iter().map(|mount| mount.mount_path.0.clone()).collect();
            let has_grid = |arrow: &crate::Arrow| pipeline.tasks[&arrow.from_task].kind.grid().is_some();
            if !pipeline.arrows.values().any(|arrow| arrow.to_task == task.id && has_grid(arrow)) {
                prop_assert!(launch.mounts.iter().all(|mount| planned.contains(&mount.mount_path.0)));
            }
        }
    }
}

#[test]
fn an_inherited_value_that_is_cleared_is_not_set() {
    let mut pipeline = digits();
    let mut task = (*pipeline.tasks[&id("train")]).clone();
    if let crate::Kind::Job(job) = &mut task.kind {
        job.env.insert("SEED".into(), None);
        job.resources.memory = Inherit::None;
    }
    pipeline.tasks.insert(id("train"), std::sync::Arc::new(task));
    let launch = Case { copy: Some(0), ..Case::of(pipeline) }.launch("train");
    assert!(!launch.env.contains_key("SEED") && launch.resources.memory.is_none());
}
