//! Generated prompt that a request names in place of a prompt: `prompt_templates`, `validation_schema`, `input_data_column`.

use super::Fields;
use super::rows::is_valid_uri;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// Column that `{input_data}` shows by default.
const DEFAULT_INPUT_DATA_COLUMN: &str = "input_text";

/// Addresses of a generated prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateSource {
    /// Address of a `prompts.json`, or of its folder.
    pub prompt_templates: String,
    /// Address of a schema of the answers, or of a folder of such schemas, of which the newest counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_schema: Option<String>,
    /// Column that `{input_data}` shows.
    pub input_data_column: String,
}

impl TemplateSource {
    /// Name of the field of the prompt.
    pub const PROMPT_TEMPLATES: &'static str = "prompt_templates";
    /// Name of the field of the schema.
    pub const VALIDATION_SCHEMA: &'static str = "validation_schema";
    /// Name of the field of the column.
    pub const INPUT_DATA_COLUMN: &'static str = "input_data_column";
    /// Names of all fields.
    pub const FIELDS: [&'static str; 3] = [Self::PROMPT_TEMPLATES, Self::VALIDATION_SCHEMA, Self::INPUT_DATA_COLUMN];
}

/// Reads the fields of a generated prompt: `None` if they are absent, and `Some(None)` if they have mistakes, which are noted.
#[expect(clippy::option_option, reason = "an absent prompt differs from one with mistakes")]
pub(super) fn read_templates(fields: &mut Fields<'_>) -> Option<Option<TemplateSource>> {
    let templates = read_address(fields, TemplateSource::PROMPT_TEMPLATES);
    let schema = read_address(fields, TemplateSource::VALIDATION_SCHEMA);
    let column = read_column(fields);
    let Some(templates) = templates else {
        for field in [TemplateSource::VALIDATION_SCHEMA, TemplateSource::INPUT_DATA_COLUMN] {
            if fields.value(field).is_some() {
                let rule = "is only allowed with prompt_templates";
                fields.note(Problem::without_value(fields.name(field), rule).remedy("leave it out"));
            }
        }
        return None;
    };
    let source = match (templates, schema, column) {
        (Some(prompt_templates), schema, Some(input_data_column)) if schema != Some(None) => {
            Some(TemplateSource { prompt_templates, validation_schema: schema.flatten(), input_data_column })
        }
        _ => None,
    };
    Some(source)
}

/// Reads an address: `None` if it is absent, and `Some(None)` if it is invalid.
#[expect(clippy::option_option, reason = "an absent address differs from an invalid one")]
fn read_address(fields: &mut Fields<'_>, field: &'static str) -> Option<Option<String>> {
    fields.value(field)?;
    Some(fields.required_text(field).filter(|uri| is_valid_uri(fields, field, uri)).map(str::to_owned))
}

/// Reads the name of the column; returns `None` if it is invalid.
fn read_column(fields: &mut Fields<'_>) -> Option<String> {
    const FIELD: &str = TemplateSource::INPUT_DATA_COLUMN;
    if fields.value(FIELD).is_none() {
        return Some(DEFAULT_INPUT_DATA_COLUMN.to_owned());
    }
    let name = fields.required_text(FIELD)?;
    if name.contains(['{', '}']) {
        let rule = "must be the name of a column without braces";
        fields.note(Problem::new(fields.name(FIELD), name, rule).remedy("rename the column with `column_mappings`"));
        return None;
    }
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn read(input: &Value) -> (Option<TemplateSource>, Vec<String>) {
        let mut fields = Fields::new("stages[1]", input.as_object().unwrap());
        let source = read_templates(&mut fields).flatten();
        (source, fields.finish().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn only_the_prompt_is_required() {
        assert_eq!(read(&json!({"prompt_templates": null, "validation_schema": null})), (None, vec![]));
        let (source, problems) = read(&json!({"prompt_templates": "s3://lake/t/"}));
        let source = source.unwrap();
        assert_eq!((problems, source.input_data_column.as_str()), (vec![], "input_text"));
        let stored = serde_json::to_value(&source).unwrap();
        assert_eq!(stored, json!({"prompt_templates": "s3://lake/t/", "input_data_column": "input_text"}));
        let all = json!({"prompt_templates": "s3://lake/t/prompts.json", "validation_schema": "s3://lake/s/",
            "input_data_column": "Text of it"});
        assert_eq!(serde_json::to_value(read(&all).0.unwrap()).unwrap(), all);
    }

    #[rstest]
    #[case(json!({"prompt_templates": 7}), "stages[1].prompt_templates is `7`: must be a text")]
    #[case(json!({"prompt_templates": " "}), "stages[1].prompt_templates: is required and must not be empty")]
    #[case(json!({"prompt_templates": "templates/"}), "stages[1].prompt_templates is `templates/`: must look like `s3://bucket/path`")]
    #[case(json!({"prompt_templates": "s3://bucket-YOUR_ACCOUNT_ID/t/"}), "still contains the placeholder YOUR_ACCOUNT_ID")]
    #[case(json!({"prompt_templates": "s3://lake/t/", "validation_schema": "schema"}), "stages[1].validation_schema is `schema`: must look like")]
    #[case(json!({"prompt_templates": "s3://lake/t/", "validation_schema": {}}), "stages[1].validation_schema is `{}`: must be a text")]
    #[case(json!({"prompt_templates": "s3://lake/t/", "input_data_column": "{a}"}), "stages[1].input_data_column is `{a}`: must be the name of a column without braces; rename the column with `column_mappings`")]
    #[case(json!({"prompt_templates": "s3://lake/t/", "input_data_column": ""}), "stages[1].input_data_column: is required and must not be empty")]
    #[case(json!({"validation_schema": "s3://lake/s/"}), "stages[1].validation_schema: is only allowed with prompt_templates; leave it out")]
    #[case(json!({"input_data_column": "a"}), "stages[1].input_data_column: is only allowed with prompt_templates; leave it out")]
    fn each_mistake_is_reported_with_its_rule(#[case] input: Value, #[case] expected: &str) {
        let (source, problems) = read(&input);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(expected), "{problems:?}");
        assert_eq!(source, None);
    }
}
