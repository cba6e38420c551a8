//! Counting of the records of a CSV without parsing them: the fast first pass over a file, which allows jobs of even sizes. It
//! follows the same rules as the reader of the second pass (that of the `csv` crate): a quote opens only at the beginning of
//! a field, `\r`, `\n` and `\r\n` end a record outside quotes, and empty lines are not records.

use memchr::{memchr, memchr_iter, memchr3};
use std::io::{self, Read};

/// Result of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Number of records, including the header line.
    pub records: u64,
    /// Offset of a quote that is never closed: it would turn the remainder of the file into one cell.
    pub open_quote_at: Option<u64>,
}

/// Counts the records of a CSV.
///
/// # Errors
/// Returns an error if reading fails.
pub fn count_records(mut input: impl Read) -> io::Result<Counted> {
    let mut counter = Counter::default();
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

/// Returns the line (from 1) of the byte at `offset`.
///
/// # Errors
/// Returns an error if reading fails.
pub fn line_at(input: impl Read, offset: u64) -> io::Result<u64> {
    let mut before = input.take(offset);
    let mut buffer = vec![0; 256 * 1024];
    let mut line = 1;
    loop {
        match before.read(&mut buffer)? {
            0 => return Ok(line),
            read => line += memchr_iter(b'\n', &buffer[..read]).count() as u64,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// At the beginning of a record.
    #[default]
    RecordStart,
    /// At the beginning of a field.
    FieldStart,
    /// Within an unquoted field (or after the closing quote of a quoted one).
    Plain,
    /// Within quotes.
    Quoted,
    /// After a quote within quotes: the end of the field, or the first half of a doubled quote.
    QuoteInQuotes,
}

#[derive(Debug, Default)]
struct Counter {
    state: State,
    records: u64,
    /// Number of bytes before the current block.
    done: u64,
    /// Offset of the latest quoted field.
    quote_at: u64,
}

impl Counter {
    fn block(&mut self, block: &[u8]) {
        let mut at = 0;
        while at < block.len() {
            match self.state {
                State::Quoted => match memchr(b'"', &block[at..]) {
                    Some(next) => {
                        at += next + 1;
                        self.state = State::QuoteInQuotes;
                    }
                    None => break,
                },
                State::Plain => match memchr3(b',', b'\n', b'\r', &block[at..]) {
                    Some(next) => {
                        at += next;
                        self.step(block[at]);
                        at += 1;
                    }
                    None => break,
                },
                State::RecordStart | State::FieldStart | State::QuoteInQuotes => {
                    let before = self.state;
                    self.step(block[at]);
                    if before != State::QuoteInQuotes && self.state == State::Quoted {
                        self.quote_at = self.done + at as u64;
                    }
                    at += 1;
                }
            }
        }
        self.done += block.len() as u64;
    }

    fn step(&mut self, byte: u8) {
        self.state = match (self.state, byte) {
            (State::QuoteInQuotes | State::RecordStart | State::FieldStart, b'"') => State::Quoted,
            (State::RecordStart, b'\n' | b'\r') => State::RecordStart,
            (_, b'\n' | b'\r') => {
                self.records += 1;
                State::RecordStart
            }
            (_, b',') => State::FieldStart,
            _ => State::Plain,
        };
    }

    fn finish(self) -> Counted {
        Counted {
            records: self.records + u64::from(self.state != State::RecordStart),
            open_quote_at: (self.state == State::Quoted).then_some(self.quote_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted_by_reader(bytes: &[u8]) -> u64 {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        let mut record = csv::ByteRecord::new();
        let mut count = 0;
        while reader.read_byte_record(&mut record).unwrap() {
            count += 1;
        }
        count
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]
        #[test]
        fn the_count_equals_that_of_the_reader(text in "[\",\\r\\na b]{0,60}") {
            prop_assert_eq!(count_records(text.as_bytes()).unwrap().records, counted_by_reader(text.as_bytes()), "{:?}", text);
        }

        #[test]
        fn blocks_may_be_split_anywhere(text in "[\",\\r\\na]{0,40}", cut in 0usize..40) {
            let bytes = text.as_bytes();
            let cut = cut.min(bytes.len());
            let mut counter = Counter::default();
            counter.block(&bytes[..cut]);
            counter.block(&bytes[cut..]);
            prop_assert_eq!(counter.finish().records, counted_by_reader(bytes));
        }
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_first_field() {
        assert_eq!(count_records("\u{feff}\"a\nb\"\n1\n".as_bytes()).unwrap().records, 2);
        assert_eq!(counted_by_reader("\u{feff}\"a\nb\"\n1\n".as_bytes()), 2);
    }

    #[test]
    fn an_unclosed_quote_is_found() {
        let text = "\u{feff}a,b\n\"x\ny\",1\nz,\"open\nw,2\n";
        let at = count_records(text.as_bytes()).unwrap().open_quote_at.unwrap();
        assert_eq!(&text.as_bytes()[usize::try_from(at).unwrap()..][..5], b"\"open");
        assert_eq!(line_at(text.as_bytes(), at).unwrap(), 4);
        assert_eq!(count_records("a\n\"x\"".as_bytes()).unwrap().open_quote_at, None);
    }
}
