//! Does each rule of a pipeline speak in one sentence, at its place, with its fix?

use serde_json::json;

use super::*;
use crate::{
    Acl, IdRange, KindName, Severity,
    fixture::{Build, cluster, id, site},
    generate,
};
use proptest::prelude::*;

fn of(pipeline: &Pipeline, site: &Site, severity: Severity) -> Vec<String> {
    let all = problems(pipeline, site, &BTreeMap::new());
    all.into_iter().filter(|one| one.severity == severity).map(|one| one.sentence).collect()
}

fn problems_here(build: Build) -> Vec<String> {
    of(&build.done(), &site(), Severity::Problem)
}

fn warnings_here(build: Build) -> Vec<String> {
    of(&build.done(), &site(), Severity::Warning)
}

/// A Job called Train that is fine but for these fields.
fn train(mut fields: Value) -> Build {
    let fine = json!({"script": "true", "keep": ["/out"]});
    for (name, value) in fine.as_object().into_iter().flatten() {
        if fields.get(name).is_none() && !(name == "script" && fields.get("command").is_some()) {
            fields[name] = value.clone();
        }
    }
    Build::new().with("train", KindName::Job, fields)
}

fn job(build: Build, name: &str) -> Build {
    build.with(name, KindName::Job, json!({"script": "true", "keep": ["/kept"]}))
}

#[test]
fn a_whole_pipeline_has_no_problem() {
    let pipeline = crate::fixture::digits();
    assert_eq!(problems(&pipeline, &site(), &BTreeMap::new()), []);
    assert_eq!(of(&pipeline, &cluster(), Severity::Problem), [""; 0]);
}

#[test]
fn a_task_runs_as_a_user_that_the_installation_allows_and_only_on_a_cluster() {
    let pipeline = train(json!({"run_as": "2000"})).done();
    let within = |first, last| {
        let mut site = cluster();
        site.limits.run_as = Some(IdRange { first, last });
        site
    };
    let why = "no task may choose its user here: `run_as_range` in the settings lets it";
    assert_eq!(of(&pipeline, &cluster(), Severity::Problem), [format!("Train is to run as 2000, and {why}")]);
    let beyond = ["Train is to run as 2000, and tasks may choose 3000-3999 here"];
    assert_eq!(of(&pipeline, &within(3000, 3999), Severity::Problem), beyond);
    assert_eq!(of(&pipeline, &within(2000, 2000), Severity::Problem), [""; 0]);
    assert_eq!(
        of(&pipeline, &site(), Severity::Warning),
        ["Train runs as you: its user 2000 counts on a cluster only"]
    );
}

#[test]
fn more_than_this_machine_has_is_a_problem_with_a_button() {
    let build = train(json!({"resources": {"gpu": 1, "cpu": 8, "memory": "64Gi"}}));
    let pipeline = build.done();
    let all = problems(&pipeline, &site(), &BTreeMap::new());
    let sentences: Vec<&str> = all.iter().map(|one| one.sentence.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "Train asks for 1 GPU; this machine has none",
            "Train asks for 8 processors; this machine has 4",
            "Train asks for 64 GiB of memory; this machine has 16 GiB",
        ]
    );
    let fix = Fix::SetField {
        task: id("train"),
        field: "resources.gpu".into(),
        value: 0.into(),
        label: "Set GPU to 0".into(),
    };
    assert_eq!(all[0].fix, Some(fix));
    assert_eq!(all[0].at, At::task(&id("train"), "resources.gpu"));
    let largest = of(&pipeline, &cluster(), Severity::Problem);
    assert_eq!(largest[0], "Train asks for 1 GPU; the largest node has none");
}

#[test]
fn what_would_fail_before_it_begins_stops_the_run_of_those_that_it_concerns() {
    let nas = json!([{"volume": "nas", "acl": "RO", "mount_path": "/nas"}]);
    let own = json!({"script": "true", "image": "own:1", "keep": ["/out"]});
    let pipeline = job(train(json!({"volumes": nas})).with("test", KindName::Job, own), "plain").done();
    let mut here = cluster();
    assert_eq!(of(&pipeline, &here, Severity::Problem), [""; 0]);
    here.faults.volumes = [("nas".to_owned(), "The claim is not there".to_owned())].into();
    here.faults.images = [("registry.example/job:1".to_owned(), "It cannot be pulled".to_owned())].into();
    assert_eq!(
        of(&pipeline, &here, Severity::Problem),
        [
            "Plain cannot begin · It cannot be pulled",
            "Train cannot begin · It cannot be pulled",
            "Train mounts nas · The claim is not there"
        ]
    );
    here.faults = crate::site::Faults { all: Some("Nothing can be written".to_owned()), ..Default::default() };
    let all = problems(&pipeline, &here, &BTreeMap::new());
    assert_eq!(all.iter().map(|one| one.sentence.as_str()).collect::<Vec<_>>(), ["Nothing can be written"]);
    let test = std::iter::once(id("test")).collect();
    assert_eq!(crate::part::stopping(&pipeline, &test, &all).len(), 1);
}

#[test]
fn what_is_not_known_of_the_installation_is_a_warning_and_stops_nothing() {
    let pipeline = job(Build::new(), "plain").done();
    let mut here = cluster();
    here.faults.unknown = Some("no node has room for it".to_owned());
    assert_eq!(of(&pipeline, &here, Severity::Problem), [""; 0]);
    let warnings = of(&pipeline, &here, Severity::Warning);
    let expected = "Whether tasks can begin is not known · no node has room for it".to_owned();
    assert!(warnings.contains(&expected), "{warnings:?}");
}

#[test]
fn what_a_step_that_stays_open_holds_is_not_there_for_those_behind_it() {
    let mut site = site();
    site.capacity.gpu = 1;
    let open = json!({"resources": {"gpu": 1}, "stay_open": true, "keep": ["/out"]});
    let build = Build::new().with("explore", KindName::Notebook, open);
    let pipeline = job(build, "train").arrow("explore", "", "train", "").done();
    let expected = "Train needs 1 GPU, held by Explore, which stays open until the run ends";
    assert_eq!(of(&pipeline, &site, Severity::Problem), [expected]);
    let open = |memory: &str, cpu: u32| json!({"stay_open": true, "keep": ["/out"], "resources": {"memory": memory, "cpu": cpu}});
    let build =
        Build::new().with("a", KindName::Notebook, open("6Gi", 1)).with("b", KindName::Container, open("6Gi", 1));
    let need = json!({"script": "true", "keep": ["/out"], "resources": {"memory": "8Gi", "cpu": 3}});
    let build = build.with("train", KindName::Job, need).arrow("a", "", "train", "").arrow("b", "", "train", "");
    assert_eq!(
        problems_here(build),
        [
            "Train needs 8 GiB, held by A and B, which stay open until the run ends",
            "Train needs 3 processors, held by A and B, which stay open until the run ends",
        ]
    );
}

#[test]
fn what_asks_a_serving_cannot_have_what_the_serving_holds() {
    let files = crate::serving::template(crate::kind::Framework::Custom, crate::serving::Generation::Current);
    let api = |memory: &str| json!({"files": files, "resources": {"memory": memory}});
    let build =
        |memory| job(Build::new().with("api", KindName::Serving, api(memory)), "ask").arrow("api", "", "ask", "");
    assert_eq!(problems_here(build("6Gi")), [""; 0]);
    let found = problems(&build("10Gi").done(), &site(), &BTreeMap::new());
    assert_eq!(found[0].sentence, "Ask needs 10 GiB, held by Api, which goes on serving", "it inherits what it needs");
    assert!(
        matches!(&found[0].fix, Some(Fix::SetField { field, value: Value::Null, .. }) if field == "resources.memory")
    );
}

#[test]
fn what_stays_open_has_no_copy_of_its_work_folder_to_give() {
    let build = |kept: &str, advance: Value| {
        let step = json!({"advance": advance, "keep": ["/work"]});
        job(Build::new().with("step", KindName::Container, step), "train").arrow("step", kept, "train", "/in").done()
    };
    let port = || json!({"by": "port", "port": 80});
    let pipeline = build("/work/model", port());
    let found = problems(&pipeline, &site(), &BTreeMap::new());
    assert_eq!(
        found[0].sentence,
        "Train would read Step's /work/model before it is copied, because Step stays open until the run ends: end it there, or write to a path outside /work"
    );
    assert!(
        matches!(&found[0].fix, Some(Fix::SetField { field, value, .. }) if field == "stay_open" && *value == false)
    );
    assert_eq!(of(&build("/out", port()), &site(), Severity::Problem), [""; 0]);
    assert_eq!(of(&build("/work/model", json!({"by": "hand"})), &site(), Severity::Problem), [""; 0]);
}

#[test]
fn upstreams_that_disagree_are_named_both_with_a_way_out() {
    let build = Build::new()
        .with("a", KindName::Job, json!({"script": "true", "image": "x:1", "keep": ["/out"]}))
        .with("b", KindName::Job, json!({"script": "true", "image": "x:2", "keep": ["/out"]}));
    let pipeline = job(build, "c").arrow("a", "", "c", "").arrow("b", "", "c", "").done();
    let all = problems(&pipeline, &cluster(), &BTreeMap::new());
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0].sentence, "C would inherit a different image from A (x:1) and B (x:2): set its own");
    assert!(matches!(&all[0].fix, Some(Fix::SetField { value, .. }) if value == "x:1"));
}

#[test]
fn a_job_has_a_command_or_a_script() {
    let neither = Build::new().with("train", KindName::Job, json!({"keep": ["/out"]}));
    assert_eq!(problems_here(neither), ["Train has neither a command nor a script: say what it runs"]);
    let both = train(json!({"command": ["x"], "script": "y"}));
    assert_eq!(problems_here(both), ["Train has a command and a script: keep one of them"]);
}

#[test]
fn an_unknown_name_is_a_problem_in_arguments_values_images_and_sources_but_not_in_a_script() {
    let build = train(json!({"command": ["--lr={{rate}}"], "env": {"X": {"value": "{{x"}}, "image": "{{im}}"}));
    let build = build.parameter("rates", "number", "1").with(
        "data",
        KindName::LoadData,
        json!({"sources": [{"url": "https://{{host}}/x"}]}),
    );
    assert_eq!(
        problems_here(build),
        [
            "Data's source has {{host}}, which is neither a parameter nor a copy's value",
            "Train's image has {{im}}, which is neither a parameter nor a copy's value",
            "Train's command has {{rate}}, which is neither a parameter nor a copy's value; did you mean {{rates}}?",
            "Train's variable X has a {{ without }}; write {{{{ for the characters themselves",
        ]
    );
    let script = train(json!({"script": "echo {{LR}}", "copies": {"LR": ["1", "2"]}}));
    assert_eq!(warnings_here(script), ["Train has {{LR}} in its script, which is run as it is: write \"$LR\""]);
    assert_eq!(problems_here(train(json!({"command": ["{{LR}}"], "copies": {"LR": ["1"]}}))), [""; 0]);
}

#[test]
fn variables_that_change_every_program_or_are_ours_are_refused() {
    let env = json!({"LD_PRELOAD": {"value": "x"}, "PATH": {"value": "x"}, "FLETCHLINE_N": {"value": "x"}, "A-B": {"value": "x"}});
    let found = problems_here(train(json!({"env": env, "copies": {"KUBERNETES_HOST": ["x"]}})));
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(found[0].starts_with("Train sets \"A-B\", which is no variable's name"));
    assert_eq!(found[2], "Train sets LD_PRELOAD, which changes every program of the task: choose another name");
}

#[test]
fn a_plain_value_whose_name_looks_like_a_secret_is_a_warning_with_a_button() {
    let env = json!({"HF_TOKEN": {"value": "x"}, "MAX_TOKENS": {"value": "5"}, "HUB_KEY": {"secret": "hub"}});
    let found = problems(&train(json!({"env": env})).done(), &site(), &BTreeMap::new());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].severity == Severity::Warning && found[0].sentence.starts_with("Train has HF_TOKEN in plain text")
    );
    assert!(matches!(&found[0].fix, Some(Fix::MakeSecret { variable, .. }) if variable == "HF_TOKEN"));
}

#[test]
fn a_secret_that_is_not_there_is_a_problem() {
    assert_eq!(
        problems_here(train(json!({"env": {"X": {"secret": "lost"}}}))),
        ["Train takes X from the secret \"lost\", which is not there: fletchline secret set lost"]
    );
}

#[test]
fn a_ring_is_named_with_its_tasks_and_removing_one_arrow_opens_it() {
    let build = job(job(train(json!({})), "test"), "x");
    let pipeline = build.arrow("train", "", "test", "").arrow("test", "", "train", "").arrow("x", "", "x", "").done();
    let all = problems(&pipeline, &site(), &BTreeMap::new());
    let sentences: Vec<&str> = all.iter().map(|one| one.sentence.as_str()).collect();
    assert_eq!(
        sentences,
        ["These tasks wait for each other, so none can start: Train → Test → Train", "X waits for itself"]
    );
    let mut opened = pipeline.clone();
    for problem in all {
        if let Some(Fix::RemoveArrow { arrow, .. }) = problem.fix {
            opened.arrows.remove(&arrow);
        }
    }
    assert_eq!(problems(&opened, &site(), &BTreeMap::new()), []);
}

#[test]
fn a_dangling_arrow_is_a_problem_with_a_button() {
    let mut pipeline = job(train(json!({})), "test").arrow("train", "", "test", "").done();
    pipeline.tasks.remove(&id("test"));
    let all = problems(&pipeline, &site(), &BTreeMap::new());
    assert_eq!(all[0].sentence, "The arrow a1 ends at the task \"test\", which is not there");
    assert!(matches!(all[0].fix, Some(Fix::RemoveArrow { .. })));
}

#[test]
fn only_a_volume_can_be_written_through_an_arrow_and_only_as_far_as_it_allows() {
    let nas = |access: &str| json!({"volume": "nas", "access": access, "mount_path": "/nas"});
    let build = job(train(json!({})), "test").arrow_acl("train", "/out", "test", "/in", Acl::ReadWrite);
    assert_eq!(
        problems_here(build),
        ["Test would change Train's result: read it and write to a path of its own, or share a Volume"]
    );
    let build =
        train(json!({})).with("nas", KindName::Volume, nas("RO")).arrow_acl("nas", "", "train", "", Acl::ReadWrite);
    assert_eq!(problems_here(build), ["Train would change Nas, which is read-only"]);
    let build =
        train(json!({})).with("nas", KindName::Volume, nas("RW")).arrow_acl("nas", "", "train", "", Acl::ReadWrite);
    assert_eq!(problems_here(build), [""; 0]);
    let build = train(json!({})).with("nas", KindName::Volume, nas("RO")).arrow("train", "", "nas", "");
    assert_eq!(problems_here(build), ["An arrow into the volume Nas moves nothing: mount it in Train instead"]);
}

#[test]
fn two_tasks_that_may_run_at_once_and_write_to_one_place_of_a_volume_are_a_warning() {
    let build = job(job(job(train(json!({})), "b"), "c"), "d")
        .with("nas", KindName::Volume, json!({"volume": "nas", "access": "RW", "mount_path": "/nas"}))
        .arrow_acl("nas", "", "train", "", Acl::ReadWrite)
        .arrow_acl("nas", "", "b", "", Acl::ReadWrite)
        .arrow_acl("nas", "x", "c", "", Acl::ReadWrite)
        .arrow("train", "", "d", "");
    assert_eq!(warnings_here(build), ["B and Train may run at once and both write to nas"]);
}

#[test]
fn a_path_is_absolute_and_no_system_folder_and_nothing_hides_another() {
    let two = |a: &str, b: &str| {
        let build = job(job(train(json!({})), "b"), "c").arrow("train", "/out", "c", a).arrow("b", "/out", "c", b);
        problems_here(build)
    };
    assert!(two("/in", "/in/")[0].contains("at one place"), "{:?}", two("/in", "/in/"));
    assert_eq!(
        two("/in", "/in/b"),
        ["C would find B's /out at /in/b, inside Train's /out, which is read-only: choose another place"]
    );
    assert_eq!(two("/in/a", "/in/b"), [""; 0]);
    for (path, why) in [
        ("in", "is not absolute"),
        ("/a/../b", "\"..\""),
        ("/", "root"),
        ("/proc/1", "/proc"),
        ("/fletchline/x", "/fletchline"),
    ] {
        let found = two(path, "/in");
        assert!(found.len() == 1 && found[0].contains(why), "{path}: {found:?}");
    }
    assert!(two("/work", "/in")[0].contains("where its own work lies"));
}

#[test]
fn one_path_alone_says_only_half() {
    let build = |from: &str, to: &str| job(train(json!({})), "test").arrow("train", from, "test", to);
    assert_eq!(problems_here(build("", "/in")), ["What Test finds at /in is not said: give the arrow a From Path"]);
    assert_eq!(problems_here(build("/out", "")), ["Where Test finds Train's /out is not said"]);
    assert_eq!(problems_here(build("", "")), [""; 0]);
}

#[test]
fn what_a_step_writes_is_kept_or_it_is_warned_of() {
    let build = Build::new().with("train", KindName::Job, json!({"script": "true"}));
    assert_eq!(warnings_here(build), ["What Train writes is lost when it ends"]);
    let build = Build::new().with("train", KindName::Job, json!({"script": "true"}));
    let build = job(build, "test").arrow("train", "/out/model.pt", "test", "/in");
    assert_eq!(warnings_here(build), ["Train's From Path /out/model.pt makes a folder named model.pt"]);
}

#[test]
fn an_unknown_volume_has_a_button_that_makes_it_and_the_results_on_one_are_not_mounted_by_hand() {
    let volumes = |volume: Value| train(json!({"volumes": [volume]}));
    let unknown = problems(&volumes(json!({"volume": "x", "mount_path": "/x"})).done(), &site(), &BTreeMap::new());
    assert_eq!(unknown[0].sentence, "Train mounts the volume \"x\", which is not in the settings");
    assert!(matches!(&unknown[0].fix, Some(Fix::MakeVolume { volume, .. }) if volume == "x"));
    let results = json!({"volume": "nas", "mount_path": "/x", "sub_path": "./pipeline/p"});
    assert_eq!(
        problems_here(volumes(results)),
        ["Train mounts a folder of the results that lie on nas: draw an arrow from the task that made them"]
    );
    let write = json!({"volume": "data", "mount_path": "/x", "acl": "RW"});
    assert_eq!(problems_here(volumes(write)), ["Train would change data, which is read-only here"]);
    let out = json!({"volume": "data", "mount_path": "/x", "sub_path": "../y"});
    assert_eq!(problems_here(volumes(out)).len(), 1);
}

#[test]
fn the_results_on_a_shared_volume_are_laid_over_it_and_nothing_else_can_be() {
    let nas = json!({"volumes": [{"volume": "nas", "mount_path": "/nas", "acl": "RW"}]});
    assert_eq!(problems_here(train(nas.clone())), [""; 0]);
    let build = job(train(nas), "b").arrow("b", "/out", "train", "/nas/pipeline/x");
    assert_eq!(
        problems_here(build),
        [
            "Train would find B's /out at /nas/pipeline/x, inside the results on nas, which is read-only: choose another place"
        ]
    );
}

#[test]
fn files_have_names_within_the_work_folder_and_a_size_that_fits() {
    let files = |files: Value| problems_here(train(json!({"files": files})));
    let named = |name: &str| files(json!([{"name": name, "text": ""}]));
    assert_eq!(named("src/train.py"), [""; 0]);
    for bad in ["", "/a", "../a", "a//b", "a\nb", &"x".repeat(300)] {
        assert_eq!(named(bad).len(), 1, "{bad}");
    }
    assert_eq!(files(json!([{"name": "a", "text": ""}, {"name": "a", "text": ""}])), ["Train has two files named a"]);
    assert_eq!(
        files(json!([{"name": "a", "text": "x".repeat(901 * 1024)}])),
        ["Train has files of 901 KiB together, more than 900 KiB: load them as data"]
    );
}

#[test]
fn a_live_step_goes_on_by_a_rule_that_can_hold() {
    let step = |fields: Value| {
        let mut fields = fields;
        fields["keep"] = json!(["/out"]);
        problems_here(Build::new().with("step", KindName::Container, fields))
    };
    assert_eq!(
        step(json!({"advance": {"by": "exit"}})),
        ["Step goes on when its program ends, and has none: give it a command"]
    );
    assert_eq!(step(json!({"advance": {"by": "file", "path": "done"}})).len(), 1);
    assert_eq!(step(json!({"advance": {"by": "port", "port": 0}})).len(), 1);
    assert_eq!(step(json!({"ports": [{"port": 80}, {"port": 80}]})), ["Step names the port 80 twice"]);
    assert_eq!(step(json!({"advance": {"by": "time", "seconds": 5}})), [""; 0]);
}

#[test]
fn a_grid_is_counted_and_bounded() {
    let grid = |copies: Value| problems_here(train(json!({"copies": copies})));
    let many: Vec<String> = (0..40).map(|value| value.to_string()).collect();
    assert_eq!(grid(json!({"A": many, "B": many})), ["Train would run 1600 copies, more than 1000"]);
    assert_eq!(grid(json!({"A": []})), ["Train varies A over no values: give it some, or remove it"]);
    assert_eq!(grid(json!({"A": ["1"]})), [""; 0]);
}

#[test]
fn one_task_reads_no_more_than_a_thousand_copies_together() {
    let read = |each: u32| {
        let values: Vec<String> = (0..each).map(|value| value.to_string()).collect();
        let grid = json!({"script": "true", "copies": {"A": values}});
        let build =
            ["a", "b"].into_iter().fold(Build::new(), |build, name| build.with(name, KindName::Job, grid.clone()));
        problems_here(job(build, "test").arrow("a", "/out", "test", "/a").arrow("b", "/out", "test", "/b"))
    };
    assert_eq!(read(500), [""; 0]);
    assert_eq!(read(501), ["Test would read 1002 copies, more than 1000: gather them in several tasks"]);
}

#[test]
fn a_source_is_something_that_can_be_loaded_here() {
    let load = |url: &str, site: &Site| {
        let build = Build::new().with("data", KindName::LoadData, json!({"sources": [{"url": url}]}));
        of(&build.done(), site, Severity::Problem).len()
    };
    let upload = format!("upload:{}", "a".repeat(64));
    for good in ["https://x.example/a.zip", "http://10.0.0.1:80/x", "example:digits.zip", "file:/a/b", &upload] {
        assert_eq!(load(good, &site()), 0, "{good}");
    }
    for bad in [
        "",
        "ftp://x/y",
        "https://",
        "https:///x",
        "file:a",
        "file:/a/../b",
        "upload:x",
        "example:",
        "https://a b/",
        "/etc/passwd",
    ] {
        assert_eq!(load(bad, &site()), 1, "{bad}");
    }
    assert_eq!(load("file:/a/b", &cluster()), 1);
    let none = Build::new().task("data", KindName::LoadData);
    assert_eq!(problems_here(none), ["Data has nothing to load: add a source"]);
    let sum = json!({"sources": [{"url": "https://x/y", "sha256": format!("sha256:{}", "A".repeat(64))}]});
    let sum = problems(&Build::new().with("data", KindName::LoadData, sum).done(), &site(), &BTreeMap::new());
    assert!(matches!(&sum[0].fix, Some(Fix::SetField { value, .. }) if *value == "a".repeat(64)), "{sum:?}");
}

#[test]
fn what_load_data_gives_lies_at_its_target() {
    let build = |path: &str| {
        problems_here(
            job(Build::new(), "train")
                .with("data", KindName::LoadData, json!({"sources": [{"url": "https://x.example/y"}]}))
                .arrow("data", path, "train", "/in"),
        )
    };
    assert_eq!(build("/data/images"), [""; 0]);
    assert_eq!(build("/other"), ["Data writes to /data, so /other is not its to give"]);
}

#[test]
fn a_serving_has_its_three_files_and_a_port_of_its_own() {
    let build =
        Build::new().with("api", KindName::Serving, json!({"files": [{"name": "pack.py", "text": ""}], "port": 80}));
    assert_eq!(
        problems_here(build),
        [
            "Api lacks service.py and bentofile.yaml, which a model is packed and served with",
            "Api would listen on port 80, but those below 1024 belong to the system",
        ]
    );
}

#[test]
fn two_servings_whose_addresses_have_one_name_are_a_warning() {
    let serving = |name: &str| {
        let mut fields = serde_json::to_value(&crate::fixture::digits().tasks[&id("serve")].kind).unwrap();
        fields["name"] = name.into();
        fields
    };
    let build = train(json!({}))
        .with("s1", KindName::Serving, serving("My API"))
        .with("s2", KindName::Serving, serving("my-api"))
        .arrow("s1", "", "train", "")
        .arrow("s2", "", "train", "");
    assert_eq!(warnings_here(build), ["Train finds only one of My API and my-api in MY_API_URL: rename one"]);
}

#[test]
fn parameters_are_of_their_type_and_given_ones_are_known() {
    let build = train(json!({}))
        .parameter("lr", "number", "fast")
        .parameter("LR", "text", "")
        .parameter("9", "boolean", "true")
        .parameter("steps", "integer", "5");
    let given = BTreeMap::from([("steps".to_owned(), "1.5".to_owned()), ("x".to_owned(), String::new())]);
    let found = problems(&build.done(), &site(), &given);
    let sentences: Vec<&str> = found.iter().map(|one| one.sentence.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "lr's default \"fast\" is not a number",
            "LR and lr differ only in capitals, which variables cannot",
            "\"9\" is no parameter's name: use letters, digits and _",
            "steps is \"1.5\", which is not a whole number",
            "There is no parameter named x",
        ]
    );
}

#[test]
fn a_viewer_is_told_what_to_show() {
    let build = train(json!({})).task("board", KindName::Viewer);
    assert_eq!(warnings_here(build), ["Board shows nothing: draw an arrow from a task whose logs it is to show"]);
    let build = train(json!({})).task("board", KindName::Viewer).arrow("train", "", "board", "");
    assert_eq!(problems_here(build), ["Which folder of Train Board shows is not said"]);
    let build = train(json!({})).task("board", KindName::Viewer).arrow("train", "/logs", "board", "");
    let back = job(build, "test").arrow("board", "", "test", "");
    assert_eq!(warnings_here(back), ["Board makes nothing and holds nothing up: an arrow out of it does nothing"]);
    let build = train(json!({})).task("board", KindName::Viewer).arrow("train", "/logs", "board", "");
    assert_eq!(problems_here(build), [""; 0]);
}

#[test]
fn five_thousand_tasks_are_checked_while_one_types() {
    let pipeline = generate::large(5000);
    let start = std::time::Instant::now();
    let found = problems(&pipeline, &site(), &BTreeMap::new());
    let took = start.elapsed();
    println!("5,000 tasks, {} arrows: {took:?}", pipeline.arrows.len());
    assert!(found.iter().all(|one| one.severity == Severity::Warning), "{:?}", found.first());
    // Optimised it takes a twentieth; this bound only catches what grows with the square.
    assert!(took.as_secs() < 10, "{took:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn equal_pipelines_have_equal_problems_and_one_task_has_its_share(pipeline in generate::pipeline(8)) {
        let all = problems(&pipeline, &site(), &BTreeMap::new());
        prop_assert_eq!(&problems(&pipeline.clone(), &site(), &BTreeMap::new()), &all);
        for task in pipeline.tasks.keys() {
            for one in problems_of(&pipeline, &site(), task) {
                prop_assert!(all.contains(&one), "{:?}", one);
            }
        }
    }
}
