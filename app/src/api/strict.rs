//! How are a request's fields taken at their word?
//!
//! A field that nothing reads is a mistake of the asker's and must not pass in silence.

use leptos::server_fn::{
    Bytes, ContentType, Decodes, Encodes, Format, FormatType,
    codec::{JsonEncoding, Post},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A POST of JSON of which every field is read.
pub type Json = Post<StrictJson>;

pub struct StrictJson;

impl ContentType for StrictJson {
    const CONTENT_TYPE: &'static str = JsonEncoding::CONTENT_TYPE;
}

impl FormatType for StrictJson {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for StrictJson {
    type Error = serde_json::Error;
    fn encode(output: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_vec(output).map(Bytes::from)
    }
}

impl<T: Serialize + DeserializeOwned> Decodes<T> for StrictJson {
    type Error = String;
    /// What was read is written again: a field that is in the request and not in that was not read.
    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        let read: T = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let asked: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let written = serde_json::to_value(&read).map_err(|error| error.to_string())?;
        match unread(&asked, &written) {
            Some(field) => Err(format!("nothing reads the field `{field}`")),
            None => Ok(read),
        }
    }
}

/// The first field of `asked` that `written` lacks.
fn unread(asked: &Value, written: &Value) -> Option<String> {
    match (asked, written) {
        (Value::Object(asked), Value::Object(written)) => {
            asked.iter().find_map(|(name, value)| match written.get(name) {
                Some(read) => unread(value, read).map(|field| format!("{name}.{field}")),
                None => Some(name.clone()),
            })
        }
        (Value::Array(asked), Value::Array(written)) => {
            asked.iter().zip(written).find_map(|(asked, written)| unread(asked, written))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "from")]
    enum New {
        Empty { name: String },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Arguments {
        new: New,
        list: Vec<Option<u8>>,
    }

    fn decode(text: &str) -> Result<Arguments, String> {
        StrictJson::decode(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn a_field_that_nothing_reads_is_named_wherever_it_stands() {
        let good = r#"{"new":{"from":"Empty","name":"x"},"list":[1,null]}"#;
        assert_eq!(decode(good), Ok(Arguments { new: New::Empty { name: "x".into() }, list: vec![Some(1), None] }));
        let inner = r#"{"new":{"from":"Empty","name":"x","owner":"me"},"list":[]}"#;
        assert_eq!(decode(inner), Err("nothing reads the field `new.owner`".into()));
        let outer = r#"{"new":{"from":"Empty","name":"x"},"list":[],"id":7}"#;
        assert_eq!(decode(outer), Err("nothing reads the field `id`".into()));
        assert!(decode(r#"{"new":{"from":"Empty","name":"x"},"list":[],"list":[]}"#).is_err());
    }
}
