//! What may a valid pipeline look like?
//!
//! Generators for property tests, here and in the crates that stand on this one. What comes out reads and writes
//! (ids unique, ends exist, arrows go from earlier to later tasks); it is not free of problems of every kind.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{collection::vec, option, prelude::*, strategy::Union};
use serde_json::json;

use crate::{
    Acl, Arrow, ArrowId, Cpu, EnvValue, Group, GroupId, Inherit, Kind, KindName, Memory, Note, NoteId, Parameter,
    ParameterType, Pipeline, PipelineId, Place, RunAs, Seconds, Settings, Task, TaskId, Unknown,
    kind::{
        Advance, Container, Env, File, Job, LoadData, Notebook, Port, Resources, Serving, SharedVolume, Source, Unpack,
        Viewer, Volume,
    },
    path::TaskPath,
};

/// A pipeline with up to `most` tasks of all kinds, arrows, notes, a group, places and unknown fields.
pub fn pipeline(most: usize) -> impl Strategy<Value = Pipeline> {
    let tasks = vec((name(), option::weighted(0.1, run_as()), kind(), option::weighted(0.9, place())), 0..=most);
    let ends = vec((any::<u16>(), any::<u16>(), folder(), folder(), any::<bool>()), 0..=most * 2);
    let beside = (vec((text(), place()), 0..3), option::of(name()), settings(), unknown());
    (tasks, ends, beside).prop_map(|(tasks, ends, (notes, group, settings, unknown))| {
        let id = PipelineId::new("7e2c8a99-d4a5-4f48-adc2-5e17d0f615ef").expect("a uuid is an id");
        let mut pipeline = Pipeline { settings: Arc::new(settings), unknown, ..Pipeline::new(id, "") };
        for (index, (name, run_as, kind, place)) in tasks.into_iter().enumerate() {
            let id = task_id(index);
            pipeline.task_places.extend(place.map(|place| (id.clone(), place)));
            pipeline.tasks.insert(id.clone(), Arc::new(Task { id, name, run_as, kind }));
        }
        add_arrows(&mut pipeline, ends);
        add_beside(&mut pipeline, notes, group);
        pipeline
    })
}

/// `t0`, `t1`, …: the ids that [`pipeline`] gives.
pub fn task_id(index: usize) -> TaskId {
    TaskId::new(format!("t{index}")).expect("a letter and digits")
}

fn add_arrows(pipeline: &mut Pipeline, ends: Vec<(u16, u16, TaskPath, TaskPath, bool)>) {
    let count = pipeline.tasks.len();
    for (index, (a, b, from_path, to_path, data)) in ends.into_iter().enumerate() {
        if count < 2 {
            return;
        }
        let (a, b) = (usize::from(a) % count, usize::from(b) % count);
        if a == b {
            continue;
        }
        let id = ArrowId::new(format!("a{index}")).expect("a letter and digits");
        let (from_path, to_path) = if data { (from_path, to_path) } else { Default::default() };
        let (from_task, to_task) = (task_id(a.min(b)), task_id(a.max(b)));
        let arrow = Arrow {
            id: id.clone(),
            from_task,
            from_path,
            to_task,
            to_path,
            acl: Acl::ReadOnly,
            unknown: Unknown::new(),
        };
        pipeline.arrows.insert(id, Arc::new(arrow));
    }
}

fn add_beside(pipeline: &mut Pipeline, notes: Vec<(String, Place)>, group: Option<String>) {
    for (index, (text, place)) in notes.into_iter().enumerate() {
        let id = NoteId::new(format!("note{index}")).expect("letters and digits");
        pipeline.note_places.insert(id.clone(), place);
        pipeline.notes.insert(id.clone(), Arc::new(Note { id, text, unknown: Unknown::new() }));
    }
    if let Some(name) = group {
        let id = GroupId::new("g0").expect("a letter and a digit");
        let tasks = pipeline.tasks.keys().take(3).cloned().collect();
        pipeline.groups.insert(id.clone(), Arc::new(Group { id, name, tasks, unknown: Unknown::new() }));
    }
}

/// The settings of one task, of any kind.
pub fn kind() -> impl Strategy<Value = Kind> {
    // Boxed: the trees of all kinds side by side do not fit a thread's stack.
    Union::new([
        load_data().boxed(),
        container().boxed(),
        notebook().boxed(),
        job().boxed(),
        job().boxed(),
        viewer().boxed(),
        serving().boxed(),
        volume().boxed(),
    ])
}

/// A task's kind with its fresh settings.
pub fn fresh_kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(KindName::ALL.to_vec()).prop_map(Kind::new)
}

/// A name as people give them, not always unique, now and then empty.
pub fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[A-Z][a-z]{1,8}( [a-z0-9]{1,4})?", 1 => text()]
}

/// Any text that JSON can hold.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ -~]{0,20}", any::<String>()]
}

/// A place with ordinary and extreme numbers.
fn run_as() -> impl Strategy<Value = RunAs> {
    (any::<u32>(), option::of(any::<u32>())).prop_map(|(user, group)| RunAs { user, group })
}

pub fn place() -> impl Strategy<Value = Place> {
    let number = || prop_oneof![4 => -2000.0..2000.0f64, 1 => proptest::num::f64::NORMAL];
    (number(), number(), option::weighted(0.1, 1.0..900.0f64)).prop_map(|(x, y, width)| Place {
        x,
        y,
        width,
        height: width,
    })
}

fn folder() -> impl Strategy<Value = TaskPath> {
    "/[a-z]{1,6}(/[a-z0-9]{1,4})?".prop_map(TaskPath)
}

fn settings() -> impl Strategy<Value = Settings> {
    let parameter = ("[a-z][a-z_]{0,6}", text(), unknown()).prop_map(|(name, default, unknown)| Parameter {
        name,
        kind: ParameterType::Text,
        default,
        description: String::new(),
        unknown,
    });
    (name(), text(), vec(parameter, 0..3)).prop_map(|(name, description, parameters)| Settings {
        name,
        description,
        parameters,
    })
}

/// Mostly none; else fields that a later version may bring.
fn unknown() -> impl Strategy<Value = Unknown> {
    let some = ("x_[a-z]{1,4}", any::<i64>(), proptest::num::f64::NORMAL, text());
    let some = some.prop_map(|(name, integer, number, text)| {
        Unknown::from_iter([(name, json!([integer, {"number": number, "text": text}, null, true]))])
    });
    prop_oneof![4 => Just(Unknown::new()), 1 => some]
}

fn inherit<T: std::fmt::Debug + Clone>(own: impl Strategy<Value = T>) -> impl Strategy<Value = Inherit<T>> {
    prop_oneof![3 => Just(()).prop_map(|()| Inherit::Inherited), 1 => Just(()).prop_map(|()| Inherit::None), 3 => own.prop_map(Inherit::Own)]
}

fn image() -> impl Strategy<Value = Inherit<String>> {
    inherit("[a-z]{1,6}(:[0-9.]{1,4})?")
}

fn env() -> impl Strategy<Value = Env> {
    let value = prop_oneof![
        4 => "[ -z]{0,8}".prop_map(|text| Some(EnvValue::Value(text))),
        1 => "[a-z]{1,8}".prop_map(|name| Some(EnvValue::Secret(name))),
        1 => Just(None)
    ];
    prop::collection::btree_map("[A-C]", value, 0..3)
}

fn resources() -> impl Strategy<Value = Resources> {
    let cpu = inherit((1..16_000u32).prop_map(Cpu));
    let memory = inherit((1..1u64 << 40).prop_map(Memory));
    (cpu, memory, inherit(0..4u32), unknown()).prop_map(|(cpu, memory, gpu, unknown)| Resources {
        cpu,
        memory,
        gpu,
        unknown,
    })
}

fn volumes() -> impl Strategy<Value = Inherit<Vec<SharedVolume>>> {
    let one = ("[a-z]{1,4}", any::<bool>(), folder(), option::of("[a-z]{1,4}"), unknown());
    let one = one.prop_map(|(volume, write, mount_path, sub_path, unknown)| SharedVolume {
        volume,
        acl: if write { Acl::ReadWrite } else { Acl::ReadOnly },
        mount_path,
        sub_path,
        unknown,
    });
    inherit(vec(one, 0..3))
}

fn files() -> impl Strategy<Value = Vec<File>> {
    vec(("[a-z]{1,6}\\.py", text(), unknown()).prop_map(|(name, text, unknown)| File { name, text, unknown }), 0..3)
}

fn advance() -> impl Strategy<Value = Advance> {
    prop_oneof![
        Just(Advance::Hand),
        Just(Advance::Exit),
        folder().prop_map(|path| Advance::File { path }),
        any::<u32>().prop_map(|seconds| Advance::Time { seconds: Seconds(seconds) }),
        any::<u16>().prop_map(|port| Advance::Port { port }),
    ]
}

fn load_data() -> impl Strategy<Value = Kind> {
    let source = ("https://[a-z]{1,6}\\.example/[a-z]{1,6}\\.zip", option::of("[0-9a-f]{64}"), unknown());
    let source = source.prop_map(|(url, sha256, unknown)| Source { url, sha256, unpack: Unpack::TarGz, unknown });
    (vec(source, 0..3), folder(), any::<bool>(), env(), volumes(), unknown()).prop_map(
        |(sources, target, keep, env, volumes, unknown)| {
            Kind::LoadData(LoadData { sources, target, keep, env, volumes, unknown })
        },
    )
}

fn container() -> impl Strategy<Value = Kind> {
    let port = (any::<u16>(), text(), unknown()).prop_map(|(port, name, unknown)| Port { port, name, unknown });
    let first = (image(), option::of(vec(text(), 0..3)), env(), resources(), vec(port, 0..3), volumes());
    let last = (files(), vec(folder(), 0..2), advance(), option::of(any::<bool>()), unknown());
    (first, last).prop_map(|((image, command, env, resources, ports, volumes), last)| {
        let (files, keep, advance, stay_open, unknown) = last;
        let timeout = stay_open.map(|_| Seconds(60));
        Kind::Container(Container {
            image,
            command,
            env,
            resources,
            ports,
            volumes,
            files,
            keep,
            advance,
            stay_open,
            timeout,
            unknown,
        })
    })
}

fn notebook() -> impl Strategy<Value = Kind> {
    let first = (image(), option::of(text()), env(), resources(), volumes(), files());
    (first, vec(folder(), 0..2), advance(), unknown()).prop_map(|(first, keep, advance, unknown)| {
        let (image, open, env, resources, volumes, files) = first;
        Kind::Notebook(Notebook {
            image,
            open,
            env,
            resources,
            volumes,
            files,
            keep,
            advance,
            unknown,
            ..Notebook::default()
        })
    })
}

fn job() -> impl Strategy<Value = Kind> {
    let grid = prop::collection::btree_map("[A-Z]{1,2}", vec("[0-9.]{1,4}", 1..3), 0..3);
    let first = (image(), option::of(vec(text(), 0..3)), env(), resources(), volumes(), files());
    let last = (vec(folder(), 0..2), option::of(grid), 0..3u32, any::<bool>(), unknown());
    (first, last).prop_map(|((image, command, env, resources, volumes, files), last)| {
        let (keep, copies, retries, tolerate_failed_copies, unknown) = last;
        let script = command.is_none().then(|| "echo $A".to_owned());
        let back_off = (retries > 1).then_some(Seconds(5));
        Kind::Job(Job {
            image,
            command,
            script,
            env,
            resources,
            volumes,
            files,
            keep,
            retries,
            back_off,
            timeout: None,
            copies,
            tolerate_failed_copies,
            unknown,
        })
    })
}

fn viewer() -> impl Strategy<Value = Kind> {
    (0..20u32, env(), volumes(), resources(), unknown()).prop_map(|(newest_runs, env, volumes, resources, unknown)| {
        Kind::Viewer(Viewer { newest_runs, env, volumes, resources, image: Inherit::Inherited, unknown })
    })
}

fn serving() -> impl Strategy<Value = Kind> {
    let first = (image(), files(), env(), resources(), volumes());
    (first, option::of(any::<u16>()), unknown()).prop_map(|((image, files, env, resources, volumes), port, unknown)| {
        Kind::Serving(Serving { image, files, env, resources, volumes, port, unknown, ..Serving::default() })
    })
}

fn volume() -> impl Strategy<Value = Kind> {
    ("[a-z]{1,4}", folder(), unknown()).prop_map(|(volume, mount_path, unknown)| {
        Kind::Volume(Volume { volume, access: Acl::ReadWrite, mount_path, unknown })
    })
}

/// A chain-and-fan pipeline of `tasks` Jobs with about two arrows each: what figures are measured with.
pub fn large(tasks: usize) -> Pipeline {
    let id = PipelineId::new("large").expect("letters");
    let mut pipeline = Pipeline::new(id, "Large");
    for index in 0..tasks {
        let id = task_id(index);
        let job = Job {
            command: Some(vec!["python".into(), "train.py".into()]),
            env: BTreeMap::from([("SEED".to_owned(), Some(EnvValue::Value("1".into())))]),
            resources: Resources { cpu: Inherit::Own(Cpu(1000)), ..Resources::default() },
            ..Job::default()
        };
        pipeline
            .task_places
            .insert(id.clone(), Place { x: (index % 70) as f64, y: (index / 70) as f64, width: None, height: None });
        pipeline.tasks.insert(
            id.clone(),
            Arc::new(Task { id, name: format!("Task {index}"), run_as: None, kind: Kind::Job(job) }),
        );
        for (nth, back) in [1, 7].into_iter().enumerate().filter(|(_, back)| *back <= index) {
            let id = ArrowId::new(format!("a{index}-{nth}")).expect("letters and digits");
            let arrow = Arrow {
                id: id.clone(),
                from_task: task_id(index - back),
                from_path: "/out".into(),
                to_task: task_id(index),
                to_path: TaskPath(format!("/in/{back}")),
                acl: Acl::ReadOnly,
                unknown: Unknown::new(),
            };
            pipeline.arrows.insert(id, Arc::new(arrow));
        }
    }
    pipeline
}
