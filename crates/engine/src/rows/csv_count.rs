//! Counting the records of a CSV without building them: the quick first pass over a file, so that the jobs' sizes can
//! be evened out. It follows the same rules as the reader of the second pass (the `csv` crate's): a quote opens only
//! at the beginning of a field, `\r`, `\n` and `\r\n` end a record outside quotes, empty lines are no records.

use memchr::{memchr, memchr3};
use std::io::{self, Read};

/// Counts the records of a CSV, its header line included.
///
/// # Errors
/// When reading fails.
pub fn count_records(mut input: impl Read) -> io::Result<u64> {
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
            first = false;
        }
        counter.block(block);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// At the beginning of a record: nothing of it yet.
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
                    None => return,
                },
                State::Plain => match memchr3(b',', b'\n', b'\r', &block[at..]) {
                    Some(next) => {
                        at += next;
                        self.step(block[at]);
                        at += 1;
                    }
                    None => return,
                },
                State::RecordStart | State::FieldStart | State::QuoteInQuotes => {
                    self.step(block[at]);
                    at += 1;
                }
            }
        }
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

    fn finish(self) -> u64 {
        self.records + u64::from(self.state != State::RecordStart)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_the_reader(bytes: &[u8]) -> u64 {
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
        fn counts_what_the_reader_reads(text in "[\",\\r\\na b]{0,60}") {
            prop_assert_eq!(count_records(text.as_bytes()).unwrap(), by_the_reader(text.as_bytes()), "{:?}", text);
        }

        #[test]
        fn blocks_may_be_cut_anywhere(text in "[\",\\r\\na]{0,40}", cut in 0usize..40) {
            let bytes = text.as_bytes();
            let cut = cut.min(bytes.len());
            let mut counter = Counter::default();
            counter.block(&bytes[..cut]);
            counter.block(&bytes[cut..]);
            prop_assert_eq!(counter.finish(), by_the_reader(bytes));
        }
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_first_field() {
        assert_eq!(count_records("\u{feff}\"a\nb\"\n1\n".as_bytes()).unwrap(), 2);
        assert_eq!(by_the_reader("\u{feff}\"a\nb\"\n1\n".as_bytes()), 2);
    }
}
