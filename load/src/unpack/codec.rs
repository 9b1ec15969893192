//! How do compressed bytes become plain ones, within bounds of memory?

use super::format::Codec;
use super::limits::{Bounds, Decoded, drain};
use crate::Error;
use std::io::{self, BufRead, Read};

/// Decodes `input`: all members or frames of it, not only the first.
///
/// # Errors
/// The decoder cannot be made. A dictionary over the limit shows at the first read.
pub fn decoder<'a>(
    codec: Codec,
    input: impl BufRead + Send + 'a,
    bounds: &Bounds,
) -> Result<Box<dyn Read + Send + 'a>, Error> {
    let memory = bounds.limits.decoder_memory;
    let reader: Box<dyn Read + Send + 'a> = match codec {
        Codec::None => Box::new(input),
        Codec::Gz => Box::new(Members::<_, flate2::bufread::GzDecoder<_>>::new(input, bounds)),
        Codec::Bz2 => Box::new(Members::<_, bzip2::bufread::BzDecoder<_>>::new(input, bounds)),
        Codec::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(memory, liblzma::stream::CONCATENATED)
                .map_err(|e| bounds.corrupt(e.to_string()))?;
            Box::new(Xz { inner: liblzma::bufread::XzDecoder::new_stream(input, stream), bounds: bounds.clone() })
        }
        Codec::Zst => {
            let mut zst = zstd::stream::read::Decoder::with_buffer(input).map_err(|e| bounds.reading(e))?;
            zst.window_log_max(memory.max(1024).ilog2().clamp(10, 31)).map_err(|e| bounds.reading(e))?;
            Box::new(Zst { inner: zst, bounds: bounds.clone() })
        }
    };
    Ok(Box::new(Decoded::new(reader, bounds.clone())))
}

/// A decoder of one member that gives its input back.
trait Member<R>: Read {
    /// The first byte of every member.
    const FIRST: u8;
    fn start(input: R) -> Self;
    fn end(self) -> R;
}

impl<R: BufRead> Member<R> for flate2::bufread::GzDecoder<R> {
    const FIRST: u8 = 0x1f;
    fn start(input: R) -> Self {
        Self::new(input)
    }
    fn end(self) -> R {
        self.into_inner()
    }
}

impl<R: BufRead> Member<R> for bzip2::bufread::BzDecoder<R> {
    const FIRST: u8 = b'B';
    fn start(input: R) -> Self {
        Self::new(input)
    }
    fn end(self) -> R {
        self.into_inner()
    }
}

/// Reads member after member, as pigz and bgzip write them. What follows the last one and is not a member is a
/// warning, as with gzip itself; the crates' own multi-member readers call it damage.
struct Members<R, D> {
    current: Option<D>,
    rest: Option<R>,
    bounds: Bounds,
}

impl<R: BufRead, D: Member<R>> Members<R, D> {
    fn new(input: R, bounds: &Bounds) -> Self {
        Members { current: Some(D::start(input)), rest: None, bounds: bounds.clone() }
    }

    /// Starts the next member if there is one.
    fn next(&mut self) -> io::Result<bool> {
        let Some(mut input) = self.current.take().map(D::end).or_else(|| self.rest.take()) else {
            return Ok(false);
        };
        match input.fill_buf()?.first() {
            None => Ok(false),
            Some(first) if *first == D::FIRST => {
                self.current = Some(D::start(input));
                Ok(true)
            }
            Some(_) => {
                let (bytes, content) = drain(&mut input)?;
                if content {
                    self.bounds.warn(format!("{bytes} bytes after the end of the compressed data were ignored"));
                }
                Ok(false)
            }
        }
    }
}

impl<R: BufRead, D: Member<R>> Read for Members<R, D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = self.current.as_mut() else {
                return Ok(0);
            };
            let n = member.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            if !self.next()? {
                return Ok(0);
            }
        }
    }
}

struct Xz<R> {
    inner: liblzma::bufread::XzDecoder<R>,
    bounds: Bounds,
}

impl<R: BufRead> Read for Xz<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let inner = error.get_ref().and_then(|e| e.downcast_ref::<liblzma::stream::Error>());
            if matches!(inner, Some(liblzma::stream::Error::MemLimit)) {
                self.bounds.too_much_memory().into()
            } else {
                error
            }
        })
    }
}

struct Zst<R: BufRead> {
    inner: zstd::stream::read::Decoder<'static, R>,
    bounds: Bounds,
}

impl<R: BufRead> Read for Zst<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let memory = error.to_string().contains("too much memory");
            if memory { self.bounds.too_much_memory().into() } else { error }
        })
    }
}
