//! The beginning of a CSV file, as every pass over it reads it: the reader's rules and the line of column names.

use super::limited_text::{LimitedText, LineLength, too_long};
use super::too_many_columns;
use crate::error::EngineError;
use bedrock_batch_domain::problem::{Problem, Problems};
use csv::ByteRecord;
use std::collections::HashSet;
use std::io::Read;

/// Reads the header line.
///
/// # Errors
/// Returns `InvalidInput` if the header is missing, not UTF-8, has too many columns or names one twice.
pub(super) fn read_header<R: Read>(lines: &mut CsvLines<R>) -> Result<Vec<String>, EngineError> {
    let mut header = ByteRecord::new();
    let has_header = lines.read(&mut header)?;
    let file = lines.file.as_str();
    if !has_header {
        return Err(Problem::without_value(file, "is empty; a CSV begins with a line of column names").into());
    }
    Problems::check(too_many_columns(file, header.len()).into_iter().collect())?;
    let mut names = Vec::with_capacity(header.len());
    for field in &header {
        let Ok(name) = std::str::from_utf8(field) else {
            return Err(not_utf8(file, 1).into());
        };
        names.push(name.to_owned());
    }
    let mut seen = HashSet::new();
    let twice: Vec<Problem> = names
        .iter()
        .filter(|name| !seen.insert(name.as_str()))
        .map(|name| Problem::new(format!("{file} line 1"), name, "this column name occurs twice").remedy("rename one"))
        .collect();
    Problems::check(twice)?;
    Ok(names)
}

/// Reader with the rules that all passes over a CSV share. No line takes more memory than it may.
pub(super) struct CsvLines<R> {
    reader: csv::Reader<LimitedText<R>>,
    length: LineLength,
    /// Name of the file.
    pub(super) file: String,
}

impl<R: Read> CsvLines<R> {
    pub(super) fn new(input: R, file: &str) -> Self {
        let input = LimitedText::new(input);
        let length = input.length();
        let mut reader = csv::ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true).buffer_capacity(256 * 1024).from_reader(input);
        Self { reader, length, file: file.to_owned() }
    }

    /// Reads the next line. Returns false if there is none.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the line is too long, and the error of the source if it fails.
    pub(super) fn read(&mut self, record: &mut ByteRecord) -> Result<bool, EngineError> {
        self.length.line_begins();
        let line = self.reader.position().line();
        self.reader.read_byte_record(record).map_err(|error| csv_error(error, &self.file, line))
    }
}

/// A line that is not UTF-8.
pub(super) fn not_utf8(file: &str, line: u64) -> Problem {
    Problem::without_value(format!("{file} line {line}"), "is not valid UTF-8")
        .remedy("save the file as UTF-8, e.g. `iconv -f latin1 -t utf-8`")
}

/// A line that is not CSV.
fn csv_error(error: csv::Error, file: &str, line: u64) -> EngineError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => match too_long(&error, file, line) {
            Some(problem) => problem.into(),
            None => error.into(),
        },
        other => Problem::without_value(file, format!("cannot be read as CSV: {other:?}")).into(),
    }
}
