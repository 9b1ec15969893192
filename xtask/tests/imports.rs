//! Does every package import only what it may?

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

const OURS: [&str; 8] = ["model", "editor", "engine", "load", "task", "app", "frontend", "server"];

/// Who may import whom, tests included.
fn allowed(package: &str) -> &'static [&'static str] {
    match package {
        "editor" | "engine" | "task" => &["model"],
        // `editor` only with the feature `csr`, which the test below checks.
        "app" => &["model", "editor"],
        "frontend" => &["app"],
        "server" => &["model", "engine", "load", "app"],
        _ => &[],
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn packages() -> BTreeMap<String, Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().clone();
    packages.into_iter().map(|package| (package["name"].as_str().unwrap().to_owned(), package)).collect()
}

fn dependencies(package: &Value) -> Vec<&Value> {
    package["dependencies"].as_array().unwrap().iter().collect()
}

#[test]
fn every_package_imports_only_those_of_ours_that_it_may() {
    for (name, package) in packages().iter().filter(|(name, _)| OURS.contains(&name.as_str())) {
        let imported: BTreeSet<&str> = dependencies(package)
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .filter(|one| OURS.contains(one))
            .collect();
        let allowed: BTreeSet<&str> = allowed(name).iter().copied().collect();
        assert!(imported.is_subset(&allowed), "{name} imports {imported:?}, and may import {allowed:?}");
    }
}

#[test]
fn the_server_never_links_the_editor_nor_the_browser_the_engine() {
    let packages = packages();
    let app = &packages["app"];
    let editor = dependencies(app).into_iter().find(|one| one["name"] == "editor").unwrap();
    assert_eq!(editor["optional"], true);
    let ssr = app["features"]["ssr"].as_array().unwrap();
    assert!(!ssr.iter().any(|feature| feature == "dep:editor"), "the feature ssr pulls in the editor");
}

#[test]
fn the_pure_crates_know_no_clock_randomness_network_or_files() {
    const IMPURE: [&str; 12] = [
        "tokio",
        "std::fs",
        "std::net",
        "std::process",
        "std::time::SystemTime",
        "std::time::Instant",
        "std::thread",
        "rand::",
        "reqwest",
        "web_sys",
        "kube::",
        "sqlx",
    ];
    let has = |file: &Path, folder: &str| file.components().any(|part| part.as_os_str() == folder);
    let is_shipped = |file: &Path| has(file, "src") && !has(file, "tests") && !file.ends_with("tests.rs");
    for file in sources(&root().join("crates")).iter().filter(|file| is_shipped(file)) {
        let text = fs::read_to_string(file).unwrap();
        for word in IMPURE {
            assert!(!text.contains(word), "{} names {word}", file.display());
        }
    }
}

#[test]
fn each_outside_world_has_one_place_that_names_it() {
    let places = [
        (["kube::", "k8s_openapi"].as_slice(), "server/src/runner/kube"),
        (["sqlx::"].as_slice(), "server/src/store"),
        (["web_sys"].as_slice(), "app/src/ui"),
    ];
    for folder in ["app/src", "server/src", "load/src", "task/src", "frontend/src"] {
        for file in sources(&root().join(folder)) {
            // Our own module is no other world.
            let text = fs::read_to_string(&file).unwrap().replace("runner::kube::", "");
            for (words, place) in places {
                let is_allowed = file.starts_with(root().join(place));
                let named = words.iter().find(|word| text.contains(*word));
                assert!(is_allowed || named.is_none(), "{} names {named:?}: only {place} may", file.display());
            }
        }
    }
}

#[test]
fn every_source_file_begins_with_the_question_it_answers() {
    for folder in ["crates", "app", "server", "load", "task", "frontend", "xtask"] {
        for file in sources(&root().join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//! "), "{} does not begin with `//! `", file.display());
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
