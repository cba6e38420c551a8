//! Decompression of files, which are recognized by their first bytes: an object may be called `.csv` and be compressed, or the
//! other way round. What comes out is counted, since a few bytes can become any number of them.

use crate::error::EngineError;
use bedrock_batch_domain::problem::Problem;
use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zstd::stream::read::Decoder as ZstdDecoder;

/// Size of a text up to which it does not matter how small its file is.
const MAX_FREE_BYTES: u64 = if cfg!(test) { 1 << 20 } else { 1 << 30 };
/// Maximum size of a larger text in multiples of its file. Tables of repeated rows reach a few hundred.
const MAX_EXPANSION: u64 = 1_000;

/// Stream of a file, decompressed if it is compressed.
pub(super) enum Decompressed<R: Read> {
    Plain(R),
    Gzip(Box<Counted<MultiGzDecoder<Source<R>>>>),
    Zstd(Box<Counted<ZstdDecoder<'static, BufReader<Source<R>>>>>),
    Bzip2(Box<Counted<MultiBzDecoder<Source<R>>>>),
}

impl<R: Read> Decompressed<R> {
    /// Opens a stream that begins with these bytes.
    pub(super) fn open(input: R, magic: &[u8], file: &str) -> Result<Self, EngineError> {
        let read = Arc::new(AtomicU64::new(0));
        let source = Source { input, read: Arc::clone(&read) };
        let counts = |format| Counts { file: file.to_owned(), format, read, written: 0 };
        Ok(match magic {
            [0x1f, 0x8b, ..] => Self::Gzip(Box::new(Counted::new(MultiGzDecoder::new(source), counts("gzip")))),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                Self::Zstd(Box::new(Counted::new(ZstdDecoder::new(source)?, counts("Zstandard"))))
            }
            // The level, and the first bytes of a block or of the end.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => {
                Self::Bzip2(Box::new(Counted::new(MultiBzDecoder::new(source), counts("bzip2"))))
            }
            _ => Self::Plain(source.input),
        })
    }
}

impl<R: Read> Read for Decompressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(buffer),
            Self::Gzip(input) => input.read(buffer),
            Self::Zstd(input) => input.read(buffer),
            Self::Bzip2(input) => input.read(buffer),
        }
    }
}

/// The compressed file. Its errors are those of the store, never of the format.
pub(super) struct Source<R> {
    input: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.input.read(buffer) {
            Ok(read) => {
                self.read.fetch_add(read as u64, Ordering::Relaxed);
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(EngineError::from(error).into()),
        }
    }
}

struct Counts {
    file: String,
    format: &'static str,
    /// Number of bytes that were read of the file.
    read: Arc<AtomicU64>,
    /// Number of bytes that they have become.
    written: u64,
}

/// A decompressed stream that ends with an error if it is out of proportion.
pub(super) struct Counted<D> {
    input: D,
    counts: Counts,
}

impl<D> Counted<D> {
    fn new(input: D, counts: Counts) -> Self {
        Self { input, counts }
    }
}

impl<D: Read> Read for Counted<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let counts = &mut self.counts;
        match self.input.read(buffer) {
            Ok(bytes) => {
                counts.written += bytes as u64;
                counts.check()?;
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) if error.get_ref().is_some_and(|own| own.is::<EngineError>()) => Err(error),
            Err(error) => Err(counts.damaged(&error)),
        }
    }
}

impl Counts {
    fn check(&self) -> io::Result<()> {
        let read = self.read.load(Ordering::Relaxed);
        if self.written <= MAX_FREE_BYTES || self.written / MAX_EXPANSION <= read {
            return Ok(());
        }
        let rule = format!(
            "{read} bytes of {} have become more than {} MiB; at most {MAX_EXPANSION} times the size of a file is read",
            self.format,
            MAX_FREE_BYTES >> 20
        );
        let problem = Problem::without_value(&self.file, rule).remedy("upload it uncompressed, or split it");
        Err(EngineError::from(problem).into())
    }

    fn damaged(&self, error: &io::Error) -> io::Error {
        let rule = format!("cannot be decompressed as {}: {error}", self.format);
        let problem = Problem::without_value(&self.file, rule).remedy("upload it again; it may be cut off");
        EngineError::from(problem).into()
    }
}
