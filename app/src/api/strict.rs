//! How is a server function asked, and how are the fields of its request taken at their word?
//!
//! A field that nothing reads is a mistake of the asker's and must not pass in silence.

use std::pin::Pin;

use http::Method;
use leptos::server_fn::{
    Bytes, ContentType, Decodes, Encodes, Format, FormatType, Http, Protocol,
    client::Client,
    codec::{Json, JsonEncoding, Post},
    error::{FromServerFnError, ServerFnErrorErr},
    request::ClientReq,
    response::ClientRes,
    server::Server,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::error::ApiError;

/// A POST of JSON of which every field is read, answered by JSON.
type Served = Http<Post<StrictJson>, Json>;

/// What the server does is [`Served`]. In the browser that would be compiled whole for every function; here a request is
/// sent and its answer awaited by the same code for all of them.
pub struct Call;

impl<Asked, Answer, C, S> Protocol<Asked, Answer, C, S, ApiError> for Call
where
    Asked: Serialize + Send,
    Answer: DeserializeOwned + Send,
    C: Client<ApiError>,
    S: Server<ApiError>,
    Served: Protocol<Asked, Answer, C, S, ApiError>,
{
    const METHOD: Method = Served::METHOD;

    fn run_server<F, Fut>(request: S::Request, answer: F) -> impl Future<Output = Result<S::Response, ApiError>> + Send
    where
        F: Fn(Asked) -> Fut + Send,
        Fut: Future<Output = Result<Answer, ApiError>> + Send,
    {
        Served::run_server(request, answer)
    }

    async fn run_client(path: &str, asked: Asked) -> Result<Answer, ApiError> {
        let asked = serde_json::to_string(&asked).map_err(|error| ServerFnErrorErr::Serialization(error.to_string()));
        read(&post::<C>(path.to_owned(), asked.map_err(ApiError::from_server_fn_error)?).await?)
    }
}

type Posted = Pin<Box<dyn Future<Output = Result<String, ApiError>> + Send>>;

fn post<C: Client<ApiError>>(path: String, asked: String) -> Posted {
    Box::pin(async move {
        let json = JsonEncoding::CONTENT_TYPE;
        let response = C::send(C::Request::try_new_post(&path, json, json, asked)?).await?;
        let refused = response.status() >= 400;
        let body = response.try_into_string().await?;
        if refused { Err(read(&body).unwrap_or_else(|unreadable| unreadable)) } else { Ok(body) }
    })
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    let unreadable = |error: serde_json::Error| ServerFnErrorErr::Deserialization(error.to_string());
    serde_json::from_str(text).map_err(|error| ApiError::from_server_fn_error(unreadable(error)))
}

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
