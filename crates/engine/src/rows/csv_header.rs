//! The line of column names of a CSV file, as every pass over it reads it.

use super::csv_dialect::{CsvReading, Origin};
use super::csv_lines::CsvLines;
use super::too_many_columns;
use crate::error::EngineError;
use bedrock_batch_domain::column_name::one_form;
use bedrock_batch_domain::input::CsvHeader;
use bedrock_batch_domain::problem::{Problem, Problems, shortened};
use bedrock_batch_domain::spreadsheet_cell::unguarded;
use csv::ByteRecord;
use std::collections::HashSet;
use std::io::Read;

/// Maximum number of names that a message shows of a header.
const MAX_SHOWN_NAMES: usize = 5;

/// Columns of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    pub(super) names: Vec<String>,
    /// Number of columns after them that have no name. Spreadsheets write them; all of their cells must be empty.
    pub(super) nameless: usize,
    /// Number of names that were written in another form.
    pub(super) changed: u64,
    /// The line as it is in the file, if it has one.
    pub(super) line: Option<ByteRecord>,
}

impl Header {
    /// Returns the number of fields of each line.
    pub(super) fn fields(&self) -> usize {
        self.names.len() + self.nameless
    }

    /// Returns true if a line is the header once more, perhaps after a mark that begins a file.
    pub(super) fn is_repeated_by(&self, record: &ByteRecord) -> bool {
        // In one column, a row may have this text.
        let Some(header) = self.line.as_ref().filter(|header| header.len() > 1) else { return false };
        let text = record.as_slice();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        text == header.as_slice() && record.len() == header.len() && record.iter().skip(1).eq(header.iter().skip(1))
    }

    /// Returns true if the first name is a number, as in a file without a header. Years are names of later columns.
    pub(super) fn begins_with_a_number(&self) -> bool {
        self.line.is_some() && self.names.first().is_some_and(|name| name.parse::<f64>().is_ok_and(f64::is_finite))
    }

    /// Returns the first names for a message.
    pub(super) fn shown(&self) -> String {
        let shown = self.names.iter().take(MAX_SHOWN_NAMES).map(|name| format!("`{}`", shortened(name)));
        let more = if self.names.len() > MAX_SHOWN_NAMES { ", …" } else { "" };
        shown.collect::<Vec<_>>().join(", ") + more
    }
}

/// Reads the header, or makes one for a file without. Returns `None` if there is no line at all.
///
/// # Errors
/// Returns `InvalidInput` if the header is not in the file's encoding, has too many columns or names one twice.
pub(super) fn read_header<R: Read>(
    lines: &mut CsvLines<R>,
    reading: &CsvReading,
) -> Result<Option<Header>, EngineError> {
    let mut first = ByteRecord::new();
    let has_line = lines.read(&mut first)?;
    let file = lines.file.as_str();
    if !has_line {
        return Ok(None);
    }
    Problems::check(too_many_columns(file, first.len()).into_iter().collect())?;
    match &reading.options.header {
        CsvHeader::InFile(true) => {}
        CsvHeader::InFile(false) => {
            let names = (1..=first.len()).map(|number| format!("column_{number}")).collect();
            lines.put_back(first);
            return Ok(Some(Header { names, ..Header::default() }));
        }
        CsvHeader::Names(names) => {
            // Lines of another length are reported where they are read.
            lines.put_back(first);
            return Ok(Some(Header { names: names.clone(), ..Header::default() }));
        }
    }
    let line = lines.record_line;
    let mut header = Header::default();
    for field in &first {
        let Ok(name) = std::str::from_utf8(field) else {
            return Err(lines.not_in_encoding().into());
        };
        let own = match reading.origin {
            Origin::Run { are_guarded: true } => unguarded(name).to_owned(),
            Origin::Run { are_guarded: false } => name.to_owned(),
            Origin::User => one_form(name).into_owned(),
        };
        header.changed += u64::from(reading.is_of_user() && own != name);
        header.names.push(own);
    }
    if reading.is_of_user() {
        let named = header.names.iter().rposition(|name| !name.is_empty()).map_or(1, |last| last + 1);
        header.nameless = header.names.len() - named;
        header.names.truncate(named);
    }
    check_names(&header.names, file, line)?;
    header.line = reading.is_of_user().then_some(first);
    Ok(Some(header))
}

/// Returns the problem of a file without any line.
pub(super) fn no_header(file: &str) -> Problem {
    Problem::without_value(file, "is empty; a CSV begins with a line of column names")
}

fn check_names(names: &[String], file: &str, line: u64) -> Result<(), Problems> {
    let mut seen = HashSet::new();
    let twice = names.iter().zip(1..).filter(|(name, _)| !seen.insert(name.as_str()));
    let place = format!("{file} line {line}");
    let problem = |(name, number): (&String, usize)| match name.as_str() {
        "" => Problem::without_value(format!("{place} column {number}"), "has no name, as another column")
            .remedy("name them, or leave them out"),
        name => Problem::new(&place, name, "this column name occurs twice").remedy("rename one"),
    };
    Problems::check(twice.map(problem).collect())
}
