//! Where are named secrets kept on this machine? A runner on a cluster keeps its own there.
//!
//! In one file, 0600. It is read at each use: `fletchline secret set` may write it while a server runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

/// Names are like those of environment variables, values are never shown again.
pub struct Secrets {
    file: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("\"{0}\" is not a name for a secret: use letters, digits, \"-\" and \"_\".")]
    Name(String),
    #[error("A secret has at most 64 KiB and no NUL character.")]
    Value,
    #[error("`secrets.json` in the data folder cannot be used: {0}")]
    Io(#[from] io::Error),
    #[error("secrets.json cannot be read: {0}")]
    Broken(#[from] serde_json::Error),
}

const LONGEST: usize = 64 << 10;

/// Wherever it is to be kept.
///
/// # Errors
/// A bad name or value.
pub fn check(name: &str, value: &str) -> Result<(), SecretError> {
    model::TaskId::new(name).map_err(|_| SecretError::Name(name.to_owned()))?;
    match value.len() > LONGEST || value.contains('\0') {
        true => Err(SecretError::Value),
        false => Ok(()),
    }
}

impl Secrets {
    pub fn new(file: PathBuf) -> Secrets {
        Secrets { file }
    }

    pub fn names(&self) -> BTreeSet<String> {
        self.read().map(|all| all.into_keys().collect()).unwrap_or_else(|error| {
            tracing::error!("{error}");
            BTreeSet::new()
        })
    }

    pub fn value(&self, name: &str) -> Option<String> {
        self.read().ok()?.remove(name)
    }

    /// # Errors
    /// A bad name or value; the disk.
    pub fn set(&self, name: &str, value: String) -> Result<(), SecretError> {
        check(name, &value)?;
        let mut all = self.read()?;
        all.insert(name.to_owned(), value);
        let new = self.file.with_extension("json.new");
        let mut file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(&all)?)?;
        file.sync_all()?;
        Ok(fs::rename(new, &self.file)?)
    }

    fn read(&self) -> Result<BTreeMap<String, String>, SecretError> {
        match fs::read(&self.file) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_kept_for_this_user_alone_and_only_its_name_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.json");
        let secrets = Secrets::new(file.clone());
        secrets.set("TOKEN", "s3cret".into()).unwrap();
        secrets.set("OTHER", "x".into()).unwrap();
        assert_eq!(secrets.value("TOKEN").as_deref(), Some("s3cret"));
        assert_eq!(secrets.names(), BTreeSet::from(["OTHER".into(), "TOKEN".into()]));
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(secrets.set("a/b", "x".into()).is_err() && secrets.set("A", "\0".into()).is_err());
    }
}
