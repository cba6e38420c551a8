//! Records of requests of several rows: the texts of the rows, within the text around them.

use super::record::RecordWriter;
use crate::json_text::{escaped_length, push_escaped};
use crate::record_id::RequestId;
use std::io::Write as _;

/// Line feed between the texts of two rows, as JSON escapes it.
const SEPARATOR: &[u8] = b"\\n";
const BEFORE_ID: &[u8] = b"{\"recordId\":\"";
const AFTER_ID: &[u8] = b"\",\"modelInput\":";
const AFTER: &[u8] = b"}\n";

impl RecordWriter {
    /// Returns true if requests may have several rows, which are numbered.
    pub fn has_rows_part(&self) -> bool {
        self.around_rows.max_rows.is_some()
    }

    /// Returns the maximum number of rows of a request.
    pub fn max_rows(&self) -> usize {
        self.around_rows.max_rows.unwrap_or(1)
    }

    /// Appends the next row to the texts of a request's rows. `number` is that of the row, from 1; `cell(i)` is its cell of
    /// `columns()[i]`.
    pub fn push_row<'a>(&self, rows: &mut Vec<u8>, number: usize, cell: impl Fn(usize) -> &'a str) {
        if number > 1 {
            rows.extend_from_slice(SEPARATOR);
        }
        self.push_text(rows, number, cell);
    }

    /// Appends the line of a request, including its line feed; `rows` are the texts of its rows.
    pub fn push_request(&self, line: &mut Vec<u8>, id: RequestId<'_>, rows: &[u8]) {
        let (before, after) = self.around_text();
        line.extend_from_slice(BEFORE_ID);
        push_escaped(line, id.first);
        // Writing to memory cannot fail.
        let _ = write!(line, "+{}", id.rows);
        line.extend_from_slice(AFTER_ID);
        for part in before {
            line.extend_from_slice(part.as_bytes());
        }
        line.extend_from_slice(&self.around_rows.before);
        line.extend_from_slice(rows);
        line.extend_from_slice(&self.around_rows.after);
        for part in after {
            line.extend_from_slice(part.as_bytes());
        }
        line.extend_from_slice(AFTER);
    }

    /// Appends the line of a request of one row.
    pub fn push_single<'a>(&self, line: &mut Vec<u8>, row_id: &str, cell: impl Fn(usize) -> &'a str) {
        let mut rows = Vec::new();
        self.push_row(&mut rows, 1, cell);
        self.push_request(line, RequestId { first: row_id, rows: 1 }, &rows);
    }

    /// Returns the number of bytes of the line of a request whose rows have texts of `rows_bytes`.
    pub fn request_bytes(&self, id: RequestId<'_>, rows_bytes: usize) -> usize {
        let (before, after) = self.around_text();
        let fixed: usize = before.iter().chain(&after).map(|part| part.len()).sum();
        let around = self.around_rows.before.len() + self.around_rows.after.len();
        let number = 1 + id.rows.checked_ilog10().unwrap_or(0) as usize + 1;
        let id = escaped_length(id.first) + number;
        BEFORE_ID.len() + id + AFTER_ID.len() + fixed + around + rows_bytes + AFTER.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Inference;
    use crate::model::Family;
    use crate::prompt::Template;
    use proptest::prelude::*;
    use serde_json::Value;

    fn writer(family: Family, outer: &str, row: &str, max_rows: usize) -> RecordWriter {
        let (outer, row) = (Template::parse(outer).unwrap(), Template::parse(row).unwrap());
        RecordWriter::new(family, &row, &Inference::default(), Some("Be \"brief\"."), None, false)
            .of_rows(&outer, max_rows)
    }

    fn text(line: &[u8]) -> (String, String) {
        let line: Value = serde_json::from_slice(line).unwrap();
        let text = line["modelInput"]["messages"][0]["content"][0]["text"].as_str().unwrap().to_owned();
        (line["recordId"].as_str().unwrap().to_owned(), text)
    }

    #[test]
    fn rows_are_numbered_within_the_text_around_them() {
        let writer = writer(Family::Nova, "All {{ of:\n{rows}\nEnd", "<t id=\"{row_id}\">{b}{a}{b}</t>", 9);
        assert_eq!((writer.columns(), writer.max_rows()), (["b", "a"].map(str::to_owned).as_slice(), 9));
        let mut rows = Vec::new();
        for (number, cells) in [(1, ["x", "{rows}"]), (2, ["\"", "{row_id}"])] {
            writer.push_row(&mut rows, number, |column| cells[column]);
        }
        let mut line = Vec::new();
        writer.push_request(&mut line, RequestId { first: "a\"+1", rows: 2 }, &rows);
        let expected = "All { of:\n<t id=\"1\">x{rows}x</t>\n<t id=\"2\">\"{row_id}\"</t>\nEnd";
        assert_eq!(text(&line), ("a\"+1+2".to_owned(), expected.to_owned()), "cells are never templates");
    }

    #[test]
    fn a_single_row_is_sent_with_the_same_template() {
        let writer = writer(Family::AnthropicMessages, "All:\n{rows}", "<t id=\"{row_id}\">{a}</t>", 9);
        let mut line = Vec::new();
        writer.push_single(&mut line, "r7", |_| "x");
        assert_eq!(text(&line), ("r7+1".to_owned(), "All:\n<t id=\"1\">x</t>".to_owned()));
    }

    #[test]
    fn a_writer_without_the_part_writes_the_same_model_input_as_for_a_record() {
        let template = Template::parse("About {a}: {row_id}").unwrap();
        let writer = RecordWriter::new(Family::Converse, &template, &Inference::default(), None, Some("x"), false);
        let (mut single, mut record) = (Vec::new(), Vec::new());
        writer.push_single(&mut single, "r", |column| ["x", "y"][column]);
        writer.push_line(&mut record, "r+1", |column| ["x", "y"][column], None);
        assert_eq!(single, record);
        assert!(!writer.has_rows_part());
    }

    proptest! {
        #[test]
        fn the_length_of_a_request_is_known_before_it_is_written(
            id in "[a\"\\\\\\n\u{1}ü+]{0,9}", outer in "[a\"\\nü]{0,9}", cells in prop::collection::vec("[x\"\\n\u{1}ü]{0,9}", 1..120),
        ) {
            for family in [Family::AnthropicMessages, Family::Nova, Family::Converse] {
                let writer = writer(family, &format!("{outer}{{rows}}{outer}"), "{row_id}:{a}", 200);
                let mut rows = Vec::new();
                for (number, cell) in (1..).zip(&cells) {
                    writer.push_row(&mut rows, number, |_| cell);
                }
                let (mut line, id) = (Vec::new(), RequestId { first: &id, rows: cells.len() });
                writer.push_request(&mut line, id, &rows);
                prop_assert_eq!(line.len(), writer.request_bytes(id, rows.len()));
                prop_assert!(serde_json::from_slice::<Value>(&line).is_ok());
            }
        }
    }
}
