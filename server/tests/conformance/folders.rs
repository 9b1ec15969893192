//! What does a task find, and what is kept of what it makes?

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
};

use engine::{action::Action, observed::Exit};
use model::{
    Acl, PipelineId,
    kind::File,
    launch::{CopiesJson, CopyEntry, Mount, RESULTS, Work},
};

use crate::harness::{Asked, Harness, output, read, script, stay};

pub fn mount(id: &str, acl: Acl, path: &str, sub: Option<&str>) -> Mount {
    Mount { id: id.into(), acl, mount_path: path.into(), sub_path: sub.map(str::to_owned) }
}

fn file(name: &str, text: &str) -> File {
    File { name: name.into(), text: text.into(), unknown: Default::default() }
}

pub async fn what_one_writes_the_next_reads_at_its_own_path_and_cannot_change<H: Harness>(mut asked: Asked<H>) {
    let mut first = script("first", 1, "echo hello > /con1/output/x");
    first.outputs = vec![output(&first, "/con1/output")];
    asked.succeed(&first).await;
    assert_eq!(read(asked.harness.results().join("pipeline/pipe/first/1/con1/output/x")), "hello\n");
    let mut next = script("next", 1, "cat /con2/input/x\nif echo no > /con2/input/y; then exit 9; fi\nexit 0");
    next.mounts = vec![mount(RESULTS, Acl::ReadOnly, "/con2/input", Some("pipeline/pipe/first/1/con1/output"))];
    asked.succeed(&next).await;
    assert!(asked.log(&next.execution).starts_with("hello\n"));
}

pub async fn a_mount_can_lie_in_a_system_folder_that_has_no_such_place<H: Harness>(mut asked: Asked<H>) {
    fs::write(asked.harness.team().join("f"), "team\n").unwrap();
    let system = asked.harness.system_file();
    let place = Path::new(system).with_file_name("no-such").join("place").display().to_string();
    let mut launch = script("deep", 1, &format!("cat {place}/f; ls {system}"));
    launch.mounts = vec![mount("team", Acl::ReadOnly, &place, None)];
    asked.succeed(&launch).await;
    assert_eq!(asked.log(&launch.execution), format!("team\n{system}\n"));
}

/// Belongs to whoever the results belong to.
fn make_as_a_task(below: &str, results: &Path) {
    let owner = fs::metadata(results).unwrap();
    let mut place = results.to_owned();
    for part in below.split('/') {
        place.push(part);
        fs::create_dir(&place).unwrap();
        chown(&place, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
}

pub async fn an_executions_folder_is_made_and_never_found<H: Harness>(mut asked: Asked<H>) {
    let pipeline = asked.harness.results().join("pipeline");
    make_as_a_task("pipe/taken/2", &pipeline);
    ["1", "17", "9", "work", "018"].into_iter().for_each(|name| {
        make_as_a_task(name, &pipeline.join("pipe/taken"));
    });
    let launch = |n| {
        let mut launch = script("taken", n, "echo mine > /out/file");
        launch.outputs = vec![output(&launch, "/out")];
        launch
    };
    for n in [1, 2, 9] {
        assert_eq!(asked.run(&launch(n)).await, Exit::Taken { last: 17 });
        assert_eq!(fs::read_dir(pipeline.join(format!("pipe/taken/{n}"))).unwrap().count(), 0, "it is another's");
        asked.perform(Action::Release { execution: launch(n).execution }).await;
    }
    asked.succeed(&launch(18)).await;
}

pub async fn a_number_that_another_launch_has_had_is_skipped<H: Harness>(mut asked: Asked<H>) {
    let first = script("again", 1, "true");
    asked.succeed(&first).await;
    asked.succeed(&script("again", 4, "true")).await;
    asked.perform(Action::Release { execution: first.execution.clone() }).await;
    asked.remake().await;
    assert!(!asked.seen.contains_key(&first.execution));
    let mut other = script("again", 1, "exit 3");
    other.run = model::RunId::new("run-2").unwrap();
    assert_eq!(asked.run(&other).await, Exit::Taken { last: 4 });
    asked.perform(Action::Release { execution: first.execution.clone() }).await;
    asked.remake().await;
    assert!(!asked.seen.contains_key(&first.execution), "there is nothing of it to be told again");
}

pub async fn a_kept_work_folder_is_found_as_it_was_left_and_filled_only_when_new<H: Harness>(mut asked: Asked<H>) {
    let mut first = script("note", 1, "test \"$(pwd)\" = /work; cat src/a.py; echo mine > src/a.py; test -d \"$HOME\"");
    first.work = Work::Kept { folder: "pipeline/pipe/note/work".into() };
    first.files = vec![file("src/a.py", "given\n")];
    asked.succeed(&first).await;
    let mut next = script("note", 2, "cat src/a.py");
    (next.work, next.files) = (first.work.clone(), first.files.clone());
    asked.succeed(&next).await;
    assert_eq!(asked.log(&first.execution) + &asked.log(&next.execution), "given\nmine\n");
}

pub async fn a_scratch_work_folder_has_the_files_and_is_gone_afterwards<H: Harness>(mut asked: Asked<H>) {
    let mut launch = script("scratch", 1, "cat a.txt; echo more > b.txt; echo t > /tmp/t");
    launch.files = vec![file("a.txt", "given\n")];
    asked.succeed(&launch).await;
    let mut again = script("scratch", 2, "test ! -e b.txt; test ! -e /tmp/t");
    again.files = launch.files.clone();
    asked.succeed(&again).await;
}

pub async fn a_snapshot_is_a_copy_without_home_and_python<H: Harness>(mut asked: Asked<H>) {
    let text =
        "mkdir -p .python sub; echo 1 > sub/x; echo 2 > .home/h; echo 3 > .python/p; ln -s x sub/link; mkfifo pipe";
    let mut launch = script("snap", 1, text);
    launch.work = Work::Kept { folder: "pipeline/pipe/snap/work".into() };
    launch.snapshots = vec![output(&launch, "/work")];
    asked.succeed(&launch).await;
    let copied = asked.harness.results().join("pipeline/pipe/snap/1/work");
    assert_eq!(read(copied.join("sub/link")), "1\n");
    let mut names: Vec<_> = fs::read_dir(&copied).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["sub"]);
}

pub async fn copies_lie_in_folders_of_their_own_beside_what_tells_them_apart<H: Harness>(mut asked: Asked<H>) {
    for n in [1, 2] {
        let mut copy = script("grid", n, "echo $FLETCHLINE_N > /out/n");
        copy.outputs = vec![output(&copy, "/out")];
        asked.succeed(&copy).await;
    }
    let entry = |copy: u32, n: u64| CopyEntry {
        copy,
        values: BTreeMap::from([("LR".into(), format!("0.{n}"))]),
        status: "done".into(),
        n,
    };
    let mut reader = script("reader", 1, "cat /in/0/n /in/1/n; grep -c LR /in/copies.json");
    let sub = |n: u64| format!("pipeline/pipe/grid/{n}/out");
    reader.mounts =
        (0..2).map(|copy| mount(RESULTS, Acl::ReadOnly, &format!("/in/{copy}"), Some(&sub(copy + 1)))).collect();
    reader.copies_json = vec![CopiesJson { path: "/in".into(), copies: vec![entry(0, 1), entry(1, 2)] }];
    asked.succeed(&reader).await;
    assert_eq!(asked.log(&reader.execution), "1\n2\n2\n");
}

pub async fn a_link_that_a_task_left_leads_no_other_task_out_of_its_folder<H: Harness>(mut asked: Asked<H>) {
    let mut first = script("trap", 1, "ln -s / /out/all");
    first.outputs = vec![output(&first, "/out")];
    asked.succeed(&first).await;
    let mut next = script("victim", 1, "ls /in");
    next.mounts = vec![mount(RESULTS, Acl::ReadOnly, "/in", Some("pipeline/pipe/trap/1/out/all"))];
    assert!(matches!(asked.run(&next).await, Exit::NotStarted { .. }));
}

pub async fn what_is_removed_leaves_nothing_or_its_log_alone_and_all_else_stays<H: Harness>(mut asked: Asked<H>) {
    for n in [1, 2] {
        let mut launch = script("keeps", n, "echo said; echo x > /out/x; echo y > y");
        launch.outputs = vec![output(&launch, "/out")];
        launch.work = Work::Kept { folder: "pipeline/pipe/keeps/work".into() };
        asked.succeed(&launch).await;
    }
    let id = script("keeps", 1, "").execution;
    let task = asked.harness.results().join("pipeline/pipe/keeps");
    let remove = |whole| Action::Remove { execution: id.clone(), whole };
    asked.perform(remove(false)).await;
    assert!(!task.join("1").exists() && asked.log(&id) == "said\n");
    asked.perform(remove(true)).await;
    assert!(!asked.harness.runner().log(&id).exists());
    asked.perform(remove(true)).await;
    assert!(task.join("2/out/x").exists() && task.join("work/y").exists());

    let mut runs = stay("runs");
    runs.outputs = vec![output(&runs, "/out")];
    asked.launch(&runs).await;
    asked.ready(&runs.execution).await;
    let removed = Action::Remove { execution: runs.execution.clone(), whole: true };
    assert!(asked.harness.runner().perform(removed).await.is_err());
    assert!(asked.harness.results().join("pipeline/pipe/runs/1").exists());
}

pub async fn what_a_deleted_pipeline_has_left_goes_and_no_other_pipelines<H: Harness>(mut asked: Asked<H>) {
    for pipeline in ["gone", "gone2"] {
        let mut launch = script("keeps", 1, "echo x > /out/x; echo y > y");
        launch.execution.pipeline = PipelineId::new(pipeline).unwrap();
        launch.work = Work::Kept { folder: format!("pipeline/{pipeline}/keeps/work") };
        launch.outputs = vec![output(&launch, "/out")];
        asked.succeed(&launch).await;
        asked.perform(Action::Release { execution: launch.execution }).await;
    }
    let pipelines = asked.harness.results().join("pipeline");
    assert!(pipelines.join("gone/keeps/work/y").exists());
    // What was asked for again after a restart finds nothing.
    for _ in 0..2 {
        asked.harness.runner().forget(&PipelineId::new("gone").unwrap()).await.unwrap();
        assert!(!pipelines.join("gone").exists());
    }
    let left = ["1/out/x", "work/y"].map(|file| pipelines.join("gone2/keeps").join(file).exists());
    assert_eq!(left, [true; 2]);
}
