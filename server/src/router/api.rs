//! How does a server function get its request, and an error its status?

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use app::{backend::Backend, error::ApiError};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header};
use leptos::prelude::provide_context;

/// A document of the largest size, written as a JSON string.
const LIMIT: usize = 48 << 20;
/// An answer of ours that is an error is short, but for a document that another place saved.
const ERROR_LIMIT: usize = 64 << 20;
const SLOWEST_BODY: Duration = Duration::from_secs(60);

pub(super) async fn answer(State(backend): State<Arc<dyn Backend>>, request: Request) -> Response {
    let known: BTreeSet<&str> = server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    if !known.contains(request.uri().path()) {
        return refuse(StatusCode::NOT_FOUND, "There is no such function.");
    }
    if request.method() != Method::POST {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "A server function is asked by POST.");
    }
    if !is_json(&request) {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "A server function is asked in JSON (application/json).");
    }
    let request = match take(request).await {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    let context = move || provide_context(backend.clone());
    let response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    if response.status().is_success() { response } else { with_status(response).await }
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The whole body, which is bounded in size and time.
async fn take(request: Request) -> Result<Request, Response> {
    let (mut parts, body) = request.into_parts();
    let bytes = match tokio::time::timeout(SLOWEST_BODY, axum::body::to_bytes(body, LIMIT)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, "This request is too large.")),
        Err(_) => return Err(refuse(StatusCode::REQUEST_TIMEOUT, "This request took too long to arrive.")),
    };
    // A browser's form would be sent back to the page it came from; ours are asked by code.
    parts.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// What the framework itself refuses (a body that is not what the function takes) comes as 500: the error says its own status.
async fn with_status(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, ERROR_LIMIT).await.unwrap_or_else(|_| Bytes::new());
    if let Ok(error) = serde_json::from_slice::<ApiError>(&bytes) {
        if let ApiError::Internal { sentence } = &error {
            tracing::error!("A request failed: {sentence}");
        }
        parts.status = StatusCode::from_u16(error.status()).unwrap_or(parts.status);
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn refuse(status: StatusCode, sentence: &str) -> Response {
    (status, axum::Json(ApiError::Bad { sentence: sentence.into() })).into_response()
}
