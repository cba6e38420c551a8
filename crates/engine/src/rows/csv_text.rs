//! A CSV file as text, with its dialect: the one place in which the form of a file is decided. All passes over it begin here, and
//! decide the same.

use super::csv_dialect::{CsvReading, Dialect};
use super::csv_sniff::{Sample, named_delimiter};
use super::line_rules::{LineRules, Lines};
use super::text_file::{TextFile, TextKind};
use crate::error::EngineError;
use bedrock_batch_domain::table_files::has_tabs;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Text of a CSV file.
pub struct CsvText<R: Read> {
    lines: Lines<TextFile<R>>,
    /// Characters that structure it.
    pub dialect: Dialect,
    /// Name of the file.
    pub(super) file: String,
    /// Name of its encoding.
    pub(super) encoding: &'static str,
    /// If true, the delimiter was found, and is not the one that a user expects.
    pub(super) is_unexpected: bool,
    /// If true, cells have single quotes around them, which are read as a part of them.
    pub(super) has_single_quotes: bool,
    /// If true, the file is not larger than what is looked at of it.
    pub(super) is_small: bool,
    empty_rows: Arc<AtomicU64>,
}

impl<R: Read> CsvText<R> {
    /// Opens a file. Its name is for messages, and its ending says if it is expected to have tabs.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the file is of another kind or its delimiter is not clear, and an error if reading fails.
    pub fn open(input: R, file: &str, reading: &CsvReading) -> Result<Self, EngineError> {
        let text = if reading.is_of_user() {
            TextFile::open(input, file, TextKind::Csv, reading.options.encoding.as_deref())?
        } else {
            TextFile::of_run(input)?
        };
        let mut dialect = reading.dialect();
        let mut rules = LineRules::default();
        let (mut is_unexpected, mut has_single_quotes) = (false, false);
        if reading.is_of_user() {
            let named = named_delimiter(&text.head);
            rules.skipped = reading.options.skip_rows.max(u64::from(named.is_some()));
            rules.comment = reading.comment();
            rules.only_returns = text.head.contains(&b'\r') && !text.head.contains(&b'\n');
            let sample = Sample { file, text: &text.head, is_whole: text.is_whole, rules };
            if reading.options.delimiter.is_none() {
                let expected = named.unwrap_or(if has_tabs(file) { b'\t' } else { b',' });
                dialect.delimiter = if named.is_some() { expected } else { sample.delimiter(dialect, expected)? };
                is_unexpected = dialect.delimiter != expected;
            }
            // An empty line of a table of several columns is never a row.
            has_single_quotes = reading.options.quote.is_none() && sample.has_single_quotes(dialect);
            rules.has_empty_rows = dialect.quote.is_some() && sample.columns(dialect) == 1;
        }
        let (encoding, is_small) = (text.encoding, text.is_whole);
        let lines = Lines::new(text, rules, dialect);
        let empty_rows = lines.empty_rows();
        Ok(Self {
            lines,
            dialect,
            file: file.to_owned(),
            encoding,
            is_unexpected,
            has_single_quotes,
            is_small,
            empty_rows,
        })
    }

    /// Returns the number of empty lines that are rows, once the text has been read.
    pub(super) fn empty_rows(&self) -> u64 {
        self.empty_rows.load(Ordering::Relaxed)
    }
}

impl<R: Read> Read for CsvText<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lines.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::input::CsvOptions;

    fn opened(text: &str, file: &str, options: &CsvOptions) -> (Dialect, String, u64) {
        let mut opened = CsvText::open(text.as_bytes(), file, &CsvReading::of_input(options)).unwrap();
        let mut read = String::new();
        opened.read_to_string(&mut read).unwrap();
        (opened.dialect, read, opened.empty_rows())
    }

    #[test]
    fn the_form_is_found_from_the_file() {
        let options = CsvOptions::default();
        let (dialect, text, _) = opened("sep=;\r\nid;text\r\n1;a,b\r\n", "a.csv", &options);
        assert_eq!((dialect.delimiter, text.as_str()), (b';', "\nid;text\n1;a,b\n"));
        let (dialect, text, _) = opened("id\ttext\n1\ta\n", "s3://b/A.TSV.gz", &options);
        assert_eq!((dialect.delimiter, text.as_str()), (b'\t', "id\ttext\n1\ta\n"));
        let (_, text, rows) = opened("text\na\n\nb\n", "a.csv", &options);
        assert_eq!((text.as_str(), rows), ("text\na\n\"\"\nb\n", 1));
        let (_, text, rows) = opened("id,text\n1,a\n\n2,b\n", "a.csv", &options);
        assert_eq!((text.as_str(), rows), ("id,text\n1,a\n\n2,b\n", 0));
        let (_, text, _) = opened("id,text\r1,a\r", "a.csv", &options);
        assert_eq!(text, "id,text\n1,a\n");
    }

    #[test]
    fn what_the_options_say_is_not_looked_for() {
        let options = CsvOptions { delimiter: Some('|'), skip_rows: 1, comment: Some('#'), ..CsvOptions::default() };
        let (dialect, text, _) = opened("title\na;b\n#c\n1;2\n", "a.csv", &options);
        assert_eq!((dialect.delimiter, text.as_str()), (b'|', "\na;b\n\n1;2\n"));
    }

    #[test]
    fn files_of_runs_are_read_as_they_were_written() {
        let text = "a;b\n1;2\n\n";
        let mut opened = CsvText::open(text.as_bytes(), "a.csv", &CsvReading::of_answers(false)).unwrap();
        let mut read = String::new();
        opened.read_to_string(&mut read).unwrap();
        assert_eq!((opened.dialect, read.as_str()), (Dialect::default(), text));
    }
}
