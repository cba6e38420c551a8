//! Patterns that find the fields of an answer of the form `structured_text`.

use super::answer_fields::{AnswerField, FieldType};
use super::properties::Properties;
use regex::escape;
use serde_json::Value;

/// Marks that a model may write before a label or around a value, such as `**`. Listed one by one, as the complement of all
/// letters of Unicode makes patterns large.
const MARKS: &str = r"\t [:punct:]“”„«»‘’‚•–—…";

/// Returns the name and the pattern of each field. The names of the categories are part of the pattern of theirs, so that an
/// answer with another name has no category.
pub(super) fn text_patterns(fields: &[AnswerField], categories: &[&str]) -> Vec<(String, String)> {
    let labels: Vec<String> = fields.iter().map(|field| label_pattern(&field.label())).collect();
    let any = labels.join("|");
    let patterns = fields.iter().zip(&labels).map(|(field, label)| {
        let line = line_of(label);
        let pattern = match field.field_type {
            FieldType::Category => {
                // The longer of two names that begin alike comes first.
                let mut names: Vec<&str> = categories.to_vec();
                names.sort_by_key(|name| std::cmp::Reverse(name.len()));
                let names: Vec<String> = names.into_iter().map(escape).collect();
                format!(r"{line}({})[{MARKS}]*$", names.join("|"))
            }
            FieldType::Confidence => format!(r"{line}(0?\.\d+|0|1(?:\.0+)?)(?:[^\d.%]|\.\D|\.?$)"),
            FieldType::Text => format!(r"{line}((?s:.*?))\s*(?:{}|\z)", line_of(&any)),
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

/// Returns the pattern of the beginning of a line with one of `labels`, up to the value.
fn line_of(labels: &str) -> String {
    // A value may begin with a dot: `.5`.
    format!(r"^(?:[{MARKS}]*\d+[.)])?[{MARKS}]*(?:{labels})[ \t]*[*_`]*[ \t]*:[{MARKS}&&[^.]]*")
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

    fn extracted(answer: &str) -> Vec<Option<String>> {
        let fields = answer_fields(&OutputFormatConfig::default());
        let names = ["Refund", "Refund of fees", "C++ (bug)", "#1"];
        let schema = OutputSchema { schema_type: SchemaType::Regex, fields: text_patterns(&fields, &names) };
        let extractor = Extractor::new(&schema, None).unwrap();
        let Ok(values) = extractor.extract(answer, None) else { return Vec::new() };
        values.into_iter().map(|value| value.map(FieldValue::into_text)).collect()
    }

    #[rstest]
    #[case("Category: Refund\nConfidence: 0.9\nKey Evidence: \"money\nback\"\nReasoning: Because.", ["Refund", "0.9", "money\nback\"", "Because."])]
    #[case("1. **Category:** Refund of fees\n\n2. **Confidence**: 1.0\n\n3. Key_evidence: [fee]\n\n4. Reasoning: a\nb", ["Refund of fees", "1.0", "fee]", "a\nb"])]
    #[case("- category: `C++ (bug)`.\n- confidence: .5\n- key evidence: x\n- reasoning: y: z", ["C++ (bug)", ".5", "x", "y: z"])]
    #[case("Category: #1\nConfidence: 0 (a guess)\nKey Evidence: x\nReasoning: y", ["#1", "0", "x", "y"])]
    fn fields_are_found_however_the_answer_is_decorated(#[case] answer: &str, #[case] expected: [&str; 4]) {
        assert_eq!(extracted(answer), expected.map(|text| Some(text.to_owned())));
    }

    #[rstest]
    #[case("Category: Refunds\nConfidence: 0.9\nKey Evidence: x\nReasoning: y", 0)]
    #[case("Category: Refund, Other\nConfidence: 0.9\nKey Evidence: x\nReasoning: y", 0)]
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
