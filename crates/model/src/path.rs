//! Which paths inside a task may be named?

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A path inside a task as a person wrote it. Nothing is checked on reading, so that a half-typed document can
/// be kept; [`TaskPath::check`] says what is wrong, and validation calls it everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TaskPath(pub String);

/// What is wrong with a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    #[error("is not absolute: begin it with \"/\"")]
    Relative,
    #[error("has \"..\" in it: write the folder itself")]
    DotDot,
    #[error("is the root of the task: name a folder, for example /data")]
    Root,
    #[error("lies in {0}, which belongs to the system: choose another folder")]
    Reserved(&'static str),
    #[error("has a character that no path can hold (a control character)")]
    Control,
    #[error("is longer than 1,024 bytes")]
    TooLong,
    #[error("has a part longer than 255 bytes")]
    PartTooLong,
}

/// Where nothing may be mounted, nor anything below.
pub const RESERVED: [&str; 6] = ["/proc", "/sys", "/dev", "/fletchline", "/var/run/secrets", "/run/secrets"];
/// Where every task starts.
pub const WORK: &str = "/work";

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

impl TaskPath {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without double and trailing slashes and without `.` parts: two spellings of one folder become equal.
    pub fn normal(&self) -> TaskPath {
        let mut normal = String::with_capacity(self.0.len() + 1);
        for part in parts(&self.0) {
            normal.push('/');
            normal.push_str(part);
        }
        if normal.is_empty() {
            normal.push('/');
        }
        TaskPath(normal)
    }

    /// Without the leading slash, for a folder below another.
    pub fn relative(&self) -> String {
        self.normal().0[1..].to_owned()
    }

    /// Equal, or below `other`, part by part: `/data2` is not below `/data`.
    pub fn is_within(&self, other: &TaskPath) -> bool {
        self.is_within_text(&other.0)
    }

    fn is_within_text(&self, other: &str) -> bool {
        let mut own = parts(&self.0);
        parts(other).all(|part| own.next() == Some(part))
    }

    /// # Errors
    /// The first thing that keeps it from being a place in a task.
    pub fn check(&self) -> Result<(), BadPath> {
        if self.0.len() > 1024 {
            return Err(BadPath::TooLong);
        }
        if self.0.chars().any(char::is_control) {
            return Err(BadPath::Control);
        }
        if !self.0.starts_with('/') {
            return Err(BadPath::Relative);
        }
        if self.0.split('/').any(|part| part == "..") {
            return Err(BadPath::DotDot);
        }
        if parts(&self.0).next().is_none() {
            return Err(BadPath::Root);
        }
        if self.0.split('/').any(|part| part.len() > 255) {
            return Err(BadPath::PartTooLong);
        }
        match RESERVED.into_iter().find(|reserved| self.is_within_text(reserved)) {
            Some(reserved) => Err(BadPath::Reserved(reserved)),
            None => Ok(()),
        }
    }
}

impl From<&str> for TaskPath {
    fn from(text: &str) -> Self {
        TaskPath(text.to_owned())
    }
}

impl fmt::Display for TaskPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_parent_root_and_system_paths_are_refused() {
        let check = |text: &str| TaskPath::from(text).check();
        assert_eq!(check("data"), Err(BadPath::Relative));
        assert_eq!(check("/a/../b"), Err(BadPath::DotDot));
        assert_eq!(check("//./"), Err(BadPath::Root));
        assert_eq!(check("/dev/shm"), Err(BadPath::Reserved("/dev")));
        assert_eq!(check("/fletchline"), Err(BadPath::Reserved("/fletchline")));
        assert_eq!(check("/a\nb"), Err(BadPath::Control));
        assert_eq!(check("/development"), Ok(()));
    }

    #[test]
    fn being_within_counts_whole_parts() {
        let within = |a: &str, b: &str| TaskPath::from(a).is_within(&b.into());
        assert!(within("/data/x/", "/data"));
        assert!(!within("/data2", "/data"));
    }
}
