//! What does a browser see where no task answers?

use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, header};

use super::Target;

pub fn refused() -> Response {
    plain(StatusCode::UNAUTHORIZED, "Open this page from Fletchline: the button there lets this browser in.")
}

pub fn ended() -> Response {
    plain(StatusCode::NOT_FOUND, "This task is not running any more. Its run in Fletchline shows how it ended.")
}

pub fn unreachable(target: &Target, why: &str) -> Response {
    plain(StatusCode::BAD_GATEWAY, &format!("{} does not answer on port {}: {why}.", target.task_name, target.port))
}

/// One sentence on our own quiet page; it loads nothing.
pub fn plain(status: StatusCode, sentence: &str) -> Response {
    let text = sentence.replace('&', "&amp;").replace('<', "&lt;");
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Fletchline</title>\
         <style>:root{{color-scheme:light dark}}body{{font:15px/1.5 system-ui;max-width:34rem;margin:20vh auto;padding:0 1rem}}</style>\
         <p>{text}</p></html>"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Html(page)).into_response()
}
