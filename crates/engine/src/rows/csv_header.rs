//! The beginning of a CSV file, as every pass over it reads it: the reader's rules and the line of column names.

use crate::error::EngineError;
use bedrock_batch_domain::problem::{Problem, Problems};
use csv::ByteRecord;
use std::collections::HashSet;
use std::io::Read;

/// Reads the header line.
///
/// # Errors
/// Returns `InvalidInput` if the header is missing, not UTF-8, or names a column twice.
pub(super) fn read_header<R: Read>(reader: &mut csv::Reader<R>, file: &str) -> Result<Vec<String>, EngineError> {
    let mut header = ByteRecord::new();
    let has_header = reader.read_byte_record(&mut header).map_err(|error| csv_error(error, file))?;
    if !has_header {
        return Err(Problem::without_value(file, "is empty; a CSV begins with a line of column names").into());
    }
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

/// Creates a reader with the rules that all passes over a CSV share.
pub(super) fn csv_reader<R: Read>(input: R) -> csv::Reader<R> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(256 * 1024).from_reader(input)
}

/// A line that is not UTF-8.
pub(super) fn not_utf8(file: &str, line: u64) -> Problem {
    Problem::without_value(format!("{file} line {line}"), "is not valid UTF-8")
        .remedy("save the file as UTF-8, e.g. `iconv -f latin1 -t utf-8`")
}

/// A line that is not CSV.
pub(super) fn csv_error(error: csv::Error, file: &str) -> EngineError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        other => Problem::without_value(file, format!("cannot be read as CSV: {other:?}")).into(),
    }
}
