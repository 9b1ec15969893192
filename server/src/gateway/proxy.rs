//! How does one request pass to a task and back?

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, Version, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::{Target, headers};
use crate::runner::Connection;

/// One connection a request: the programs behind are on this machine or one API hop away, and a stream that fails
/// half-way can then never be taken for the answer to another request.
pub async fn pass_on(
    connection: Box<dyn Connection>,
    target: &Target,
    mut request: Request,
) -> Result<Response, hyper::Error> {
    let (mut sender, driver) = http1::handshake(TokioIo::new(connection)).await?;
    tokio::spawn(driver.with_upgrades());
    let upgrade = upgrade_of(&request);
    let browser = upgrade.as_ref().map(|_| hyper::upgrade::on(&mut request));
    let mut response = sender.send_request(for_task(request, target, upgrade)).await?;
    let task = (response.status() == StatusCode::SWITCHING_PROTOCOLS).then(|| hyper::upgrade::on(&mut response));
    let protocol = response.headers().get(header::UPGRADE).cloned();
    let mut response = response.map(Body::new).into_response();
    headers::for_browser(response.headers_mut(), target);
    if let (Some(browser), Some(task)) = (browser, task) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        response.headers_mut().extend(protocol.map(|protocol| (header::UPGRADE, protocol)));
        tokio::spawn(join(browser, task));
    }
    Ok(response)
}

/// The protocol that the browser wants to switch to.
fn upgrade_of(request: &Request) -> Option<HeaderValue> {
    let connection = request.headers().get(header::CONNECTION)?.to_str().ok()?;
    let is_asked = connection.split(',').any(|word| word.trim().eq_ignore_ascii_case("upgrade"));
    if is_asked { request.headers().get(header::UPGRADE).cloned() } else { None }
}

fn for_task(request: Request, target: &Target, upgrade: Option<HeaderValue>) -> Request {
    let (mut parts, body) = request.into_parts();
    headers::for_task(&mut parts.headers, target);
    if let Some(upgrade) = upgrade {
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        parts.headers.insert(header::UPGRADE, upgrade);
    }
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    parts.uri = path.parse().unwrap_or_default();
    parts.version = Version::HTTP_11;
    Request::from_parts(parts, body)
}

/// Bytes both ways until one side is done.
async fn join(browser: hyper::upgrade::OnUpgrade, task: hyper::upgrade::OnUpgrade) {
    if let (Ok(browser), Ok(task)) = tokio::join!(browser, task) {
        let (mut browser, mut task) = (TokioIo::new(browser), TokioIo::new(task));
        // Either side going away is how such a stream ends.
        let _ = tokio::io::copy_bidirectional(&mut browser, &mut task).await;
    }
}
