//! How do files come from and go to a person's disk?

use js_sys::Array;
use model::PipelineId;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::{api::pipelines::Created, error::ApiError, paths};

/// A click on a link with `download`: the browser asks where to.
pub fn save_as(address: &str) {
    click_link(address, "");
}

/// A saved pipeline as `json` or `zip`.
pub fn save_pipeline(id: &PipelineId, kind: &str) {
    save_as(&paths::PIPELINE_FILE.replace("{file}", &format!("{id}.{kind}")));
}

/// A text of this page as a file.
pub fn save_text(name: &str, text: &str) {
    let parts = Array::of1(&JsValue::from_str(text));
    let Ok(blob) = web_sys::Blob::new_with_str_sequence(&parts) else { return };
    let Ok(address) = web_sys::Url::create_object_url_with_blob(&blob) else { return };
    click_link(&address, name);
    let _ = web_sys::Url::revoke_object_url(&address);
}

fn click_link(address: &str, name: &str) {
    let Ok(link) = gloo::utils::document().create_element("a") else { return };
    let _ = link.set_attribute("href", address);
    let _ = link.set_attribute("download", name);
    if let Ok(link) = link.dyn_into::<web_sys::HtmlElement>() {
        link.click();
    }
}

/// The first of the files that are dropped.
pub fn dropped(event: &web_sys::DragEvent) -> Option<web_sys::File> {
    event.data_transfer().and_then(|data| data.files()).and_then(|files| files.get(0))
}

/// # Errors
/// The server's answer, or that it does not answer.
pub async fn import(file: &web_sys::File) -> Result<Created, ApiError> {
    send("POST", paths::IMPORT, file).await
}

/// Keeps a file for a Load Data; the answer is its address, `upload:<sha256>`.
///
/// # Errors
/// The server's answer, or that it does not answer.
pub async fn upload(file: &web_sys::File) -> Result<String, ApiError> {
    let address = format!("{}?name={}", paths::UPLOAD, js_sys::encode_uri_component(&file.name()));
    let text = send_text("PUT", &address, file).await?;
    Ok(serde_json::from_str::<String>(&text).unwrap_or(text))
}

async fn send<T: DeserializeOwned>(method: &str, address: &str, file: &web_sys::File) -> Result<T, ApiError> {
    let text = send_text(method, address, file).await?;
    serde_json::from_str(&text).map_err(|error| ApiError::Internal { sentence: error.to_string() })
}

async fn send_text(method: &str, address: &str, file: &web_sys::File) -> Result<String, ApiError> {
    let init = web_sys::RequestInit::new();
    init.set_method(method);
    init.set_body(file);
    let answer = JsFuture::from(gloo::utils::window().fetch_with_str_and_init(address, &init)).await;
    let answer: web_sys::Response = answer.map_err(unreachable)?.unchecked_into();
    let text = JsFuture::from(answer.text().map_err(unreachable)?).await.map_err(unreachable)?;
    let text = text.as_string().unwrap_or_default();
    if answer.ok() {
        return Ok(text);
    }
    let bad = || ApiError::Bad { sentence: if text.is_empty() { answer.status_text() } else { text.clone() } };
    Err(serde_json::from_str(&text).unwrap_or_else(|_| bad()))
}

fn unreachable(reason: JsValue) -> ApiError {
    let reason = reason.dyn_into::<js_sys::Error>().map(|error| String::from(error.message()));
    ApiError::Unreachable { sentence: reason.unwrap_or_else(|_| "no connection".into()) }
}

/// The text of a chosen file.
///
/// # Errors
/// It cannot be read.
pub async fn text_of(file: &web_sys::File) -> Result<String, ApiError> {
    let text = JsFuture::from(file.text()).await;
    let bad = || ApiError::Bad { sentence: format!("{} cannot be read as text.", file.name()) };
    text.ok().and_then(|text| text.as_string()).ok_or_else(bad)
}
