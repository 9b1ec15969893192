//! Which headers pass between a browser and a task?

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Target, access::COOKIE};

/// Of one connection only (RFC 9110, 7.6.1), beside those that `Connection` names.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Who somebody is, told by a header: ours to say, never the browser's.
const IDENTITY: [&str; 7] = [
    "authorization",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-remote-user",
    "kubeflow-userid",
];
/// What a task may not tell a browser about the host names around it.
const NOT_THEIRS: [&str; 3] = ["clear-site-data", "strict-transport-security", "service-worker-allowed"];
const CONFINED: &str = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:";

/// Our own cookies' names; none of them goes to a task.
fn is_ours(cookie: &str) -> bool {
    cookie == COOKIE || cookie.starts_with("fletchline")
}

pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// A page may ask only its own host; a request without an `Origin` is a navigation or a program's.
pub fn is_own_origin(headers: &HeaderMap) -> bool {
    let (Some(origin), Some(host)) = (headers.get(header::ORIGIN), headers.get(header::HOST)) else { return true };
    let (Ok(origin), Ok(host)) = (origin.to_str(), host.to_str()) else { return false };
    origin.split_once("://").is_some_and(|(_, named)| named.eq_ignore_ascii_case(host))
}

/// What the task gets. `Host` and `Origin` stay as they are, so that its own check of them holds.
pub fn for_task(headers: &mut HeaderMap, target: &Target) {
    let kept: Vec<String> =
        cookies(headers).filter(|(name, _)| !is_ours(name)).map(|(name, value)| format!("{name}={value}")).collect();
    headers.remove(header::COOKIE);
    if let Ok(value) = HeaderValue::try_from(kept.join("; "))
        && !kept.is_empty()
    {
        headers.insert(header::COOKIE, value);
    }
    remove_hop_by_hop(headers);
    IDENTITY.iter().for_each(|name| drop(headers.remove(*name)));
    if let Some(value) = target.authorization.as_ref().and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(header::AUTHORIZATION, value);
    }
}

/// What the browser gets.
pub fn for_browser(headers: &mut HeaderMap, target: &Target) {
    remove_hop_by_hop(headers);
    NOT_THEIRS.iter().for_each(|name| drop(headers.remove(*name)));
    let cookies: Vec<HeaderValue> =
        headers.get_all(header::SET_COOKIE).iter().filter(|value| is_theirs(value)).cloned().collect();
    headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    if let Some(path) = headers.get(header::LOCATION).and_then(|to| own_location(to, target)) {
        headers.insert(header::LOCATION, path);
    }
    if target.confine {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONFINED));
    }
}

/// A cookie for this host name alone and not under one of our names.
fn is_theirs(cookie: &HeaderValue) -> bool {
    let Ok(text) = cookie.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().and_then(|pair| pair.split_once('=')).map_or("", |(name, _)| name.trim());
    !is_ours(name) && !parts.any(|part| part.to_ascii_lowercase().starts_with("domain="))
}

/// A redirect to the task's own loopback address means this host name.
fn own_location(to: &HeaderValue, target: &Target) -> Option<HeaderValue> {
    let text = to.to_str().ok()?;
    let own = ["127.0.0.1", "localhost", "0.0.0.0"];
    let path = own.iter().find_map(|host| text.strip_prefix(&format!("http://{host}:{}", target.port)))?;
    HeaderValue::try_from(if path.starts_with('/') { path } else { "/" }).ok()
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    named.into_iter().for_each(|name| drop(headers.remove(name)));
    HOP_BY_HOP.iter().for_each(|name| drop(headers.remove(*name)));
}
