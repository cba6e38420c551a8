//! Prompt with its checks: a file in TOML that is named after its `prompt_id`, or an object in the JSON of an input.

use super::rows_part::schema_problems;
use super::template::{DOUBLE_THE_BRACE, looks_like_json};
use super::toml_problem::toml_problem;
use super::{OutputSchema, ROWS, RowsPart, Template};
use crate::extract::Extractor;
use crate::problem::{Problem, Problems, listed, nearest};
use crate::reference::ValueSource;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Prompt template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Purpose of the prompt, for humans.
    pub description: String,
    /// Text of the user message, with `{column}` placeholders.
    pub template: String,
    /// System prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Beginning of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill: Option<String>,
    /// Fields to extract from an answer; each becomes a column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<OutputSchema>,
    /// JSON Schema that the JSON value of an answer must match. Without an `output_schema`, it defines the fields. `true`
    /// without an `output_schema` requires JSON and defines no fields; only runs replace a prompt's own schema by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_schema: Option<Value>,
    /// Sources of the values that fields may have, by field: `reference.name.column`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub allowed_values: BTreeMap<String, String>,
    /// Part that is repeated for each row of a request; without it, a request has one row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowsPart>,
}

impl Prompt {
    /// Parses the content of a template file.
    ///
    /// # Errors
    /// Returns a description of the problems for the author of the file.
    pub fn parse(toml_text: &str) -> Result<Self, String> {
        let mut prompt: Self = toml::from_str(toml_text).map_err(|error| toml_problem(&error, toml_text))?;
        if let Some(schema) = &mut prompt.output_schema {
            schema.put_in_order(toml_text);
        }
        let problems = prompt.problems();
        if !problems.is_empty() {
            return Err(problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"));
        }
        Ok(prompt)
    }

    /// Returns all problems of the prompt, wherever it was written. Their fields are relative to it.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = template_problems("template", &self.template);
        if let Some(rows) = &self.rows {
            problems.extend(template_problems("rows.template", &rows.template));
            if problems.is_empty() {
                problems.extend(rows.template_problems(&self.template));
            }
            problems.extend(schema_problems(self.output_schema.as_ref(), self.response_schema.as_ref()));
        }
        if self.output_schema.is_none() && self.response_schema == Some(Value::Bool(true)) {
            problems.push(Problem::new("response_schema", true, "must be an object: a JSON Schema"));
        }
        let fields = match self.extractor() {
            Ok(extractor) => Some(extractor.map_or_else(Vec::new, |extractor| extractor.names().to_vec())),
            Err(found) => {
                problems.extend(found.as_slice().iter().cloned());
                None
            }
        };
        problems.extend(allowed_value_problems(&self.allowed_values, fields.as_deref()));
        problems
    }

    /// Returns the parsed template.
    ///
    /// # Errors
    /// Returns an error like [`Template::parse`].
    pub fn parsed_template(&self) -> Result<Template, String> {
        Template::parse(&self.template).map_err(|error| format!("`template` has {error}"))
    }

    /// Returns the columns whose cells the prompt inserts. A template with mistakes has none.
    pub fn columns(&self) -> BTreeSet<String> {
        match &self.rows {
            Some(rows) => {
                let mut columns = rows.columns();
                let around = self.parsed_template();
                let around = around.iter().flat_map(Template::columns).filter(|name| *name != ROWS);
                columns.extend(around.map(str::to_owned));
                columns
            }
            None => self.parsed_template().iter().flat_map(Template::columns).map(str::to_owned).collect(),
        }
    }

    /// Returns the extractor of the fields of answers, or `None` if the template defines no fields.
    ///
    /// # Errors
    /// Returns all problems of `output_schema` and `response_schema`.
    pub fn extractor(&self) -> Result<Option<Extractor>, Problems> {
        match (&self.output_schema, &self.response_schema) {
            (Some(schema), response_schema) => Extractor::new(schema, response_schema.as_ref()).map(Some),
            (None, Some(Value::Bool(true))) => Ok(Some(Extractor::of_any_json())),
            (None, Some(response_schema)) => Extractor::of_model(response_schema).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// Returns the problems of `allowed_values` that do not depend on the references of a request. `fields` are those of the prompt, if
/// they have no mistakes.
fn allowed_value_problems(sources: &BTreeMap<String, String>, fields: Option<&[String]>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (field, source) in sources {
        let path = format!("allowed_values.{field}");
        if let Some(fields) = fields.filter(|fields| !fields.contains(field)) {
            let rule = "is not a field of the answers to this prompt";
            problems
                .push(Problem::without_value(&path, rule).remedy(nearest(field, fields.iter().map(String::as_str))));
        }
        if let Err(rule) = ValueSource::parse(source) {
            problems.push(Problem::new(&path, source, rule));
        }
    }
    problems
}

fn template_problems(field: &str, text: &str) -> Vec<Problem> {
    if text.trim().is_empty() {
        return vec![Problem::without_value(field, "is empty").remedy("write the text of the user message")];
    }
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(mistake) => {
            return vec![Problem::new(field, text, format!("has {}", mistake.rule)).remedy(mistake.remedy)];
        }
    };
    // Not a mistake for `Template::parse`, since plans of earlier versions may contain such a column.
    let objects = template.columns().into_iter().filter(|name| looks_like_json(name)).map(|name| {
        let rule = format!("has a placeholder for the column {}, which looks like JSON", listed(&[name]));
        Problem::new(field, text, rule).remedy(DOUBLE_THE_BRACE)
    });
    objects.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_template_file_is_parsed() {
        let prompt = Prompt::parse("description = \"d\"\ntemplate = \"Hi {name}\"\nsystem = \"Be brief.\"").unwrap();
        assert_eq!(prompt.system.as_deref(), Some("Be brief."));
    }

    #[test]
    fn mistakes_are_reported() {
        let unknown = Prompt::parse("description = \"d\"\ntemplate = \"x\"\ntemplates = \"y\"").unwrap_err();
        assert!(unknown.contains("templates"), "{unknown}");
        let lone = Prompt::parse("description = \"d\"\ntemplate = \"x {\"").unwrap_err();
        assert!(lone.starts_with("template is `x {`: has a `{` at line 1, column 3"), "{lone}");
        assert!(Prompt::parse("description = \"d\"\ntemplate = \" \"").is_err());
    }

    #[rstest]
    #[case(
        "type = \"json\"\nfields = { a = \"a\" }",
        "output_schema.fields.a is `a`: is not a JSONPath: it must begin with `$`"
    )]
    #[case("type = \"json\"\nfields = { a = \"$.a[\" }", "output_schema.fields.a is `$.a[`: is not a valid JSONPath: ")]
    #[case(
        "type = \"regex\"\nfields = { a = \"(\" }",
        "output_schema.fields.a is `(`: is not a valid regular expression: "
    )]
    #[case("type = \"json\"\nfields = {}", "output_schema.fields: must name at least one field")]
    #[case(
        "type = \"json\"\nfields = { response = \"$.a\" }",
        "output_schema.fields.response: is the name of a column"
    )]
    #[case(
        "type = \"json\"\nfields = { prompt_id = \"$.a\" }",
        "output_schema.fields.prompt_id: is the name of a column"
    )]
    #[case("type = \"json\"\nfields = { \" a\" = \"$.a\" }", "output_schema.fields. a: is not a valid column name")]
    #[case("type = \"json\"\nfields = [[\"a\", \"$.a\"], [\"a\", \"$.b\"]]", "output_schema.fields.a: is named twice")]
    #[case("type = \"json\"\nfields = { a = 1 }", "invalid type: integer `1`, expected a string")]
    #[case("type = \"json\"\nfields = \"$.a\"", "expected a table of names and texts")]
    #[case("type = \"xml\"\nfields = { a = \"$.a\" }", "unknown variant `xml`, expected `json` or `regex`")]
    #[case("type = \"json\"\nfield = { a = \"$.a\" }", "unknown field `field`")]
    #[case("type = \"json\"", "missing field `fields`")]
    #[case(
        "type = \"regex\"\nfields = { a = \"a\" }\n[response_schema]",
        "response_schema: is only allowed with an `output_schema` of type \"json\""
    )]
    #[case(
        "type = \"json\"\nfields = { a = \"$\" }\n[response_schema]\ntype = \"objekt\"",
        "response_schema: is not a valid JSON Schema at /type: "
    )]
    #[case(
        "type = \"json\"\nfields = { a = \"$\" }\n[response_schema]\npattern = \"(\"",
        "response_schema: is not a valid JSON Schema"
    )]
    #[case(
        "type = \"json\"\nfields = { a = \"$\" }\n[response_schema]\n\"$ref\" = \"https://example.com/a\"",
        "response_schema: is not a valid JSON Schema"
    )]
    #[case(
        "type = \"json\"\nfields = { a = \"$\" }\n[response_schema]\n\"$ref\" = \"file:///etc/passwd\"",
        "response_schema: is not a valid JSON Schema"
    )]
    fn mistakes_in_schemas_are_reported_with_their_field(#[case] schema: &str, #[case] expected: &str) {
        let toml = format!("description = \"d\"\ntemplate = \"t\"\n[output_schema]\n{schema}");
        let error = Prompt::parse(&toml).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let toml = "description = \"d\"\ntemplate = \"t\"\n[output_schema]\ntype = \"json\"\n\
            fields = { b = \"x\", error = \"$.\" }\n[response_schema]\ntype = 1";
        let error = Prompt::parse(toml).unwrap_err();
        let places: Vec<&str> = error.lines().filter_map(|line| line.split([' ', ':']).next()).collect();
        assert_eq!(
            places,
            ["output_schema.fields.error", "output_schema.fields.b", "output_schema.fields.error", "response_schema"]
        );
    }

    #[test]
    fn a_placeholder_that_looks_like_json_is_reported_with_its_remedy() {
        let error = Prompt::parse("description = \"d\"\ntemplate = 'Answer {\"label\": \"x\"}'").unwrap_err();
        assert!(error.starts_with("template is `Answer {\"label\": \"x\"}`: has a placeholder"), "{error}");
        assert!(error.ends_with("which looks like JSON; write `{{` for a brace, and `}}` for its end"), "{error}");
        let nested = Prompt::parse("description = \"d\"\ntemplate = '{\"a\": {\"b\": 1}}'").unwrap_err();
        assert!(nested.ends_with("write `{{` for a brace, and `}}` for its end"), "{nested}");
    }

    #[rstest]
    #[case::no_object("type = \"array\"", "response_schema: describes no object with `properties`")]
    #[case::no_properties("type = \"object\"", "response_schema: describes no object with `properties`")]
    #[case::answer_column(
        "properties = { error = { type = \"string\" } }",
        "response_schema, column `error` of `error`: is the name of a column that every output has"
    )]
    #[case::two_properties(
        "properties = { a_b = { type = \"string\" }, a = { properties = { b = { type = \"string\" } } } }",
        "response_schema, column `a_b` of `a_b`: is also the column of `a.b`; rename the property"
    )]
    #[case::elsewhere(
        "properties = { a = { \"$ref\" = \"https://example.com/a\" } }",
        "response_schema.properties.a.$ref is `https://example.com/a`: refers to another document"
    )]
    #[case::unknown_keyword(
        "properties = { a = { type = \"integer\", maximun = 5 } }",
        "response_schema.properties.a.maximun: is not a keyword of JSON Schema"
    )]
    #[case::wrong_type(
        "properties = { a = { type = \"text\" } }",
        "response_schema: is not a valid JSON Schema at /properties/a/type: "
    )]
    #[case::alias(
        "properties = { a = { enum = [\"x\"], x-aliases = { y = \"z\" } } }",
        "response_schema, x-aliases of `a`.y is `z`: must be one of the texts in `enum`"
    )]
    fn mistakes_in_response_models_are_reported_once(#[case] schema: &str, #[case] expected: &str) {
        let error = Prompt::parse(&format!("description = \"d\"\ntemplate = \"t\"\n[response_schema]\n{schema}"));
        let error = error.unwrap_err();
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }

    #[rstest]
    #[case(
        "cod = \"reference.codes.Code\"",
        "allowed_values.cod: is not a field of the answers to this prompt; did you mean `code`?"
    )]
    #[case("code = \"codes.Code\"", "allowed_values.code is `codes.Code`: must look like `reference.name.column`")]
    #[case("code = 7", "invalid type: integer `7`, expected a string")]
    fn mistakes_in_allowed_values_are_reported(#[case] allowed: &str, #[case] expected: &str) {
        let fields = "[output_schema]\ntype = \"json\"\nfields = { code = \"$.code\" }";
        let toml = format!("description = \"d\"\ntemplate = \"t\"\n{fields}\n[allowed_values]\n{allowed}");
        let error = Prompt::parse(&toml).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn all_mistakes_of_a_response_model_are_reported_at_once() {
        let schema = "[response_schema.properties]\nerror = { type = \"string\", maxlen = 1 }\n\
            b = { \"$ref\" = \"x\" }\nc = { x-aliases = { d = \"e\" } }";
        let error = Prompt::parse(&format!("description = \"d\"\ntemplate = \"\"\n{schema}")).unwrap_err();
        assert_eq!(error.lines().count(), 5, "{error}");
    }
}
