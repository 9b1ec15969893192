//! What does the import of a document do with any bytes at all?

use std::collections::BTreeMap;

use crate::{
    Cpu, Memory, Site, document, mounts,
    site::{Capacity, Limits, RunnerName},
    validate,
};

/// Reads the bytes as a document; one that can be read is written, read again, validated and planned.
///
/// # Panics
/// What was written reads as something else, or a document that can be read breaks what comes after.
pub fn import(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(read) = document::read(text) else { return };
    let written = document::write(&read.pipeline);
    let again = document::read(&written).expect("what was written can be read").pipeline;
    assert_eq!(again, read.pipeline, "another pipeline came back");
    let site = site();
    // Whatever is wrong with it is told; only a panic is a fault.
    let _ = validate::problems(&again, &site, &BTreeMap::new());
    for task in again.tasks.keys() {
        let _ = mounts::plan(&again, &site, task);
    }
}

fn site() -> Site {
    Site {
        runner: RunnerName::Local,
        capacity: Capacity { cpu: Cpu(4000), memory: Memory(8 << 30), gpu: 1 },
        volumes: BTreeMap::new(),
        secrets: Default::default(),
        default_images: BTreeMap::new(),
        faults: Default::default(),
        limits: Limits::default(),
    }
}
