//! Are the examples whole, and written as the product writes them?

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use model::{
    Cpu, Kind, Memory, Site, document, serving,
    site::{Capacity, Limits, RunnerName},
    validate,
};

fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    let text = |name: &String| fs::read_to_string(folder.join(name).join("pipeline.json")).unwrap();
    names.iter().map(|name| (name.clone(), text(name))).collect()
}

#[test]
fn an_example_reads_without_a_warning_and_is_written_back_byte_for_byte() {
    let examples = examples();
    assert!(examples.len() >= 2);
    for (name, text) in examples {
        let read = document::read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.warnings, [], "{name}");
        assert!(document::write(&read.pipeline) == text, "{name} is not in the form that the product writes");
    }
}

#[test]
fn the_servings_of_the_examples_have_nothing_that_cannot_work() {
    for (name, text) in examples() {
        for task in document::read(&text).unwrap().pipeline.tasks.values() {
            if let Kind::Serving(serving) = &task.kind {
                assert_eq!(serving::lint(&serving.files), [], "{name}");
            }
        }
    }
}

#[test]
fn an_example_has_no_problem_and_no_warning_on_a_bare_machine() {
    let site = Site {
        runner: RunnerName::Local,
        capacity: Capacity { cpu: Cpu(2000), memory: Memory(4 << 30), gpu: 0 },
        volumes: BTreeMap::new(),
        secrets: BTreeSet::new(),
        default_images: BTreeMap::new(),
        faults: Default::default(),
        limits: Limits::default(),
    };
    for (name, text) in examples() {
        let pipeline = document::read(&text).unwrap().pipeline;
        assert_eq!(validate::problems(&pipeline, &site, &BTreeMap::new()), [], "{name}");
    }
}
