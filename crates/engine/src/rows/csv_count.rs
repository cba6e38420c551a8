//! Counting of the records of a CSV without parsing them: the fast first pass over a file, which allows jobs of even sizes. It
//! follows the same rules as the reader of the second pass (that of the `csv` crate): a quote opens only at the beginning of
//! a field, `\r`, `\n` and `\r\n` end a record outside quotes, and empty lines are not records.
//!
//! It also finds what that reader accepts without a word and no writer makes: text after a closing quote, which would lose its
//! quotes, and cells that have swallowed rows.

use super::csv_dialect::Dialect;
use super::inner_lines::InnerLines;
use memchr::{memchr, memchr_iter, memchr2, memchr3};
use std::io::{self, Read};

/// Maximum number of irregular places that are remembered.
const MAX_IRREGULAR: usize = 5;

/// Result of a count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// Number of records, including the header line.
    pub records: u64,
    /// Offset of a quote that is never closed: it would turn the remainder of the file into one cell.
    pub open_quote_at: Option<u64>,
    /// First places that are read otherwise than they were meant.
    pub irregular: Vec<(u64, Irregular)>,
    /// Number of cells of several lines that may be rows.
    pub row_like_cells: u64,
}

/// Mistake that leaves a file readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Irregular {
    /// Text after a closing quote.
    TextAfterQuote,
    /// The same, and there is a backslash before the quote.
    TextAfterEscapedQuote,
    /// A quote after spaces at the beginning of a field.
    SpaceBeforeQuote,
    /// A cell whose lines look like rows of the table.
    SwallowedRows,
}

/// Counts the records of a CSV.
///
/// # Errors
/// Returns an error if reading fails.
pub fn count_records(mut input: impl Read, dialect: Dialect) -> io::Result<Counted> {
    let mut counter = Counter::new(dialect);
    let mut buffer = vec![0; 256 * 1024];
    let mut first = true;
    loop {
        let read = match input.read(&mut buffer) {
            Ok(0) => return Ok(counter.finish()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let mut block = &buffer[..read];
        if first {
            block = block.strip_prefix(b"\xef\xbb\xbf").unwrap_or(block);
            counter.done = (read - block.len()) as u64;
            first = false;
        }
        counter.block(block);
    }
}

/// Returns the lines (from 1) of the bytes at these offsets, for which the text is read once.
///
/// # Errors
/// Returns an error if reading fails.
pub fn lines_at(mut input: impl Read, offsets: &[u64]) -> io::Result<Vec<u64>> {
    let mut ascending: Vec<usize> = (0..offsets.len()).collect();
    ascending.sort_by_key(|place| offsets[*place]);
    let mut buffer = vec![0; 256 * 1024];
    let mut lines = vec![1; offsets.len()];
    let (mut line, mut done) = (1, 0);
    for place in ascending {
        let mut before = input.by_ref().take(offsets[place] - done);
        loop {
            match before.read(&mut buffer)? {
                0 => break,
                read => line += memchr_iter(b'\n', &buffer[..read]).count() as u64,
            }
        }
        (lines[place], done) = (line, offsets[place]);
    }
    Ok(lines)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// At the beginning of a record.
    #[default]
    RecordStart,
    /// At the beginning of a field.
    FieldStart,
    /// After spaces at the beginning of a field.
    Spaces,
    /// Within an unquoted field (or after the closing quote of a quoted one).
    Plain,
    /// Within quotes.
    Quoted,
    /// After the escape character within quotes.
    Escaped,
    /// After a quote within quotes: the end of the field, or the first half of a doubled quote.
    QuoteInQuotes,
}

#[derive(Debug)]
struct Counter {
    dialect: Dialect,
    state: State,
    counted: Counted,
    /// Number of bytes before the current block.
    done: u64,
    /// Offset of the latest quoted field.
    quote_at: u64,
    /// Lines within that field.
    inner: InnerLines,
    /// Number of delimiters of the current record so far.
    delimiters: u64,
    /// Number of delimiters of the first record, once it is complete.
    of_header: Option<u64>,
    /// Latest byte of the previous block.
    latest: u8,
    /// If true, there is a backslash before the latest quote within quotes.
    is_escaped: bool,
}

impl Counter {
    fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            state: State::default(),
            counted: Counted::default(),
            done: 0,
            quote_at: 0,
            inner: InnerLines::default(),
            delimiters: 0,
            of_header: None,
            latest: 0,
            is_escaped: false,
        }
    }

    fn block(&mut self, block: &[u8]) {
        let mut at = 0;
        while at < block.len() {
            if self.state == State::RecordStart
                && let Some(length) = self.usual_record(&block[at..])
            {
                self.counted.records += u64::from(length > 1);
                at += length;
                continue;
            }
            match self.state {
                State::Quoted => match self.quoted(&block[at..]) {
                    Some(next) => {
                        at += next;
                        self.is_escaped = at.checked_sub(1).map_or(self.latest, |before| block[before]) == b'\\';
                        at += 1;
                    }
                    None => break,
                },
                State::Plain => match memchr3(self.dialect.delimiter, b'\n', b'\r', &block[at..]) {
                    Some(next) => {
                        at += next;
                        self.step(block[at], at);
                        at += 1;
                    }
                    None => break,
                },
                _ => {
                    self.step(block[at], at);
                    at += 1;
                }
            }
        }
        self.done += block.len() as u64;
        self.latest = block.last().copied().unwrap_or(self.latest);
    }

    /// Returns the length of the record at the beginning of a text, with the character that ends it, if it is whole and neither the
    /// header, whose fields are counted, nor has anything that has to be looked at: lines within a cell, escaped characters, text after
    /// a quote or spaces before one.
    fn usual_record(&self, text: &[u8]) -> Option<usize> {
        self.of_header?;
        let Dialect { delimiter, quote, escape } = self.dialect;
        let mut at = 0;
        loop {
            let rest = &text[at..];
            let first = *rest.first()?;
            let end = if Some(first) == quote {
                let end = end_of_quoted(rest, first)?;
                let field = &rest[1..end - 1];
                if memchr3(b'\n', b'\r', escape.unwrap_or(b'\n'), field).is_some() {
                    return None;
                }
                end
            } else {
                let end = memchr3(delimiter, b'\n', b'\r', rest)?;
                if matches!(first, b' ' | b'\t') && quote.is_some_and(|quote| memchr(quote, &rest[..end]).is_some()) {
                    return None;
                }
                end
            };
            at += end + 1;
            match rest.get(end)? {
                b'\n' | b'\r' => return Some(at),
                after if *after == delimiter => {}
                _ => return None,
            }
        }
    }

    /// Passes over quoted text up to the next quote or escape character, and returns its place.
    fn quoted(&mut self, text: &[u8]) -> Option<usize> {
        let quote = self.dialect.quote?;
        let found = match self.dialect.escape {
            None => memchr(quote, text),
            Some(escape) => memchr2(quote, escape, text),
        };
        if let Some(of_header) = self.of_header {
            self.inner.add(&text[..found.unwrap_or(text.len())], self.dialect.delimiter, of_header);
        }
        let next = found?;
        self.state = if text[next] == quote { State::QuoteInQuotes } else { State::Escaped };
        Some(next)
    }

    /// Takes a byte, which is at this place of the block, outside quoted text.
    fn step(&mut self, byte: u8, at: usize) {
        let is_quote = Some(byte) == self.dialect.quote;
        let before = self.state;
        if before == State::QuoteInQuotes && !is_quote {
            self.field_ends();
        }
        self.state = match (before, byte) {
            (State::Escaped, _) => State::Quoted,
            (State::QuoteInQuotes, _) if is_quote => State::Quoted,
            (State::RecordStart | State::FieldStart, _) if is_quote => {
                self.quote_at = self.done + at as u64;
                self.inner = InnerLines::default();
                State::Quoted
            }
            (State::Spaces, _) if is_quote => {
                self.note(self.done + at as u64, Irregular::SpaceBeforeQuote);
                State::Plain
            }
            (State::RecordStart, b'\n' | b'\r') => State::RecordStart,
            (_, b'\n' | b'\r') => {
                self.counted.records += 1;
                self.of_header.get_or_insert(self.delimiters);
                self.delimiters = 0;
                State::RecordStart
            }
            (_, byte) if byte == self.dialect.delimiter => {
                self.delimiters += 1;
                State::FieldStart
            }
            (State::RecordStart | State::FieldStart | State::Spaces, b' ' | b'\t') => State::Spaces,
            (State::QuoteInQuotes, _) => {
                let is_escaped = self.is_escaped && self.dialect.escape.is_none();
                let kind = if is_escaped { Irregular::TextAfterEscapedQuote } else { Irregular::TextAfterQuote };
                self.note(self.done + at as u64, kind);
                State::Plain
            }
            _ => State::Plain,
        };
    }

    /// Ends a quoted field.
    fn field_ends(&mut self) {
        let Some(of_header) = self.of_header else { return };
        let rows = self.inner.rows(self.delimiters);
        if InnerLines::are_rows(rows, of_header) {
            self.note(self.quote_at, Irregular::SwallowedRows);
        } else if rows > 1 {
            self.counted.row_like_cells += 1;
        }
    }

    fn note(&mut self, at: u64, kind: Irregular) {
        if self.counted.irregular.len() < MAX_IRREGULAR {
            self.counted.irregular.push((at, kind));
        }
    }

    fn finish(mut self) -> Counted {
        match self.state {
            State::QuoteInQuotes => self.field_ends(),
            State::Quoted | State::Escaped => self.counted.open_quote_at = Some(self.quote_at),
            _ => {}
        }
        self.counted.records += u64::from(self.state != State::RecordStart);
        self.counted
    }
}

/// Returns the place after the quote that closes the field at the beginning of a text. A doubled quote does not.
fn end_of_quoted(text: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr(quote, &text[at..])? + 1;
        if *text.get(at)? != quote {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn counted_by_reader(bytes: &[u8]) -> u64 {
        counted_by_reader_of(bytes, Dialect::default())
    }

    fn counted_by_reader_of(bytes: &[u8], dialect: Dialect) -> u64 {
        let mut reader = dialect.parser().from_reader(bytes);
        let mut record = csv::ByteRecord::new();
        let mut count = 0;
        while reader.read_byte_record(&mut record).unwrap() {
            count += 1;
        }
        count
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]
        #[test]
        fn the_count_equals_that_of_the_reader(text in "[\",\\r\\na b]{0,60}") {
            prop_assert_eq!(count_records(text.as_bytes(), Dialect::default()).unwrap().records, counted_by_reader(text.as_bytes()), "{:?}", text);
        }

        #[test]
        fn other_dialects_are_counted_like_their_reader(
            text in "[;'\\\\,\\r\\n a\"]{0,60}",
            escape in prop::option::of(Just(b'\\')),
            quote in prop::option::of(Just(b'\'')),
        ) {
            let dialect = Dialect { delimiter: b';', quote, escape };
            let counted = count_records(text.as_bytes(), dialect).unwrap();
            prop_assert_eq!(counted.records, counted_by_reader_of(text.as_bytes(), dialect), "{:?}", text);
        }

        /// Single bytes are never whole records.
        #[test]
        fn whole_records_are_judged_like_single_bytes(
            text in "a,b\n[\",\\\\\r\n a]{0,60}",
            escape in prop::option::of(Just(b'\\')),
        ) {
            let dialect = Dialect { escape, ..Dialect::default() };
            let mut counter = Counter::new(dialect);
            text.as_bytes().iter().for_each(|byte| counter.block(&[*byte]));
            prop_assert_eq!(counter.finish(), count_records(text.as_bytes(), dialect).unwrap(), "{:?}", text);
        }

        #[test]
        fn blocks_may_be_split_anywhere(text in "[\",\\r\\na]{0,40}", cut in 0usize..40) {
            let bytes = text.as_bytes();
            let cut = cut.min(bytes.len());
            let mut counter = Counter::new(Dialect::default());
            counter.block(&bytes[..cut]);
            counter.block(&bytes[cut..]);
            prop_assert_eq!(counter.finish().records, counted_by_reader(bytes));
        }
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_first_field() {
        assert_eq!(count_records("\u{feff}\"a\nb\"\n1\n".as_bytes(), Dialect::default()).unwrap().records, 2);
        assert_eq!(counted_by_reader("\u{feff}\"a\nb\"\n1\n".as_bytes()), 2);
    }

    #[test]
    fn an_unclosed_quote_is_found() {
        let text = "\u{feff}a,b\n\"x\ny\",1\nz,\"open\nw,2\n";
        let at = count_records(text.as_bytes(), Dialect::default()).unwrap().open_quote_at.unwrap();
        assert_eq!(&text.as_bytes()[usize::try_from(at).unwrap()..][..5], b"\"open");
        assert_eq!(lines_at(text.as_bytes(), &[at, 0, at]).unwrap(), [4, 1, 4]);
        assert_eq!(count_records("a\n\"x\"".as_bytes(), Dialect::default()).unwrap().open_quote_at, None);
    }

    fn irregular(text: &str, dialect: Dialect) -> Vec<(u64, Irregular)> {
        let counted = count_records(text.as_bytes(), dialect).unwrap();
        let (offsets, kinds): (Vec<u64>, Vec<Irregular>) = counted.irregular.into_iter().unzip();
        lines_at(text.as_bytes(), &offsets).unwrap().into_iter().zip(kinds).collect()
    }

    #[rstest]
    #[case::good("a,b\n\"x, \"\"y\"\"\nz\",1\n5\" pipe,\"\"\n", &[])]
    #[case::after("a,b\n1,\"Deluxe\" edition\n2,\"x\" \n", &[(2, Irregular::TextAfterQuote), (3, Irregular::TextAfterQuote)])]
    #[case::backslashes("a,b\n1,\"she said \\\"no\\\" twice\"\n", &[(2, Irregular::TextAfterEscapedQuote)])]
    #[case::a_backslash_at_the_end("a,b\n1,\"C:\\\"\n", &[])]
    #[case::space("a,b\n1, \"x\"\n \t\"y\",2\n", &[(2, Irregular::SpaceBeforeQuote), (3, Irregular::SpaceBeforeQuote)])]
    #[case::spaces_alone("a,b\n1,  x\n ,2\n", &[])]
    fn what_no_writer_makes_is_found(#[case] text: &str, #[case] expected: &[(u64, Irregular)]) {
        assert_eq!(irregular(text, Dialect::default()), expected);
        let (cut, rest) = text.as_bytes().split_at(text.len() / 2);
        let mut counter = Counter::new(Dialect::default());
        counter.block(cut);
        for byte in rest {
            counter.block(&[*byte]);
        }
        assert_eq!(counter.finish(), count_records(text.as_bytes(), Dialect::default()).unwrap(), "in blocks");
    }

    #[test]
    fn escaped_quotes_are_regular_where_the_dialect_has_them() {
        let dialect = Dialect { escape: Some(b'\\'), ..Dialect::default() };
        assert_eq!(irregular("a,b\n1,\"she said \\\"no\\\", twice\"\n", dialect), []);
        assert_eq!(count_records("a\n\"x\\".as_bytes(), dialect).unwrap().open_quote_at, Some(2));
    }

    #[test]
    fn a_cell_that_has_swallowed_rows_is_found() {
        let rows = |count: usize| "7,one row\n".repeat(count);
        let swallowed = |count: usize| format!("id,size\n1,a\n2,\"5 inch\n{}3,7 inch\"\n4,b\n", rows(count));
        assert_eq!(irregular(&swallowed(10), Dialect::default()), [(3, Irregular::SwallowedRows)]);
        let few = count_records(swallowed(3).as_bytes(), Dialect::default()).unwrap();
        assert_eq!((few.irregular.as_slice(), few.row_like_cells), ([].as_slice(), 1));
        let text = format!("id,text\n1,\"Dear all,\n{}\"\n", "no comma\none, comma\n".repeat(20));
        let letter = count_records(text.as_bytes(), Dialect::default()).unwrap();
        assert_eq!((letter.irregular.as_slice(), letter.row_like_cells), ([].as_slice(), 0));
    }
}
