//! Lines of a text that are no rows, and empty lines that are: a stream of CSV as the parser is to see it. Each line that is left
//! out stays an empty line, so that the numbers of the others do not change.

use super::csv_dialect::Dialect;
use memchr::memchr3;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Size of the blocks that are read, and of what is written of them at a time.
const BLOCK_BYTES: usize = 64 * 1024;

/// What is done with lines. The default is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct LineRules {
    /// Number of lines at the beginning that are left out.
    pub(super) skipped: u64,
    /// First character of lines that are left out.
    pub(super) comment: Option<u8>,
    /// If true, the table has one column: an empty line between others is a row.
    pub(super) has_empty_rows: bool,
    /// If true, only carriage returns end lines. The parser counts line feeds.
    pub(super) only_returns: bool,
}

impl LineRules {
    fn is_needed(self) -> bool {
        self != Self::default()
    }
}

/// Stream of the lines.
pub(super) struct Lines<R> {
    input: R,
    /// `None` if the text is passed on as it is.
    rewriter: Option<Box<Rewriter>>,
    empty_rows: Arc<AtomicU64>,
}

impl<R> Lines<R> {
    pub(super) fn new(input: R, rules: LineRules, dialect: Dialect) -> Self {
        let empty_rows = Arc::new(AtomicU64::new(0));
        let rewriter = rules.is_needed().then(|| Box::new(Rewriter::new(rules, dialect, Arc::clone(&empty_rows))));
        Self { input, rewriter, empty_rows }
    }

    /// Returns the number of empty lines that became rows, once the text has been read.
    pub(super) fn empty_rows(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.empty_rows)
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(rewriter) = &mut self.rewriter else { return self.input.read(buffer) };
        loop {
            let taken = rewriter.take(buffer);
            if taken > 0 || rewriter.is_over || buffer.is_empty() {
                return Ok(taken);
            }
            rewriter.fill(&mut self.input)?;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    LineStart,
    /// Before a row, while the empty lines before it are written.
    EmptyRows,
    /// In a line that is left out.
    LeftOut,
    FieldStart,
    Plain,
    Quoted,
    Escaped,
    QuoteInQuotes,
}

struct Rewriter {
    rules: LineRules,
    dialect: Dialect,
    place: Place,
    block: Vec<u8>,
    /// Number of bytes of the block that were taken.
    at: usize,
    out: Vec<u8>,
    /// Number of bytes of the output that were taken.
    out_at: usize,
    /// Number of carriage returns before the next byte. Together with a line feed, they are one end of a line.
    returns: u64,
    /// Number of lines that are still left out.
    skipped: u64,
    /// Number of empty lines since the latest row.
    empty: u64,
    /// Number of lines within the cells of the current row, where only carriage returns end them.
    inner_lines: u64,
    /// Number of empty lines that follow in the output, in their place.
    owed_lines: u64,
    has_header: bool,
    empty_rows: Arc<AtomicU64>,
    input_is_over: bool,
    is_over: bool,
}

impl Rewriter {
    fn new(rules: LineRules, dialect: Dialect, empty_rows: Arc<AtomicU64>) -> Self {
        Self {
            rules,
            dialect,
            place: Place::LineStart,
            block: Vec::new(),
            at: 0,
            out: Vec::new(),
            out_at: 0,
            returns: 0,
            skipped: rules.skipped,
            empty: 0,
            inner_lines: 0,
            owed_lines: 0,
            has_header: false,
            empty_rows,
            input_is_over: false,
            is_over: false,
        }
    }

    /// Takes output.
    fn take(&mut self, buffer: &mut [u8]) -> usize {
        let length = buffer.len().min(self.out.len() - self.out_at);
        buffer[..length].copy_from_slice(&self.out[self.out_at..self.out_at + length]);
        self.out_at += length;
        length
    }

    /// Writes new output in place of the one that was taken. A billion empty lines, or lines of a cell, are written bit by bit.
    fn fill(&mut self, input: &mut impl Read) -> io::Result<()> {
        self.out.clear();
        self.out_at = 0;
        while self.out.len() < BLOCK_BYTES {
            if self.owed_lines > 0 {
                self.out.push(b'\n');
                self.owed_lines -= 1;
            } else if self.place == Place::EmptyRows {
                self.write_empty_row();
            } else if self.at < self.block.len() {
                self.step();
            } else if self.input_is_over {
                self.end();
                break;
            } else {
                self.block.resize(BLOCK_BYTES, 0);
                let read = input.read(&mut self.block);
                self.block.truncate(*read.as_ref().unwrap_or(&0));
                self.at = 0;
                self.input_is_over = read? == 0;
            }
        }
        Ok(())
    }

    fn write_empty_row(&mut self) {
        let quote = self.dialect.quote.unwrap_or(b'"');
        self.out.extend_from_slice(&[quote, quote, b'\n']);
        self.empty_rows.fetch_add(1, Ordering::Relaxed);
        self.empty -= 1;
        if self.empty == 0 {
            self.place = Place::FieldStart;
        }
    }

    /// Processes the next byte, or several of a cell.
    fn step(&mut self) {
        let byte = self.block[self.at];
        let is_quoted = matches!(self.place, Place::Quoted | Place::Escaped);
        if !is_quoted && byte == b'\r' {
            self.returns += 1;
            self.at += 1;
            return;
        }
        if !is_quoted && byte == b'\n' {
            self.returns = 0;
            self.at += 1;
            self.line_ends();
            return;
        }
        if self.returns > 0 {
            self.returns -= 1;
            self.line_ends();
            return;
        }
        match self.place {
            // The byte is taken by the next step.
            Place::LineStart => self.line_begins(byte),
            Place::LeftOut => self.at += 1,
            Place::Plain => self.cell(self.dialect.delimiter, b'\n', b'\r'),
            Place::Quoted => {
                let quote = self.dialect.quote.unwrap_or(b'"');
                self.cell(quote, self.dialect.escape.unwrap_or(quote), b'\r');
            }
            Place::FieldStart | Place::QuoteInQuotes | Place::Escaped | Place::EmptyRows => self.structure(byte),
        }
    }

    fn line_begins(&mut self, byte: u8) {
        if self.skipped > 0 || self.rules.comment == Some(byte) {
            self.place = Place::LeftOut;
        } else if self.empty > 0 {
            self.place = Place::EmptyRows;
        } else {
            self.place = Place::FieldStart;
        }
    }

    /// Copies a cell up to one of the bytes that end or structure it.
    fn cell(&mut self, a: u8, b: u8, c: u8) {
        let rest = &self.block[self.at..];
        let length = memchr3(a, b, c, rest).unwrap_or(rest.len());
        self.out.extend_from_slice(&rest[..length]);
        self.at += length;
        if let Some(byte) = self.block.get(self.at).copied()
            && !(self.place == Place::Plain && matches!(byte, b'\n' | b'\r'))
        {
            self.structure(byte);
        }
    }

    /// Copies a byte that may change the place.
    fn structure(&mut self, byte: u8) {
        let Dialect { delimiter, quote, escape, .. } = self.dialect;
        self.place = match self.place {
            Place::Escaped => Place::Quoted,
            Place::Quoted if Some(byte) == quote => Place::QuoteInQuotes,
            Place::Quoted if Some(byte) == escape => Place::Escaped,
            Place::Quoted => {
                self.inner_lines += u64::from(byte == b'\r' && self.rules.only_returns);
                Place::Quoted
            }
            Place::FieldStart | Place::QuoteInQuotes if Some(byte) == quote => Place::Quoted,
            _ if byte == delimiter => Place::FieldStart,
            _ => Place::Plain,
        };
        self.out.push(byte);
        self.at += 1;
    }

    fn line_ends(&mut self) {
        match self.place {
            Place::LineStart if self.skipped == 0 && self.rules.has_empty_rows && self.has_header => self.empty += 1,
            Place::LineStart | Place::LeftOut => {
                self.skipped = self.skipped.saturating_sub(1);
                self.out.push(b'\n');
            }
            _ => {
                self.has_header = true;
                self.out.push(b'\n');
                self.owed_lines = std::mem::take(&mut self.inner_lines);
            }
        }
        self.place = Place::LineStart;
    }

    /// Ends the text. Empty lines at its end are no rows.
    fn end(&mut self) {
        if self.returns > 0 && self.place != Place::LineStart {
            self.line_ends();
        }
        self.is_over = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn rewritten(text: &str, rules: LineRules) -> (String, u64) {
        let mut lines = Lines::new(text.as_bytes(), rules, Dialect::default());
        let mut out = String::new();
        lines.read_to_string(&mut out).unwrap();
        (out, lines.empty_rows().load(Ordering::Relaxed))
    }

    const EMPTY: LineRules = LineRules { skipped: 0, comment: None, has_empty_rows: true, only_returns: false };
    const COMMENTS: LineRules =
        LineRules { skipped: 2, comment: Some(b'#'), has_empty_rows: false, only_returns: false };
    const RETURNS: LineRules = LineRules { skipped: 0, comment: None, has_empty_rows: false, only_returns: true };

    #[rstest]
    #[case::between("\na\n1\n\n\n2\n\n", "\na\n1\n\"\"\n\"\"\n2\n", 2)]
    #[case::windows("a\r\n1\r\n\r\n2\r\n", "a\n1\n\"\"\n2\n", 1)]
    #[case::two_returns("a\r\r\n1\r\r\n2", "a\n1\n2", 0)]
    #[case::old_mac("a\r1\r\r2\r\r", "a\n1\n\"\"\n2\n", 1)]
    #[case::in_quotes("a\n\"x\n\ny\"\n", "a\n\"x\n\ny\"\n", 0)]
    #[case::after_quotes("a\n\"x\"\n\n\"y\"", "a\n\"x\"\n\"\"\n\"y\"", 1)]
    fn empty_lines_between_rows_of_one_column_are_rows(#[case] text: &str, #[case] expected: &str, #[case] rows: u64) {
        assert_eq!(rewritten(text, EMPTY), (expected.to_owned(), rows));
    }

    #[rstest]
    #[case(
        "title\n\"open\n# c\r\na,b\r\n1,#2\n\"x\n# no comment\",3\n#4\n",
        "\n\n\na,b\n1,#2\n\"x\n# no comment\",3\n\n"
    )]
    #[case("t\r\ra,b\r#c\r1,2", "\n\na,b\n\n1,2")]
    #[case("only", "")]
    fn lines_that_are_left_out_stay_empty_lines(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(rewritten(text, COMMENTS).0, expected);
    }

    #[test]
    fn lines_within_cells_count_where_only_returns_end_them() {
        let (text, _) = rewritten("a,b\r\"x\ry\rz\",1\r2,3", RETURNS);
        assert_eq!(text, "a,b\n\"x\ry\rz\",1\n\n\n2,3");
    }

    #[rstest]
    #[case::within_a_cell("a,b\r\"", "\",1\r2,3")]
    #[case::between_rows("a,b\r", "2,3")]
    #[case::between_rows_of_one_column("a\r", "2")]
    fn any_number_of_lines_takes_little_memory(#[case] before: &str, #[case] after: &str) {
        let rules = LineRules { has_empty_rows: !before.contains(','), ..RETURNS };
        let text = format!("{before}{}{after}", "\r".repeat(10 * BLOCK_BYTES));
        let mut lines = Lines::new(text.as_bytes(), rules, Dialect::default());
        let (mut buffer, mut ends) = ([0; 4096], 0);
        loop {
            let read = lines.read(&mut buffer).unwrap();
            if read == 0 {
                break;
            }
            ends += memchr::memchr_iter(b'\n', &buffer[..read]).count();
            let held = lines.rewriter.as_ref().unwrap().out.len();
            assert!(held <= 2 * BLOCK_BYTES, "{held}");
        }
        assert!(ends >= 10 * BLOCK_BYTES, "{ends}");
    }

    proptest! {
        #[test]
        fn a_table_of_one_column_keeps_its_cells(cells in prop::collection::vec("[a\",\n\r]{0,6}", 1..12)) {
            let quoted = cells.iter().map(|cell| format!("\"{}\"\n", cell.replace('"', "\"\"")));
            let text: String = std::iter::once("name\n".to_owned()).chain(quoted).collect();
            prop_assert_eq!(rewritten(&text, EMPTY), (text, 0));
        }
    }
}
