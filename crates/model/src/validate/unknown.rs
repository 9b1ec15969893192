//! Which fields of a document does nothing read?

use serde_json::Value;

use crate::{
    kind::{Kind, KindName},
    pipeline::{Arrow, Pipeline, Task},
    problem::{At, Problem},
    value::Unknown,
};

/// The names that each object of a document knows: what a misspelt one may have meant.
pub(super) mod names {
    pub const DOCUMENT: &[&str] =
        &["format", "id", "name", "description", "parameters", "tasks", "arrows", "notes", "groups", "layout"];
    pub const PARAMETER: &[&str] = &["name", "type", "default", "description"];
    pub const ARROW: &[&str] = &["id", "from_task", "from_path", "to_task", "to_path", "acl"];
    pub const NOTE: &[&str] = &["id", "text"];
    pub const GROUP: &[&str] = &["id", "name", "tasks"];
    pub const LAYOUT: &[&str] = &["tasks", "notes"];
    pub const PLACE: &[&str] = &["x", "y", "width", "height"];
    pub const RESOURCES: &[&str] = &["cpu", "memory", "gpu"];
    pub const SHARED_VOLUME: &[&str] = &["volume", "acl", "mount_path", "sub_path"];
    pub const FILE: &[&str] = &["name", "text"];
    pub const SOURCE: &[&str] = &["url", "sha256", "unpack"];
    pub const PORT: &[&str] = &["port", "name"];
    pub const LOAD_DATA: &[&str] = &["sources", "target", "keep", "env", "volumes"];
    pub const CONTAINER: &[&str] = &[
        "image",
        "command",
        "env",
        "resources",
        "ports",
        "volumes",
        "files",
        "keep",
        "advance",
        "stay_open",
        "timeout",
    ];
    pub const NOTEBOOK: &[&str] = &[
        "image",
        "start_path",
        "open",
        "arguments",
        "env",
        "resources",
        "volumes",
        "files",
        "keep",
        "advance",
        "stay_open",
        "timeout",
    ];
    pub const JOB: &[&str] = &[
        "image",
        "command",
        "script",
        "env",
        "resources",
        "volumes",
        "files",
        "keep",
        "retries",
        "back_off",
        "timeout",
        "copies",
        "tolerate_failed_copies",
    ];
    pub const VIEWER: &[&str] = &["newest_runs", "env", "volumes", "resources", "image"];
    pub const SERVING: &[&str] = &["framework", "image", "files", "env", "resources", "volumes", "port", "replace"];
    pub const VOLUME: &[&str] = &["volume", "access", "mount_path"];
}

fn of_kind(kind: KindName) -> &'static [&'static str] {
    match kind {
        KindName::LoadData => names::LOAD_DATA,
        KindName::Container => names::CONTAINER,
        KindName::Notebook => names::NOTEBOOK,
        KindName::Job => names::JOB,
        KindName::Viewer => names::VIEWER,
        KindName::Serving => names::SERVING,
        KindName::Volume => names::VOLUME,
    }
}

/// One warning a field, with its place and what it may have meant.
pub fn unknown_fields(pipeline: &Pipeline) -> Vec<Problem> {
    let mut found = Vec::new();
    in_document(pipeline, &mut found);
    // Whole documents are told in one list; an editor asks for one record at a time.
    for task in pipeline.tasks.values() {
        in_task(task, &mut found);
    }
    for arrow in pipeline.arrows.values() {
        in_arrow(arrow, &mut found);
    }
    found
}

pub(super) fn in_arrow(arrow: &Arrow, found: &mut Vec<Problem>) {
    let at = |field: &str| At::arrow(&arrow.id, field);
    each(&arrow.unknown, &format!("The arrow {}", arrow.id), names::ARROW, at, found);
}

/// Of the document itself, its parameters, notes, groups and layout.
pub(super) fn in_document(pipeline: &Pipeline, found: &mut Vec<Problem>) {
    let mut unknown = pipeline.unknown.clone();
    let layout = unknown.remove("layout");
    each(&unknown, "The pipeline", names::DOCUMENT, |field| At::pipeline(field), found);
    for (index, parameter) in pipeline.settings.parameters.iter().enumerate() {
        let at = |field: &str| At::pipeline(format!("parameters[{index}].{field}"));
        each(&parameter.unknown, &format!("The parameter {}", parameter.name), names::PARAMETER, at, found);
    }
    for note in pipeline.notes.values() {
        let at = |field: &str| At::pipeline(format!("notes.{}.{field}", note.id));
        each(&note.unknown, &format!("The note {}", note.id), names::NOTE, at, found);
    }
    for group in pipeline.groups.values() {
        let at = |field: &str| At::pipeline(format!("groups.{}.{field}", group.id));
        each(&group.unknown, &format!("The group {}", group.name), names::GROUP, at, found);
    }
    if let Some(Value::Object(layout)) = layout {
        in_layout(layout, found);
    }
}

fn in_layout(mut layout: Unknown, found: &mut Vec<Problem>) {
    for list in names::LAYOUT {
        let Some(Value::Object(places)) = layout.remove(*list) else { continue };
        for (id, fields) in places.iter().filter_map(|(id, fields)| Some((id, fields.as_object()?))) {
            let at = |field: &str| At::pipeline(format!("layout.{list}.{id}.{field}"));
            each(fields, &format!("The place of {id}"), names::PLACE, at, found);
        }
    }
    each(&layout, "The layout", names::LAYOUT, |field| At::pipeline(format!("layout.{field}")), found);
}

/// Of one task and what lies in it.
pub(super) fn in_task(task: &Task, found: &mut Vec<Problem>) {
    let mut look = |unknown: &Unknown, within: String, names: &[&str]| {
        let at = |field: &str| At::task(&task.id, format!("{within}{field}"));
        let whose = match within.trim_end_matches('.') {
            "" => task.title().to_owned(),
            within => format!("{}'s {within}", task.title()),
        };
        each(unknown, &whose, names, at, found);
    };
    look(task.kind.unknown(), String::new(), of_kind(task.kind.name()));
    if let Some(resources) = task.kind.resources() {
        look(&resources.unknown, "resources.".into(), names::RESOURCES);
    }
    for (index, volume) in task.kind.volumes().and_then(|volumes| volumes.own()).into_iter().flatten().enumerate() {
        look(&volume.unknown, format!("volumes[{index}]."), names::SHARED_VOLUME);
    }
    for (index, file) in task.kind.files().iter().enumerate() {
        look(&file.unknown, format!("files[{index}]."), names::FILE);
    }
    for (index, port) in task.kind.ports().iter().enumerate() {
        look(&port.unknown, format!("ports[{index}]."), names::PORT);
    }
    if let Kind::LoadData(load) = &task.kind {
        for (index, source) in load.sources.iter().enumerate() {
            look(&source.unknown, format!("sources[{index}]."), names::SOURCE);
        }
    }
}

fn each(unknown: &Unknown, whose: &str, names: &[&str], at: impl Fn(&str) -> At, found: &mut Vec<Problem>) {
    for field in unknown.keys() {
        let meant = near(field, names).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        found.push(Problem::warning(at(field), format!("{whose} has a field `{field}` that nothing reads{meant}")));
    }
}

/// The name that a misspelt one may have meant: at most two letters away, and one in short names.
pub(super) fn near<'a>(text: &str, names: &[&'a str]) -> Option<&'a str> {
    if text.len() > 64 {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let far = |name: &&str| strsim::osa_distance(&lower, &name.to_ascii_lowercase());
    let most = if text.chars().count() < 5 { 1 } else { 2 };
    names.iter().copied().min_by_key(far).filter(|name| far(name) <= most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    fn properties(of: &Value) -> Vec<String> {
        of["properties"].as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default()
    }

    fn sorted(names: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = names.iter().map(ToString::to_string).collect();
        names.sort();
        names
    }

    #[test]
    fn the_known_names_are_those_of_the_types() {
        let schema = document::schema();
        let kinds: Vec<(KindName, Vec<String>)> = KindName::ALL
            .into_iter()
            .map(|kind| {
                let new = serde_json::to_value(schemars_of(kind)).unwrap();
                (kind, properties(&new))
            })
            .collect();
        for (kind, mut from_type) in kinds {
            from_type.sort();
            assert_eq!(from_type, sorted(of_kind(kind)), "{kind:?}");
        }
        let mut document = properties(&schema);
        document.sort();
        assert_eq!(document, sorted(names::DOCUMENT));
        for (name, known) in [
            ("Parameter", names::PARAMETER),
            ("Arrow", names::ARROW),
            ("Note", names::NOTE),
            ("Group", names::GROUP),
            ("Layout", names::LAYOUT),
            ("PlaceRecord", names::PLACE),
            ("Resources", names::RESOURCES),
            ("SharedVolume", names::SHARED_VOLUME),
            ("File", names::FILE),
            ("Source", names::SOURCE),
            ("Port", names::PORT),
        ] {
            let mut from_type = properties(&schema["$defs"][name]);
            from_type.sort();
            assert_eq!(from_type, sorted(known), "{name}");
        }
    }

    fn schemars_of(kind: KindName) -> schemars::Schema {
        match kind {
            KindName::LoadData => schemars::schema_for!(crate::kind::LoadData),
            KindName::Container => schemars::schema_for!(crate::kind::Container),
            KindName::Notebook => schemars::schema_for!(crate::kind::Notebook),
            KindName::Job => schemars::schema_for!(crate::kind::Job),
            KindName::Viewer => schemars::schema_for!(crate::kind::Viewer),
            KindName::Serving => schemars::schema_for!(crate::kind::Serving),
            KindName::Volume => schemars::schema_for!(crate::kind::Volume),
        }
    }

    #[test]
    fn a_misspelt_field_is_told_with_what_it_may_have_meant() {
        assert_eq!(near("comand", names::JOB), Some("command"));
        assert_eq!(near("Env", names::JOB), Some("env"));
        assert_eq!(near("colour", names::JOB), None);
    }
}
