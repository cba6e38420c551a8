//! One line of an input file.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A record as it was written: the model's input is not parsed, so that it can be repeated byte for byte.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    #[serde(borrow, default, rename = "recordId")]
    pub(super) record_id: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "modelInput")]
    pub(super) model_input: &'a RawValue,
}

impl<'a> Line<'a> {
    /// Parses a line; the error describes the problem without quoting the line.
    pub(super) fn read(line: &'a [u8]) -> Result<Self, String> {
        let line: Self = serde_json::from_slice(line).map_err(|error| {
            let kind = match error.classify() {
                serde_json::error::Category::Data => "has no valid recordId and modelInput",
                _ => "is not a valid JSON object",
            };
            format!("{kind} (column {})", error.column())
        })?;
        if line.model_input.get().starts_with('{') {
            Ok(line)
        } else {
            Err("has a modelInput that is no object".into())
        }
    }
}

/// The lines that hold something, each with its number from 1.
pub(super) fn lines(file: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = file.split(|byte| *byte == b'\n').enumerate();
    lines.map(|(index, line)| (index + 1, line.trim_ascii())).filter(|(_, line)| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_without_touching_the_input() {
        let line = Line::read(br#"{"recordId":"r\u0031","modelInput":{"a": 1.0,  "b":"\u00e9"}}"#).unwrap();
        assert_eq!(line.record_id.as_deref(), Some("r1"));
        assert_eq!(line.model_input.get(), r#"{"a": 1.0,  "b":"\u00e9"}"#);
        assert!(Line::read(br#"{"modelInput":{}}"#).unwrap().record_id.is_none());
    }

    #[test]
    fn invalid_records_are_refused_without_quoting_them() {
        for line in [
            "secret",
            "[]",
            "{}",
            r#"{"modelInput":"secret"}"#,
            r#"{"recordId":7,"modelInput":{}}"#,
            "{\"modelInput\":{}",
            "\u{0}",
        ] {
            let problem = Line::read(line.as_bytes()).unwrap_err();
            assert!(!problem.contains("secret"), "{problem}");
        }
        assert!(Line::read(&[b'"', 0xff, b'"']).is_err());
    }

    #[test]
    fn empty_lines_are_skipped_and_counted() {
        let found: Vec<_> = lines(b"a\n\n \r\nb\r\n").collect();
        assert_eq!(found, [(1, &b"a"[..]), (4, &b"b"[..])]);
    }
}
