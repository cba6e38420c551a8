use super::*;
use crate::rows::csv_dialect::CsvReading;
use proptest::prelude::*;
use rstest::rstest;
use std::fmt::Write;

const COMMA: Dialect = Dialect { delimiter: b',', quote: Some(b'"'), escape: None };

fn lines_of(text: &str, dialect: Dialect, block_bytes: usize) -> CsvLines<&[u8]> {
    let mut opened = CsvText::open(text.as_bytes(), "a.csv", &CsvReading::of_answers(false)).unwrap();
    opened.dialect = dialect;
    CsvLines::with_blocks(opened, block_bytes)
}

fn records(lines: &mut CsvLines<&[u8]>) -> Vec<Vec<Vec<u8>>> {
    let mut record = ByteRecord::new();
    let mut records = Vec::new();
    while lines.read(&mut record).unwrap() {
        records.push(record.iter().map(<[u8]>::to_vec).collect());
    }
    records
}

fn records_of_the_parser(text: &str, dialect: Dialect) -> Vec<Vec<Vec<u8>>> {
    let mut reader = dialect.parser().from_reader(text.as_bytes());
    let read = reader.byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect());
    read.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    #[test]
    fn records_are_those_of_the_parser(text in "[\",\\r\\na b]{0,60}", block_bytes in 2usize..40) {
        let read = records(&mut lines_of(&text, COMMA, block_bytes));
        prop_assert_eq!(read, records_of_the_parser(&text, COMMA), "{:?}", text);
    }

    #[test]
    fn records_of_other_dialects_too(
        text in "[;'\\\\,\\r\\n a\"\u{feff}]{0,60}",
        escape in prop::option::of(Just(b'\\')),
        quote in prop::option::of(Just(b'\'')),
        block_bytes in 2usize..40,
    ) {
        let dialect = Dialect { delimiter: b';', quote, escape };
        // A mark at the beginning is removed before; the parser removes one more.
        let text = format!("x{text}");
        let read = records(&mut lines_of(&text, dialect, block_bytes));
        prop_assert_eq!(read, records_of_the_parser(&text, dialect), "{:?}", text);
    }

    #[test]
    fn a_record_begins_at_its_line(rows in prop::collection::vec("[a\",\n]{0,8}", 1..8), block_bytes in 2usize..40) {
        let mut text = String::new();
        let mut expected = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            text.push_str(&"\n".repeat(number % 3));
            expected.push(1 + text.matches('\n').count() as u64);
            write!(text, "\"{}\",b\r\n", row.replace('"', "\"\"")).unwrap();
        }
        let mut lines = lines_of(&text, COMMA, block_bytes);
        let mut record = ByteRecord::new();
        for (row, line) in rows.iter().zip(expected) {
            prop_assert!(lines.read(&mut record).unwrap());
            prop_assert_eq!((&record[0], lines.record_line), (row.as_bytes(), line));
        }
        prop_assert!(!lines.read(&mut record).unwrap());
    }
}

#[rstest]
#[case::plain("a,b\nc", &["a", "b"], Split::Whole(4))]
#[case::quoted("\"a, \n\",\"\"\r\n", &["a, \n", ""], Split::Whole(10))]
#[case::quotes_within("5\" pipe,\n", &["5\" pipe", ""], Split::Whole(9))]
#[case::doubled("a,\"x\"\"y\"\"\"\n", &["a", "x\"y\""], Split::Whole(11))]
#[case::only_doubled("\"\"\"\",b\n", &["\"", "b"], Split::Whole(7))]
#[case::doubled_at_the_end("\"a\"\"", &[], Split::Incomplete)]
#[case::text_after_a_quote("\"x\" y\n", &[], Split::Unusual)]
#[case::no_end("a,\"b\"", &["a"], Split::Incomplete)]
#[case::no_closing_quote("a,\"b\n", &["a"], Split::Incomplete)]
#[case::nothing_after_a_delimiter("a,", &["a"], Split::Incomplete)]
fn usual_records_are_split(#[case] text: &str, #[case] fields: &[&str], #[case] expected: Split) {
    let mut record = ByteRecord::new();
    assert_eq!(split(text.as_bytes(), COMMA, &mut Vec::new(), &mut record), expected);
    assert_eq!(record.iter().collect::<Vec<_>>(), fields.iter().map(|field| field.as_bytes()).collect::<Vec<_>>());
}

#[test]
fn escaped_characters_are_unusual_where_the_dialect_has_them() {
    let mut record = ByteRecord::new();
    let dialect = Dialect { escape: Some(b'\\'), ..COMMA };
    assert_eq!(split(b"\"a\\\",b\"\n", dialect, &mut Vec::new(), &mut record), Split::Unusual);
    assert_eq!(split(b"a\\,b\n", dialect, &mut Vec::new(), &mut record), Split::Whole(5));
}

#[test]
fn records_may_be_longer_than_a_block() {
    let cell = "x\n".repeat(BLOCK_BYTES);
    let text = format!("a,b\n\"{cell}\",\"\"\"\"\n1,2\n");
    let mut lines = lines_of(&text, COMMA, BLOCK_BYTES);
    let read = records(&mut lines);
    assert_eq!(read, records_of_the_parser(&text, COMMA));
    assert_eq!(lines.record_line, 2 + BLOCK_BYTES as u64 + 1);
}
