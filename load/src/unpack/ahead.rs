//! How does decoding go on while files are written?
//!
//! A thread decodes into a few buffers that go round; who writes takes them in order. To make a thousand files takes about
//! as long as to decode them.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

const BUFFERS: usize = 4;
const SIZE: usize = 128 << 10;

/// What a decoder gives, decoded ahead.
pub struct Ahead {
    full: Receiver<io::Result<Vec<u8>>>,
    empty: Sender<Vec<u8>>,
    current: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Ahead {
    /// The thread ends with the decoder, with its first error, or when this reader is dropped and the next bytes came.
    pub fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        decoder: impl Read + Send + 'scope,
    ) -> (Ahead, ScopedJoinHandle<'scope, ()>) {
        let (filled, full) = sync_channel(BUFFERS);
        let (empty, free) = channel();
        // The other end was given to nobody yet.
        (0..BUFFERS).for_each(|_| drop(empty.send(Vec::new())));
        let thread = scope.spawn(move || decode(decoder, &free, &filled));
        (Ahead { full, empty, current: Vec::new(), at: 0, ended: false }, thread)
    }
}

fn decode(mut decoder: impl Read, free: &Receiver<Vec<u8>>, filled: &SyncSender<io::Result<Vec<u8>>>) {
    while let Ok(mut buffer) = free.recv() {
        buffer.resize(SIZE, 0);
        let read = loop {
            match decoder.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let ends = !matches!(read, Ok(n) if n > 0);
        let given = read.map(|n| {
            buffer.truncate(n);
            buffer
        });
        if filled.send(given).is_err() || ends {
            return;
        }
    }
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.current.len() && !self.ended {
            // Without a decoder nobody waits for a buffer.
            let _ = self.empty.send(std::mem::take(&mut self.current));
            self.at = 0;
            match self.full.recv() {
                Ok(Ok(buffer)) => {
                    self.ended = buffer.is_empty();
                    self.current = buffer;
                }
                Ok(Err(error)) => {
                    self.ended = true;
                    return Err(error);
                }
                Err(_) => return Err(io::Error::other("the decoder ended too early")),
            }
        }
        Ok(&self.current[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.current.len());
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives `left` bytes in pieces of all sizes, then an end or an error.
    struct Source {
        left: usize,
        piece: usize,
        broken: bool,
    }

    impl Read for Source {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.left == 0 {
                return if self.broken { Err(io::Error::other("torn")) } else { Ok(0) };
            }
            self.piece = self.piece % 70_000 + 7_919;
            let n = self.piece.min(self.left).min(buffer.len());
            (0..n).for_each(|at| buffer[at] = (self.left - at) as u8);
            self.left -= n;
            Ok(n)
        }
    }

    #[test]
    fn all_bytes_come_in_order_and_then_the_end() {
        let mut plain = Vec::new();
        Source { left: 3_000_000, piece: 0, broken: false }.read_to_end(&mut plain).unwrap();
        let mut got = Vec::new();
        std::thread::scope(|scope| {
            let (mut ahead, _) = Ahead::start(scope, Source { left: 3_000_000, piece: 0, broken: false });
            ahead.read_to_end(&mut got).unwrap();
            assert_eq!(ahead.read(&mut [0; 9]).unwrap(), 0);
        });
        assert!(got == plain);
    }

    #[test]
    fn an_error_comes_after_what_was_decoded_before_it() {
        let mut got = Vec::new();
        let error = std::thread::scope(|scope| {
            Ahead::start(scope, Source { left: 500_000, piece: 0, broken: true }).0.read_to_end(&mut got).unwrap_err()
        });
        assert_eq!((error.to_string().as_str(), got.len()), ("torn", 500_000));
    }

    #[test]
    fn a_reader_that_goes_away_ends_the_decoder() {
        std::thread::scope(|scope| {
            let (mut ahead, _) = Ahead::start(scope, Source { left: usize::MAX, piece: 0, broken: false });
            assert!(ahead.read(&mut [0; 9]).unwrap() > 0);
        });
    }
}
