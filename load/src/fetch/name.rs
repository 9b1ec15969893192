//! What may a downloaded file be called?

use percent_encoding::percent_decode_str;
use reqwest::header::{CONTENT_DISPOSITION, HeaderMap};
use url::Url;

/// Longest name in bytes; file systems take 255.
const LONGEST: usize = 200;

/// The file's name: as the server says, else the last part of the address asked for, else of the one it led to.
pub(crate) fn of_response(headers: &HeaderMap, asked: &Url, ended: &Url) -> String {
    let said = headers.get(CONTENT_DISPOSITION).and_then(|v| disposition(&String::from_utf8_lossy(v.as_bytes())));
    let candidates = [said, last_part(asked), last_part(ended)];
    candidates.into_iter().flatten().find_map(|name| safe(&name)).unwrap_or_else(|| "download".to_owned())
}

/// The last part of an address, decoded.
pub(crate) fn last_part(url: &Url) -> Option<String> {
    let part = url.path().rsplit('/').next()?;
    Some(percent_decode_str(part).decode_utf8_lossy().into_owned())
}

/// One harmless part of a path: no separators, no control characters, no dot at the beginning; `None` if nothing is left.
pub(crate) fn safe(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or("");
    let clean: String = last.chars().filter(|c| !c.is_control()).collect();
    let clean = clean.trim().trim_start_matches('.').trim_end_matches(['.', ' ']);
    if clean.is_empty() {
        return None;
    }
    if clean.len() <= LONGEST {
        return Some(clean.to_owned());
    }
    // The end says what kind of file it is, so the beginning gives way.
    let mut from = clean.len() - LONGEST;
    while !clean.is_char_boundary(from) {
        from += 1;
    }
    Some(clean[from..].trim_start_matches('.').to_owned())
}

/// The file name of `attachment; filename="x.zip"; filename*=UTF-8''x.zip`; the second form wins.
fn disposition(value: &str) -> Option<String> {
    let mut plain = None;
    for parameter in split_parameters(value) {
        let Some((key, value)) = parameter.split_once('=') else {
            continue;
        };
        match key.trim().to_ascii_lowercase().as_str() {
            "filename*" => {
                let encoded = value.trim().splitn(3, '\'').nth(2)?;
                return Some(percent_decode_str(encoded).decode_utf8_lossy().into_owned());
            }
            "filename" => plain = Some(unquote(value.trim())),
            _ => {}
        }
    }
    plain
}

/// Splits at semicolons outside quotes.
fn split_parameters(value: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                parts.push(&value[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&value[from..]);
    parts
}

fn unquote(value: &str) -> String {
    match value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => value.to_owned(),
    }
}
