//! What does `fletchline.toml` say?

use std::collections::BTreeMap;

use super::{Kubernetes, LISTS, SETTINGS, SettingsError, Volume};

const VOLUMES: &str = "volumes";
const KUBERNETES: &str = "kubernetes";

pub(super) struct File {
    pub values: BTreeMap<String, String>,
    pub volumes: BTreeMap<String, Volume>,
    pub kubernetes: Kubernetes,
}

pub(super) fn parse(text: &str) -> Result<File, SettingsError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| SettingsError::Syntax(error.to_string()))?;
    let mut file = File { values: BTreeMap::new(), volumes: BTreeMap::new(), kubernetes: Kubernetes::default() };
    for (name, value) in table {
        if name == VOLUMES {
            file.volumes = super::volumes::parse(value)?;
        } else if name == KUBERNETES {
            file.kubernetes = super::kubernetes::parse(value)?;
        } else if SETTINGS.iter().any(|setting| setting.name == name) {
            file.values.insert(name.clone(), as_text(&name, &value)?);
        } else {
            return Err(unknown(&name, SETTINGS.iter().map(|setting| setting.name).chain([VOLUMES, KUBERNETES])));
        }
    }
    Ok(file)
}

/// As it would be in the environment or in a flag.
fn as_text(name: &str, value: &toml::Value) -> Result<String, SettingsError> {
    let wrong = |sentence: String| SettingsError::Value { place: format!("{name} (fletchline.toml)"), sentence };
    match value {
        toml::Value::Array(all) if LISTS.contains(&name) => {
            let texts = all.iter().map(|one| one.as_str().filter(|text| !text.contains(',')));
            let texts: Option<Vec<&str>> = texts.collect();
            texts.map(|texts| texts.join(", ")).ok_or_else(|| wrong("a list of texts is expected, one for each".into()))
        }
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Float(number) => Ok(number.to_string()),
        toml::Value::Boolean(is) => Ok(is.to_string()),
        toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
            Err(wrong(format!("one value is expected, this is a {}", value.type_str())))
        }
    }
}

pub(super) fn unknown(name: &str, known: impl Iterator<Item = &'static str>) -> SettingsError {
    let closest = known.map(|one| (strsim::osa_distance(name, one), one)).min();
    let hint = match closest {
        Some((distance, one)) if distance <= 3 => format!("; did you mean `{one}`?"),
        _ => "; `fletchline serve --help` lists all".to_owned(),
    };
    SettingsError::Unknown { name: name.to_owned(), hint }
}
