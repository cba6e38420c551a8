//! Parser of lines of records and answers, as far as sending a record requires it.

use crate::json_fields::fields;
use crate::model::BorrowedText;
use std::borrow::Cow;

/// Returns the `recordId` of a line and the bytes of its `modelInput`, which are delimited but not parsed: the input is
/// sent exactly as it was written for a batch job. Returns `None` if the line lacks either.
pub fn split_line(line: &[u8]) -> Option<(Cow<'_, str>, &[u8])> {
    let fields = fields(line)?;
    let field = |name: &str| fields.iter().find(|(found, _)| *found == name.as_bytes()).map(|(_, value)| *value);
    let record_id = serde_json::from_slice::<BorrowedText<'_>>(field("recordId")?).ok()?.0;
    Some((record_id, field("modelInput")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[rstest]
    #[case(r#"{"recordId":"r1","modelInput":{"a": [1, "}"]}}"#, "r1", r#"{"a": [1, "}"]}"#)]
    #[case(r#"{"modelInput":{},"modelOutput":{"recordId":"no"},"recordId":"a\"ü"}"#, "a\"ü", "{}")]
    fn a_line_is_split(#[case] line: &str, #[case] id: &str, #[case] input: &str) {
        assert_eq!(split_line(line.as_bytes()), Some((id.into(), input.as_bytes())));
    }

    #[rstest]
    #[case("")]
    #[case("[]")]
    #[case(r#"{"recordId":"r1"}"#)]
    #[case(r#"{"modelInput":{}}"#)]
    #[case(r#"{"recordId":7,"modelInput":{}}"#)]
    #[case(r#"{"recordId":"r1","modelInput":{"a":1}"#)]
    fn incomplete_lines_are_not_split(#[case] line: &str) {
        assert_eq!(split_line(line.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn the_input_is_returned_as_written(id in any::<String>(), text in any::<String>(), more in any::<bool>()) {
            let input = json!({"messages": [{"content": text}], "nested": {"recordId": "other"}});
            let mut line = json!({"recordId": id, "modelInput": input});
            if more {
                line["modelOutput"] = json!({"content": text});
            }
            let line = line.to_string();
            let (found, written) = split_line(line.as_bytes()).unwrap();
            prop_assert_eq!(found, id);
            prop_assert_eq!(serde_json::from_slice::<Value>(written).unwrap(), input);
        }
    }
}
