//! How does a document of an older version become one of today's?

use serde_json::{Map, Value};

use super::ReadError;

const PREFIX: &str = "fletchline/v";
/// The version that is written.
pub(super) const CURRENT: u32 = 1;

type Migration = fn(&mut Map<String, Value>);
/// The n-th takes a document of version n + 1 to the next. Version 1 is the first, so there is none yet; one that is
/// ever added here stays, with a document of its version in the tests.
const MIGRATIONS: [Migration; (CURRENT - 1) as usize] = [];

pub(super) fn format() -> String {
    format!("{PREFIX}{CURRENT}")
}

/// # Errors
/// The document is foreign, of no published version or of a newer one.
pub(super) fn to_current(fields: Map<String, Value>) -> Result<Map<String, Value>, ReadError> {
    migrate(fields, &MIGRATIONS)
}

fn migrate(mut fields: Map<String, Value>, migrations: &[Migration]) -> Result<Map<String, Value>, ReadError> {
    let current = migrations.len() as u32 + 1;
    let version = version(&fields)?;
    if version > current {
        return Err(ReadError::Newer { version, current });
    }
    for (index, step) in migrations.iter().enumerate().skip(version as usize - 1) {
        step(&mut fields);
        fields.insert("format".into(), format!("{PREFIX}{}", index + 2).into());
    }
    Ok(fields)
}

fn version(fields: &Map<String, Value>) -> Result<u32, ReadError> {
    let format = match fields.get("format") {
        Some(Value::String(format)) => format,
        Some(_) | None => return Err(ReadError::Foreign(foreign(fields))),
    };
    let number = format.strip_prefix(PREFIX).and_then(|number| number.parse().ok()).filter(|number| *number > 0);
    number.ok_or_else(|| ReadError::Foreign(format!("its format is {}", Value::from(format.as_str()))))
}

/// What it is instead, by fields that give others' files away.
fn foreign(fields: &Map<String, Value>) -> String {
    let has = |name: &str| fields.contains_key(name);
    let guess = match () {
        () if has("nbformat") => "it looks like a Jupyter notebook",
        () if has("apiVersion") => "it looks like a Kubernetes manifest",
        () if has("nodes") && has("connections") => "it looks like an n8n workflow",
        () if has("nodes") && has("links") => "it looks like a ComfyUI workflow",
        () if has("pipelineSpec") || has("deploymentSpec") => "it looks like a Kubeflow pipeline",
        () if has("format") => "its format is no text",
        () => "it has no field `format`",
    };
    guess.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_takes_every_step_from_its_own_version_to_todays_in_order() {
        let first: Migration = |fields| {
            let name = fields.remove("title").unwrap_or_default();
            fields.insert("name".into(), name);
        };
        let second: Migration = |fields| {
            let name = fields["name"].as_str().unwrap_or_default().to_uppercase();
            fields.insert("name".into(), name.into());
        };
        let fields = |value: Value| value.as_object().cloned().unwrap_or_default();
        let all = migrate(fields(json!({"format": "fletchline/v1", "title": "a"})), &[first, second]);
        assert_eq!(all, Ok(fields(json!({"format": "fletchline/v3", "name": "A"}))));
        let one = migrate(fields(json!({"format": "fletchline/v2", "name": "a"})), &[first, second]);
        assert_eq!(one, Ok(fields(json!({"format": "fletchline/v3", "name": "A"}))));
        let newer = migrate(fields(json!({"format": "fletchline/v4"})), &[first, second]);
        assert_eq!(newer, Err(ReadError::Newer { version: 4, current: 3 }));
    }
}
