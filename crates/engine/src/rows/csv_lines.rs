//! Lines of a CSV: its records with the lines at which they begin. No record takes more memory than it may.

use super::MAX_CELL_BYTES;
use super::csv_dialect::Dialect;
use super::csv_record::{Split, split};
use super::csv_text::CsvText;
use crate::error::EngineError;
use bedrock_batch_domain::problem::Problem;
use csv::ByteRecord;
use csv_core::ReadRecordResult;
use memchr::memchr_iter;
use std::io::{self, Read};

/// Size of the blocks that are read.
const BLOCK_BYTES: usize = 256 * 1024;

/// The same for small files, of which there may be many.
const SMALL_BLOCK_BYTES: usize = 4 * 1024;

/// Maximum size of a record, which may have several cells of the maximum size.
const MAX_RECORD_BYTES: usize = 2 * MAX_CELL_BYTES;

/// Maximum number of fields of a record: they are compared with the header only after they have been read.
const MAX_FIELDS: usize = 8_000_000;

/// Reader with the rules that all passes over a CSV share.
pub(super) struct CsvLines<R: Read> {
    text: CsvText<R>,
    /// Name of the file.
    pub(super) file: String,
    pub(super) dialect: Dialect,
    block: Vec<u8>,
    block_bytes: usize,
    /// Number of bytes of the block that were taken, and of those that were read.
    at: usize,
    filled: usize,
    is_over: bool,
    /// Number of the line at which the next byte is.
    line: u64,
    /// Number of the line at which the latest record begins.
    pub(super) record_line: u64,
    /// Record that was read already.
    first: Option<ByteRecord>,
    /// Memory for a field.
    unquoted: Vec<u8>,
    /// Created for the first unusual record: its tables take longer to make than many a file to read.
    unusual: Option<UnusualRecords>,
}

impl<R: Read> CsvLines<R> {
    pub(super) fn new(text: CsvText<R>) -> Self {
        let block_bytes = if text.is_small { SMALL_BLOCK_BYTES } else { BLOCK_BYTES };
        Self::with_blocks(text, block_bytes)
    }

    fn with_blocks(text: CsvText<R>, block_bytes: usize) -> Self {
        let (file, dialect) = (text.file.clone(), text.dialect);
        Self {
            text,
            file,
            dialect,
            block: Vec::new(),
            block_bytes,
            at: 0,
            filled: 0,
            is_over: false,
            line: 1,
            record_line: 1,
            first: None,
            unquoted: Vec::new(),
            unusual: None,
        }
    }

    /// Reads the next record. Returns false if there is none.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the record is too long, and the error of the source if it fails.
    pub(super) fn read(&mut self, record: &mut ByteRecord) -> Result<bool, EngineError> {
        if let Some(first) = self.first.take() {
            *record = first;
            return Ok(true);
        }
        if !self.skip_line_ends()? {
            record.clear();
            return Ok(false);
        }
        self.record_line = self.line;
        // A record that continues in the next block is looked at once more, a longer one byte by byte.
        let mut may_read_on = true;
        loop {
            record.clear();
            match split(&self.block[self.at..self.filled], self.dialect, &mut self.unquoted, record) {
                Split::Whole(length) => {
                    self.take(length);
                    return Ok(true);
                }
                Split::Incomplete if may_read_on && !self.is_over => {
                    self.read_on()?;
                    may_read_on = false;
                }
                Split::Incomplete | Split::Unusual => break,
            }
        }
        self.read_unusual(record)?;
        Ok(true)
    }

    /// Reads the record once more that the next call of [`Self::read`] is to return.
    pub(super) fn put_back(&mut self, record: ByteRecord) {
        self.first = Some(record);
    }

    /// Takes bytes of the block.
    fn take(&mut self, length: usize) {
        let taken = &self.block[self.at..self.at + length];
        self.line += memchr_iter(b'\n', taken).count() as u64;
        self.at += length;
    }

    /// Passes over empty lines, and over the line feed after a carriage return. Returns false at the end of the text.
    fn skip_line_ends(&mut self) -> io::Result<bool> {
        loop {
            let rest = &self.block[self.at..self.filled];
            let ends = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            let is_in_record = ends < rest.len();
            self.take(ends);
            if is_in_record {
                return Ok(true);
            }
            self.read_on()?;
            if self.is_over {
                return Ok(false);
            }
        }
    }

    /// Reads more bytes behind those that are not taken yet.
    fn read_on(&mut self) -> io::Result<()> {
        self.block.copy_within(self.at..self.filled, 0);
        self.filled -= self.at;
        self.at = 0;
        let half = self.block_bytes / 2;
        let wanted = self.filled.max(half) + half;
        if self.block.len() < wanted {
            self.block.resize(wanted, 0);
        }
        let read = loop {
            match self.text.read(&mut self.block[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.filled += read;
        self.is_over = read == 0;
        Ok(())
    }

    /// Reads a record in any form.
    fn read_unusual(&mut self, record: &mut ByteRecord) -> Result<(), EngineError> {
        let mut unusual = self.unusual.take().unwrap_or_else(|| UnusualRecords::new(self.dialect));
        unusual.begin();
        loop {
            if self.at == self.filled && !self.is_over {
                self.read_on()?;
            }
            let (taken, is_whole) = unusual.add(&self.block[self.at..self.filled]);
            self.take(taken);
            if is_whole {
                record.clear();
                unusual.fields().for_each(|field| record.push_field(field));
                self.unusual = Some(unusual);
                return Ok(());
            }
            if unusual.is_too_long() {
                return Err(too_long(&self.file, self.record_line).into());
            }
        }
    }

    /// Returns the problem of a line that is not in the file's encoding.
    pub(super) fn not_in_encoding(&self) -> Problem {
        let encoding = self.text.encoding;
        let place = format!("{} line {}", self.file, self.record_line);
        let problem = Problem::without_value(place, format!("is not valid {encoding}"));
        match encoding {
            "UTF-8" => problem.remedy(
                "set csv.encoding, to `windows-1252` for most files of Excel in the West, or save the file as UTF-8, e.g. \
                 `iconv -f windows-1252 -t utf-8`",
            ),
            _ => problem.remedy("correct csv.encoding, or save the file as UTF-8"),
        }
    }
}

/// Records in any form, byte by byte.
struct UnusualRecords {
    parser: csv_core::Reader,
    /// Bytes of the fields, and the number of those that are written.
    bytes: Vec<u8>,
    written: usize,
    /// Ends of the fields, and the number of those that are written.
    ends: Vec<usize>,
    ended: usize,
}

impl UnusualRecords {
    fn new(dialect: Dialect) -> Self {
        let mut parser = dialect.record_parser();
        // The parser takes a mark at the beginning of what it reads first for that of the file, which has been removed.
        let _ = parser.read_record(b"\n", &mut [0], &mut [0]);
        Self { parser, bytes: Vec::new(), written: 0, ends: Vec::new(), ended: 0 }
    }

    fn begin(&mut self) {
        (self.written, self.ended) = (0, 0);
    }

    /// Adds text, none of which is the end of the text. Returns the number of bytes that were taken, and true at the end of a record.
    fn add(&mut self, text: &[u8]) -> (usize, bool) {
        let (bytes, ends) = (&mut self.bytes[self.written..], &mut self.ends[self.ended..]);
        let (result, taken, written, ended) = self.parser.read_record(text, bytes, ends);
        self.written += written;
        self.ended += ended;
        match result {
            ReadRecordResult::OutputFull => grow(&mut self.bytes, MAX_RECORD_BYTES),
            ReadRecordResult::OutputEndsFull => grow(&mut self.ends, MAX_FIELDS),
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::Record | ReadRecordResult::End => return (taken, true),
        }
        (taken, false)
    }

    fn is_too_long(&self) -> bool {
        self.written > MAX_RECORD_BYTES || self.ended > MAX_FIELDS
    }

    fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let ends = &self.ends[..self.ended];
        let starts = std::iter::once(&0).chain(ends);
        starts.zip(ends).map(|(start, end)| &self.bytes[*start..*end])
    }
}

/// Doubles the room for output. It holds one element more than a record may have at most.
fn grow<T: Clone + Default>(output: &mut Vec<T>, max: usize) {
    output.resize((2 * output.len()).clamp(64, max + 1), T::default());
}

fn too_long(file: &str, line: u64) -> Problem {
    let rule = format!("has more than {} MiB or {MAX_FIELDS} delimiters", MAX_RECORD_BYTES >> 20);
    let remedy = "a quote that is not closed makes the lines after it one cell; close it, or shorten the cells";
    Problem::without_value(format!("{file} line {line}"), rule).remedy(remedy)
}

#[cfg(test)]
mod tests;
