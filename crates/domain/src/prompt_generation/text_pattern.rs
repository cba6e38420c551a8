//! Patterns that find the fields of an answer of the form `structured_text`.

use super::answer_fields::{AnswerField, FieldType};
use super::properties::Properties;
use regex::escape;
use serde_json::Value;

/// Marks that a model may write before a label, such as `- **`. Listed one by one, as the complement of all letters of Unicode
/// makes patterns large.
const MARKS: &str = r"\t [:punct:]“”„«»‘’‚•–—…";
/// Marks around the name of a category. Signs are not among them: `-1` is another category than `1`.
const AROUND_CATEGORY: &str = r#"\t *_`"'“”„«»‘’‚()\[\]<>{}"#;
/// Marks that may follow the name of a category, as at the end of a sentence.
const AFTER_CATEGORY: &str = r".,;:!…\r";
/// Marks before a number from 0 to 1. `<0.9` is not 0.9, and `-0.9` is out of range.
const BEFORE_NUMBER: &str = r#"\t *_`"'“„«(\["#;
/// Marks that enclose a whole text: such pairs are not part of it. The longer of two that begin alike comes first.
const ENCLOSING: [(&str, &str); 11] = [
    ("**", "**"),
    ("*", "*"),
    ("_", "_"),
    ("`", "`"),
    ("\"", "\""),
    ("'", "'"),
    ("“", "”"),
    ("„", "“"),
    ("«", "»"),
    ("[", "]"),
    ("<", ">"),
];

/// Returns the name and the pattern of each field. The names of the categories are part of the pattern of theirs, so that an
/// answer with another name has no category.
pub(super) fn text_patterns(fields: &[AnswerField], categories: &[&str]) -> Vec<(String, String)> {
    let labels: Vec<String> = fields.iter().map(|field| label_pattern(&field.label())).collect();
    let any = labels.join("|");
    let patterns = fields.iter().zip(&labels).map(|(field, label)| {
        let line = line_of(label);
        let pattern = match field.field_type {
            FieldType::Category => {
                // The longer of two names that begin alike comes first, and marks are skipped only if no name begins with them.
                let mut names: Vec<&str> = categories.to_vec();
                names.sort_by_key(|name| std::cmp::Reverse(name.len()));
                let names: Vec<String> = names.into_iter().map(escape).collect();
                format!(r"{line}[{AROUND_CATEGORY}]*?({})[{AROUND_CATEGORY}{AFTER_CATEGORY}]*$", names.join("|"))
            }
            // A digit, a percent sign or a decimal comma behind the number makes another number of it.
            FieldType::Confidence => {
                let number = r"0?\.\d+|0|1(?:\.0+)?";
                format!(r"{line}[{BEFORE_NUMBER}]*(?:<({number})>|({number})[.,]?[ \t\r]*(?:[^\d.,%\s]|$))")
            }
            FieldType::Text => format!(r"{line}(?:{})\s*(?:{}|\z)", text_pattern(), line_of(&any)),
        };
        (field.name.clone(), pattern)
    });
    patterns.collect()
}

/// Returns the same for the answers that a schema describes: the names of the categories are the `enum` of their field. Without
/// them, the category is any text.
pub(crate) fn patterns_of_answers(properties: &Properties) -> Vec<(String, String)> {
    let category = properties.0.iter().find(|(name, _)| FieldType::of_name(name) == FieldType::Category);
    let names = category.and_then(|(_, schema)| schema.get("enum")).and_then(Value::as_array);
    let categories: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = properties.0.iter().map(|(name, _)| {
        let field_type = match FieldType::of_name(name) {
            FieldType::Category if categories.is_empty() => FieldType::Text,
            other => other,
        };
        AnswerField { name: name.clone(), field_type, description: String::new() }
    });
    text_patterns(&fields.collect::<Vec<_>>(), &categories)
}

/// Returns the pattern of the beginning of a line with one of `labels`, up to the value. Marks right behind the colon belong to
/// the label: `**Category:** A`.
fn line_of(labels: &str) -> String {
    format!(r"^(?:[{MARKS}]*\d+[.)])?[{MARKS}]*(?:{labels})[ \t]*[*_`]*[ \t]*:[*_`]*[ \t]*")
}

/// Returns the pattern of a text: the content of a pair of marks that encloses all of it on one line, else the text as it is.
/// Only such a pair is left out, as marks at one end alone may belong to the text: `-12`, `$5`, `"late" and "lost"`.
fn text_pattern() -> String {
    let enclosed = ENCLOSING.iter().map(|(begin, end)| {
        let (begin, end) = (escape(begin), escape(end));
        format!(r"{begin}([^\n{begin}{end}]*){end}")
    });
    let alternatives: Vec<String> = enclosed.chain([r"((?s:.*?))".to_owned()]).collect();
    alternatives.join("|")
}

fn label_pattern(label: &str) -> String {
    label.split(' ').map(escape).collect::<Vec<_>>().join(r"[ _-]")
}

#[cfg(test)]
mod tests {
    use super::super::answer_fields::answer_fields;
    use super::super::config::OutputFormatConfig;
    use super::*;
    use crate::extract::{Extractor, FieldValue};
    use crate::prompt::{OutputSchema, SchemaType};
    use rstest::rstest;

    const NAMES: [&str; 6] = ["Refund", "Refund of fees", "C++ (bug)", "#1", "C", "*A*"];

    fn extracted(answer: &str) -> Vec<Option<String>> {
        extracted_of(&NAMES, answer)
    }

    fn extracted_of(names: &[&str], answer: &str) -> Vec<Option<String>> {
        let fields = answer_fields(&OutputFormatConfig::default());
        let schema = OutputSchema { schema_type: SchemaType::Regex, fields: text_patterns(&fields, names) };
        let extractor = Extractor::new(&schema, None).unwrap();
        let Ok(values) = extractor.extract(answer, None) else { return Vec::new() };
        values.into_iter().map(|value| value.map(FieldValue::into_text)).collect()
    }

    #[rstest]
    #[case("Category: Refund\nConfidence: 0.9\nKey Evidence: \"money\nback\"\nReasoning: Because.", ["Refund", "0.9", "\"money\nback\"", "Because."])]
    #[case("1. **Category:** Refund of fees\n\n2. **Confidence**: 1.0\n\n3. Key_evidence: [fee]\n\n4. Reasoning: a\nb", ["Refund of fees", "1.0", "fee", "a\nb"])]
    #[case("- category: `C++ (bug)`.\n- confidence: .5\n- key evidence: x\n- reasoning: y: z", ["C++ (bug)", ".5", "x", "y: z"])]
    #[case("Category: <Refund>\r\nConfidence: <0.9>\r\nKey Evidence: **late**\r\nReasoning: \"y\"", ["Refund", "0.9", "late", "y"])]
    #[case("Category: \"Refund\"\nConfidence: \"0.9\", sure\nKey Evidence: «a»\nReasoning: **Reasons**: y", ["Refund", "0.9", "a", "**Reasons**: y"])]
    #[case("Category: *A*\nConfidence: 0.9 – sure\nKey Evidence:\n- \"a\"\n- b\nReasoning: *y*", ["*A*", "0.9", "- \"a\"\n- b", "y"])]
    #[case("Category: #1\nConfidence: 0 (a guess)\nKey Evidence: x\nReasoning: y", ["#1", "0", "x", "y"])]
    fn fields_are_found_however_the_answer_is_decorated(#[case] answer: &str, #[case] expected: [&str; 4]) {
        assert_eq!(extracted(answer), expected.map(|text| Some(text.to_owned())));
    }

    #[rstest]
    #[case("-1")]
    #[case("0")]
    #[case("1")]
    #[case("+1")]
    #[case("<18")]
    #[case("18")]
    fn a_sign_is_part_of_the_name_of_a_category(#[case] name: &str) {
        let names = ["-1", "0", "1", "+1", "<18", "18"];
        for written in [name.to_owned(), format!("**{name}**"), format!("`{name}`."), format!("\"{name}\"")] {
            assert_eq!(extracted_of(&names, &format!("Category: {written}"))[0].as_deref(), Some(name), "{written}");
        }
    }

    #[rstest]
    #[case("-12 degrees")]
    #[case("$5")]
    #[case("#7 of the order")]
    #[case("- late\n- lost")]
    #[case("\"late\" and \"lost\"")]
    #[case("\"late\", he said")]
    #[case("he said \"late\"")]
    #[case("<b>late</b> <i>lost</i>")]
    #[case("(late)")]
    #[case("…late")]
    #[case("~5 %")]
    fn a_text_is_kept_with_its_marks(#[case] text: &str) {
        let fields = extracted(&format!("Category: Refund\nConfidence: 0.9\nKey Evidence: {text}\nReasoning: {text}"));
        assert_eq!((fields[2].as_deref(), fields[3].as_deref()), (Some(text), Some(text)));
    }

    #[rstest]
    #[case("Category: Refunds\nConfidence: 0.9\nKey Evidence: x\nReasoning: y", 0)]
    #[case("Category: Refund, Other\nConfidence: 0.9\nKey Evidence: x\nReasoning: y", 0)]
    #[case("Category: C++\nConfidence: 0.9\nKey Evidence: x\nReasoning: y", 0)]
    #[case("Category: -C\nConfidence: 0.9\nKey Evidence: x\nReasoning: y", 0)]
    #[case("Category: Refund\nConfidence: -0.9\nKey Evidence: x\nReasoning: y", 1)]
    #[case("Category: Refund\nConfidence: <0.9\nKey Evidence: x\nReasoning: y", 1)]
    #[case("Category: Refund\nConfidence: 0,9\nKey Evidence: x\nReasoning: y", 1)]
    #[case("Category: Refund\nConfidence: 1 %\nKey Evidence: x\nReasoning: y", 1)]
    #[case("Category: Refund\nConfidence: 0.9\nKey Evidence: \"\"\nReasoning: y", 2)]
    #[case("Category: Refund\nConfidence: 1.5\nKey Evidence: x\nReasoning: y", 1)]
    #[case("Category: Refund\nConfidence: 90%\nKey Evidence: x\nReasoning: y", 1)]
    #[case("Category: Refund\nConfidence: 0.9\nKey Evidence:\nReasoning: y", 2)]
    fn a_value_that_is_not_allowed_is_absent(#[case] answer: &str, #[case] absent: usize) {
        let fields = extracted(answer);
        let missing: Vec<usize> =
            fields.iter().enumerate().filter(|(_, field)| field.is_none()).map(|(at, _)| at).collect();
        assert_eq!(missing, [absent], "{fields:?}");
    }
}
