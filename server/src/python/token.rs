//! With which secret does a Notebook's JupyterLab know the gateway?

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use model::ExecutionId;
use sha2::{Digest, Sha256};

/// Tokens are made from it and an execution's id, so that nothing needs to be stored or told to another server.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    pub fn new(bytes: [u8; 32]) -> Self {
        Key(bytes)
    }

    /// Reads the key that lies in `file` (0600), or writes `fresh` there: the first one stays.
    ///
    /// # Errors
    /// The file can be neither read nor made, or does not hold 32 bytes.
    pub fn kept(file: &Path, fresh: [u8; 32]) -> io::Result<Self> {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
            Ok(mut made) => {
                made.write_all(&fresh)?;
                made.sync_all()?;
                Ok(Key(fresh))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let mut bytes = [0; 32];
                File::open(file)?.read_exact(&mut bytes)?;
                Ok(Key(bytes))
            }
            Err(error) => Err(error),
        }
    }

    /// 64 hexadecimal digits.
    pub(super) fn token(&self, execution: &ExecutionId) -> String {
        // Twice, so that a longer message cannot be made from a known token.
        let once = Sha256::new().chain_update(self.0).chain_update(execution.to_string()).finalize();
        let twice = Sha256::new().chain_update(self.0).chain_update(once).finalize();
        twice.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
