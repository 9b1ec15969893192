//! Where do our own pages come from?
//!
//! From `dist/`, which a release carries inside and a debug build reads from the disk (`build.rs` sees that it is
//! there). A path without a dot is a page of the app, which is `index.html`.

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../dist/"]
struct Dist;

const INDEX: &str = "index.html";
const NOT_BUILT: &str = "The pages were not built into this server: run `cargo xtask bundle` and build it again.";

pub(super) async fn answer(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return crate::auth::sentence(StatusCode::METHOD_NOT_ALLOWED, "There is nothing here to send to.");
    }
    let path = request.uri().path().trim_start_matches('/');
    let is_page = !path.rsplit('/').next().unwrap_or_default().contains('.');
    let file = if is_page { INDEX } else { path };
    match find(file, request.headers()) {
        Some(response) => response,
        None if is_page => crate::auth::sentence(StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT),
        None => crate::auth::sentence(StatusCode::NOT_FOUND, "There is no such file."),
    }
}

fn find(path: &str, headers: &HeaderMap) -> Option<Response> {
    // The folder is a hash of its content; everything else may change under its name.
    let (cache, is_fixed) = match path.starts_with("assets-") {
        true => ("private, max-age=31536000, immutable", true),
        false => ("no-cache", false),
    };
    let packed = takes_brotli(headers).then(|| Dist::get(&format!("{path}.br"))).flatten();
    let is_packed = packed.is_some();
    let file = packed.or_else(|| Dist::get(path))?;
    let tag = tag(&file);
    if !is_fixed && headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Some((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let mut response = Response::new(Body::from(file.data.into_owned()));
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    answer.extend(HeaderValue::try_from(tag).ok().map(|tag| (header::ETAG, tag)));
    if is_packed {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    Some(response)
}

fn tag(file: &EmbeddedFile) -> String {
    let hash: String = file.metadata.sha256_hash().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hash}\"")
}

fn takes_brotli(headers: &HeaderMap) -> bool {
    let taken = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    taken.split(',').any(|one| one.split(';').next().is_some_and(|name| name.trim() == "br"))
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
