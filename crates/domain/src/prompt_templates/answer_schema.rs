//! `validation_schema_<time>.json`: the fields of an answer, which become columns, and the schema that an answer must match.

use super::file::TemplateFile;
use crate::problem::Problem;
use crate::prompt::{OutputSchema, SchemaType};
use crate::prompt_generation::{Properties, path_of_member, patterns_of_answers};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Members beside the schema that are not part of it.
const OTHER_MEMBERS: [&str; 2] = ["processing_config", "template_metadata"];

/// Fields of the answers, and the schema that they must match.
#[derive(Debug, PartialEq)]
pub(super) struct AnswerSchema {
    pub(super) output_schema: OutputSchema,
    /// Schema of the JSON value in an answer; `None` for answers of lines, whose patterns hold what is allowed.
    pub(super) response_schema: Option<Value>,
}

/// The members whose order counts.
#[derive(Deserialize)]
struct Ordered {
    properties: Properties,
}

impl AnswerSchema {
    /// Reads a schema.
    ///
    /// # Errors
    /// Returns all problems of the file.
    pub(super) fn read(file: &TemplateFile<'_>) -> Result<Self, Vec<Problem>> {
        let mut schema = file.object().map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        let is_object =
            |value: &Value| value == "object" || value.as_array().is_some_and(|of| of.contains(&"object".into()));
        if let Some(other) = schema.get("type").filter(|value| !is_object(value)) {
            let rule = "must be `object`: an answer is one, with a member per column";
            problems.push(Problem::new(file.field("type"), shown(other), rule));
        }
        let has_properties = schema.get("properties").and_then(Value::as_object).is_some_and(|of| !of.is_empty());
        if !has_properties {
            let rule = "is required: an object with the fields of an answer, each with its schema";
            let problem = Problem::without_value(file.field("properties"), rule);
            problems.push(problem.remedy("name a schema that `bedrock-batch prompts generate` or a like tool wrote"));
        }
        let is_text = is_structured_text(file, &schema, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let ordered: Ordered = serde_json::from_slice(file.text())
            .map_err(|error| vec![Problem::without_value(file.field("properties"), error.to_string())])?;
        if is_text {
            let fields = patterns_of_answers(&ordered.properties);
            let output_schema = OutputSchema { schema_type: SchemaType::Regex, fields };
            return Ok(Self { output_schema, response_schema: None });
        }
        schema.retain(|member, _| !OTHER_MEMBERS.contains(&member.as_str()));
        let fields = ordered.properties.0.iter().map(|(name, _)| (name.clone(), path_of_member(name)));
        let output_schema = OutputSchema { schema_type: SchemaType::Json, fields: fields.collect() };
        Ok(Self { output_schema, response_schema: Some(Value::Object(schema)) })
    }
}

/// Returns true if an answer consists of lines, such as `Key Evidence: …`.
fn is_structured_text(file: &TemplateFile<'_>, schema: &Map<String, Value>, problems: &mut Vec<Problem>) -> bool {
    let config = schema.get("processing_config").and_then(Value::as_object);
    match config.and_then(|config| config.get("format_type")) {
        None | Some(Value::Null) => false,
        Some(name) if name == "structured_json" => false,
        Some(name) if name == "structured_text" => true,
        Some(other) => {
            let field = file.field("processing_config.format_type");
            problems.push(Problem::new(field, shown(other), "must be `structured_json` or `structured_text`"));
            false
        }
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
