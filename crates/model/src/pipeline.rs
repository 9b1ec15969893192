//! What is a pipeline made of?
//!
//! Small records, each behind an `Arc`: a change replaces single records, and everything that holds the old ones
//! (history, a run's snapshot, a drawn scene) keeps them for the price of a pointer.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{ArrowId, GroupId, NoteId, PipelineId, TaskId},
    kind::Kind,
    path::TaskPath,
    run_as::RunAs,
    value::Unknown,
};

/// A pipeline in memory. [`crate::document`] reads and writes it as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    pub id: PipelineId,
    pub settings: Arc<Settings>,
    pub tasks: BTreeMap<TaskId, Arc<Task>>,
    pub arrows: BTreeMap<ArrowId, Arc<Arrow>>,
    pub notes: BTreeMap<NoteId, Arc<Note>>,
    pub groups: BTreeMap<GroupId, Arc<Group>>,
    /// Where things stand on the canvas, apart from meaning: a moved box changes no run.
    pub task_places: BTreeMap<TaskId, Place>,
    pub note_places: BTreeMap<NoteId, Place>,
    /// Fields of the document itself that nothing here reads.
    pub unknown: Unknown,
}

impl Pipeline {
    pub fn new(id: PipelineId, name: impl Into<String>) -> Self {
        Pipeline {
            id,
            settings: Arc::new(Settings { name: name.into(), ..Settings::default() }),
            tasks: BTreeMap::new(),
            arrows: BTreeMap::new(),
            notes: BTreeMap::new(),
            groups: BTreeMap::new(),
            task_places: BTreeMap::new(),
            note_places: BTreeMap::new(),
            unknown: Unknown::new(),
        }
    }
}

/// The pipeline's own fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
}

impl Settings {
    /// Every parameter as it is given, else by its default.
    pub fn values(&self, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let value = |one: &Parameter| given.get(&one.name).unwrap_or(&one.default).clone();
        self.parameters.iter().map(|one| (one.name.clone(), value(one))).collect()
    }
}

/// A value that Run asks for, used as `{{name}}` and `FLETCHLINE_PARAM_<NAME>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Parameter {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// As text, whatever the type; checked against it.
    pub default: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(flatten)]
    pub unknown: Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterType {
    Text,
    Integer,
    Number,
    Boolean,
}

/// One component on the canvas.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Task {
    pub id: TaskId,
    pub name: String,
    /// Absent: as the installation's user and group. It counts on a cluster only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as: Option<RunAs>,
    #[serde(flatten)]
    pub kind: Kind,
}

/// What may be done with what an arrow mounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Acl {
    #[default]
    #[serde(rename = "RO")]
    ReadOnly,
    #[serde(rename = "RW")]
    ReadWrite,
}

/// Data and order between two tasks: what lies under `from_path` of the upstream is mounted at `to_path` of the
/// downstream. Both paths empty: order alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Arrow {
    pub id: ArrowId,
    pub from_task: TaskId,
    #[serde(default)]
    pub from_path: TaskPath,
    pub to_task: TaskId,
    #[serde(default)]
    pub to_path: TaskPath,
    #[serde(default)]
    pub acl: Acl,
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A text on the canvas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    pub id: NoteId,
    pub text: String,
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A named frame around tasks; changes no meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    pub tasks: Vec<TaskId>,
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The upper left corner in world units (a card is 220 wide), and a size where the thing has one of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    pub x: f64,
    pub y: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<f64>,
}

impl<'de> Deserialize<'de> for Task {
    /// By hand, so that an error names the field ("command: invalid type …"), which a derived flattened enum cannot.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut fields = Unknown::deserialize(deserializer)?;
        let mut take = |name: &str| -> Result<String, D::Error> {
            match fields.remove(name) {
                Some(serde_json::Value::String(text)) => Ok(text),
                Some(_) => Err(D::Error::custom(format!("{name}: a text is expected"))),
                None => Err(D::Error::custom(format!("a task needs a field `{name}`"))),
            }
        };
        let id = TaskId::new(take("id")?).map_err(D::Error::custom)?;
        let (name, kind) = (take("name")?, take("kind")?);
        let run_as = fields.remove("run_as").map(serde_json::from_value::<Option<RunAs>>).transpose();
        let run_as = run_as.map_err(|error| D::Error::custom(format!("run_as: {error}")))?.flatten();
        let kind = kind_from(&kind, serde_json::Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Task { id, name, run_as, kind })
    }
}

fn kind_from(kind: &str, fields: serde_json::Value) -> Result<Kind, String> {
    fn read<T: serde::de::DeserializeOwned>(fields: serde_json::Value) -> Result<T, String> {
        serde_path_to_error::deserialize(fields).map_err(|error| error.to_string())
    }
    match kind {
        "load_data" => read(fields).map(Kind::LoadData),
        "container" => read(fields).map(Kind::Container),
        "notebook" => read(fields).map(Kind::Notebook),
        "job" => read(fields).map(Kind::Job),
        "viewer" => read(fields).map(Kind::Viewer),
        "serving" => read(fields).map(Kind::Serving),
        "volume" => read(fields).map(Kind::Volume),
        other => Err(format!(
            "kind: \"{other}\" is not a kind: use load_data, container, notebook, job, viewer, serving or volume"
        )),
    }
}
