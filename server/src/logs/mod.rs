//! How is a log read while it grows?
//!
//! A log is one file of lines `<milliseconds> <text>`; an offset is a byte of that file.

use std::{io, path::Path};

use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// Whole lines from `from` on, at most one chunk of them; empty when there is nothing new. `last`: what comes after
/// the last line break is a line, too, because nothing follows it any more.
///
/// # Errors
/// The disk. A file that is not there yet is empty.
pub async fn lines(file: &Path, from: u64, last: bool) -> io::Result<String> {
    let mut file = match File::open(file).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        opened => opened?,
    };
    if file.metadata().await?.len() <= from {
        return Ok(String::new());
    }
    file.seek(io::SeekFrom::Start(from)).await?;
    let mut bytes = Vec::with_capacity(8 << 10);
    file.take(CHUNK as u64).read_to_end(&mut bytes).await?;
    match bytes.iter().rposition(|byte| *byte == b'\n') {
        Some(end) => bytes.truncate(end + 1),
        // A line longer than a chunk is given in pieces.
        None if last || bytes.len() == CHUNK => {}
        None => bytes.clear(),
    }
    Ok(text(bytes))
}

/// What is no UTF-8 becomes `?`, byte for byte, so that offsets stay true.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let mut bytes = error.into_bytes();
        while let Err(error) = std::str::from_utf8(&bytes) {
            let (start, length) = (error.valid_up_to(), error.error_len().unwrap_or(bytes.len() - error.valid_up_to()));
            bytes[start..start + length].fill(b'?');
        }
        String::from_utf8(bytes).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_whole_lines_are_told_until_nothing_follows_and_offsets_count_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        assert_eq!(lines(&file, 0, false).await.unwrap(), "");
        std::fs::write(&file, b"1 one\n2 tw\xff\xfe\n3 half").unwrap();
        let first = lines(&file, 0, false).await.unwrap();
        assert_eq!(first, "1 one\n2 tw??\n");
        let from = first.len() as u64;
        assert_eq!(lines(&file, from, false).await.unwrap(), "");
        assert_eq!(lines(&file, from, true).await.unwrap(), "3 half");
    }

    #[tokio::test]
    async fn a_line_longer_than_a_chunk_holds_nothing_up() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        std::fs::write(&file, vec![b'x'; CHUNK + 5]).unwrap();
        assert_eq!(lines(&file, 0, false).await.unwrap().len(), CHUNK);
    }
}
