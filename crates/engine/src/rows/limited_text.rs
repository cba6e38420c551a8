//! A stream of CSV that ends with an error if a line does not end: a reader of lines would hold all of it in memory.

use super::MAX_CELL_BYTES;
use bedrock_batch_domain::problem::Problem;
use std::error::Error;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Maximum size of a line. A line may consist of several cells of the maximum size.
const MAX_LINE_BYTES: u64 = 2 * MAX_CELL_BYTES as u64;
/// Maximum number of delimiters in a line: its cells are counted only after they have been read. Texts contain commas too.
const MAX_DELIMITERS: u64 = 8_000_000;

/// Length of the latest line, which the stream measures and its reader looks at.
#[derive(Debug, Clone, Default)]
pub(super) struct LineLength(Arc<Counts>);

/// Numbers of what was read.
#[derive(Debug, Default)]
struct Counts {
    /// Number of bytes since the latest line began.
    line_bytes: AtomicU64,
    /// Number of delimiters since then.
    delimiters: AtomicU64,
}

impl LineLength {
    /// Begins a line. What the reader has read ahead counts for the next one only when it reads on.
    pub(super) fn line_begins(&self) {
        self.0.line_bytes.store(0, Ordering::Relaxed);
        self.0.delimiters.store(0, Ordering::Relaxed);
    }
}

/// The stream.
#[derive(Debug)]
pub(super) struct LimitedText<R> {
    input: R,
    delimiter: u8,
    length: LineLength,
    /// Number of bytes that were read.
    bytes: u64,
    latest: Latest,
}

/// The latest block of bytes, as far as the ends of its lines need it.
#[derive(Debug, Default)]
struct Latest {
    /// The last byte.
    last: Option<u8>,
    /// The bytes, if they contain a carriage return: otherwise only line feeds end lines.
    with_returns: Vec<u8>,
}

impl<R> LimitedText<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        Self { input, delimiter, length: LineLength::default(), bytes: 0, latest: Latest::default() }
    }

    /// Returns true if a line feed is the last byte of the first `parsed` bytes, at which a line ends. The end of the text may
    /// end a line too. To be used for the bytes of the latest block.
    pub(super) fn ends_with_line_feed(&self, parsed: u64) -> bool {
        let Latest { last, with_returns } = &self.latest;
        if with_returns.is_empty() {
            return parsed < self.bytes || *last == Some(b'\n');
        }
        let behind = usize::try_from(self.bytes.saturating_sub(parsed)).unwrap_or(usize::MAX);
        let at = with_returns.len().checked_sub(behind).and_then(|end| end.checked_sub(1));
        at.and_then(|at| with_returns.get(at)) == Some(&b'\n')
    }

    pub(super) fn length(&self) -> LineLength {
        self.length.clone()
    }
}

impl Latest {
    fn note(&mut self, block: &[u8]) {
        self.last = block.last().copied();
        self.with_returns.clear();
        if memchr::memchr(b'\r', block).is_some() {
            self.with_returns.extend_from_slice(block);
        }
    }
}

impl<R: Read> Read for LimitedText<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Counts { line_bytes, delimiters } = &*self.length.0;
        if line_bytes.load(Ordering::Relaxed) > MAX_LINE_BYTES || delimiters.load(Ordering::Relaxed) > MAX_DELIMITERS {
            return Err(io::Error::other(LineTooLong));
        }
        let read = self.input.read(buffer)?;
        line_bytes.fetch_add(read as u64, Ordering::Relaxed);
        if read > 0 {
            self.bytes += read as u64;
            self.latest.note(&buffer[..read]);
        }
        let found = memchr::memchr_iter(self.delimiter, &buffer[..read]).count();
        delimiters.fetch_add(found as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// A line is too long.
#[derive(Debug)]
struct LineTooLong;

impl fmt::Display for LineTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line is too long")
    }
}

impl Error for LineTooLong {}

/// Returns the problem of a line that is too long, if this is its error.
pub(super) fn too_long(error: &io::Error, file: &str, line: u64) -> Option<Problem> {
    error.get_ref()?.downcast_ref::<LineTooLong>()?;
    let rule = format!("has more than {} MiB or {MAX_DELIMITERS} delimiters", MAX_LINE_BYTES >> 20);
    let remedy = "a quote that is not closed makes the lines after it one cell; close it, or shorten the cells";
    Some(Problem::without_value(format!("{file} line {line}"), rule).remedy(remedy))
}
