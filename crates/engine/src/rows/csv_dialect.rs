//! Characters that structure a CSV, and the way in which the CSV files of an input are read.

use bedrock_batch_domain::input::CsvOptions;
use std::sync::Arc;

/// Characters that structure a CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Character between cells.
    pub delimiter: u8,
    /// Character around cells.
    pub quote: Option<u8>,
    /// Character that makes the next one stand for itself within quotes.
    pub escape: Option<u8>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: Some(b'"'), escape: None }
    }
}

impl Dialect {
    /// Returns a parser of this dialect, without rules for the number of fields.
    pub(super) fn parser(self) -> csv::ReaderBuilder {
        let mut parser = csv::ReaderBuilder::new();
        parser.has_headers(false).flexible(true).delimiter(self.delimiter).escape(self.escape);
        match self.quote {
            Some(quote) => parser.quote(quote),
            None => parser.quoting(false),
        };
        parser
    }

    /// Returns a parser of single records of this dialect.
    pub(super) fn record_parser(self) -> csv_core::Reader {
        let mut parser = csv_core::ReaderBuilder::new();
        parser.delimiter(self.delimiter).escape(self.escape);
        match self.quote {
            Some(quote) => parser.quote(quote),
            None => parser.quoting(false),
        };
        parser.build()
    }

    /// Returns the name of the delimiter for messages.
    pub(super) fn delimiter_name(self) -> String {
        match self.delimiter {
            b'\t' => "tab".to_owned(),
            b',' => "comma".to_owned(),
            other => format!("`{}`", char::from(other)),
        }
    }
}

/// Way in which the CSV files of an input are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvReading {
    pub(super) options: Arc<CsvOptions>,
    pub(super) origin: Origin,
}

/// Writer of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Anyone: the form is found, and what no writer makes is refused.
    User,
    /// A run: all files have one form, and names of columns are read as they were written.
    Run {
        /// If true, cells that spreadsheets would take for formulas have a guard, which is removed.
        are_guarded: bool,
    },
}

impl CsvReading {
    /// Returns the way to read files of users.
    pub fn of_input(options: &CsvOptions) -> Self {
        Self { options: Arc::new(options.clone()), origin: Origin::User }
    }

    /// Returns the way to read answered rows of an earlier run; `are_guarded` is true if it had `csv_safe_cells`.
    pub fn of_answers(are_guarded: bool) -> Self {
        Self { options: Arc::default(), origin: Origin::Run { are_guarded } }
    }

    pub(super) fn is_of_user(&self) -> bool {
        self.origin == Origin::User
    }

    /// Returns true if files are refused that are read otherwise than they were meant, or may be.
    pub(super) fn is_strict(&self) -> bool {
        self.is_of_user() && !self.options.lenient
    }

    /// Returns the dialect, as far as the options define it.
    pub(super) fn dialect(&self) -> Dialect {
        let ascii = |character: char| u8::try_from(character).ok();
        Dialect {
            delimiter: self.options.delimiter.and_then(ascii).unwrap_or(b','),
            quote: self.options.quote().and_then(ascii),
            escape: self.options.escape.and_then(ascii),
        }
    }

    pub(super) fn comment(&self) -> Option<u8> {
        self.options.comment.and_then(|character| u8::try_from(character).ok())
    }
}

impl Default for CsvReading {
    fn default() -> Self {
        Self::of_input(&CsvOptions::default())
    }
}
