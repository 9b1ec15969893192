//! What can a field of a task hold besides plain text?

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Fields of a document that nothing here reads: kept when it is saved again, never given to a runner.
pub type Unknown = serde_json::Map<String, serde_json::Value>;

/// A field that comes from the direct upstreams when it is absent; `null` in a document says "none".
///
/// Write it with `#[serde(default, skip_serializing_if = "Inherit::is_inherited")]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Inherit<T> {
    #[default]
    Inherited,
    None,
    Own(T),
}

impl<T> Inherit<T> {
    pub fn is_inherited(&self) -> bool {
        matches!(self, Inherit::Inherited)
    }

    pub fn own(&self) -> Option<&T> {
        match self {
            Inherit::Own(value) => Some(value),
            Inherit::Inherited | Inherit::None => None,
        }
    }
}

impl<T: Serialize> Serialize for Inherit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.own().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Inherit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(|value| value.map_or(Inherit::None, Inherit::Own))
    }
}

impl<T: JsonSchema> JsonSchema for Inherit<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Option::<T>::schema_name()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Option::<T>::json_schema(generator)
    }
    fn inline_schema() -> bool {
        true
    }
}

/// The value of an environment variable: said here, or the name of a secret of the installation.
/// A secret's own value is never in a document, a history, a log or an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EnvValue {
    Value(String),
    Secret(String),
}
