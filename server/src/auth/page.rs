//! What does somebody see who is not let in, and what may our pages do in a browser?

use app::{error::ApiError, paths};
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

pub const FOREIGN_HOST: &str = "This is Fletchline under a name that it does not know. Open it as localhost, or set `public_url` in fletchline.toml.";
pub const FOREIGN_PAGE: &str = "This request does not come from Fletchline's own page.";
pub const USED_LINK: &str =
    "This link was used before or is too old. Run `fletchline link` on the server's machine for another one.";

/// A strict cookie is not sent along a way that began on another site; a page of ours that goes on begins a new way.
/// It names an icon, or the browser would look for a file that is not there.
pub const GO_ON: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Fletchline</title>\
    <link rel=\"icon\" href=\"data:,\"><meta http-equiv=\"refresh\" content=\"0;url=/\">\
    <p><a href=\"/\">Go on to Fletchline</a></p></html>";

const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// On every answer of ours. What an answer says itself stays.
pub fn headers(headers: &mut HeaderMap) {
    let all = [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in all {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// One sentence. A reload after signing in shows the page that was asked for.
pub fn sentence(status: StatusCode, sentence: &str) -> Response {
    let sentence = sentence.replace('&', "&amp;").replace('<', "&lt;");
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Fletchline</title><link rel=\"icon\" href=\"data:,\">\
         <style>:root{{color-scheme:light dark}}body{{font:15px/1.5 system-ui;max-width:34rem;margin:20vh auto;padding:0 1rem}}</style>\
         <p>{sentence}</p></html>"
    );
    (status, Html(page)).into_response()
}

/// 401: as the API says it to the page's code, as a page to a person.
pub(super) fn signed_out(path: &str) -> Response {
    if path.starts_with(paths::API) {
        return (StatusCode::UNAUTHORIZED, axum::Json(ApiError::SignedOut)).into_response();
    }
    sentence(StatusCode::UNAUTHORIZED, &ApiError::SignedOut.to_string())
}
