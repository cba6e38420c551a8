//! Use of generated prompts: `prompts.json` and `validation_schema_<time>.json`, as `bedrock-batch prompts generate` and others
//! write them, become one prompt of a run.
//!
//! [`prompts_object`] and [`SchemaPlace`] find the files that an input names, [`SchemaFile`] the newest of several schemas,
//! and [`generated_prompt`] reads them, with all their problems at once.

mod answer_schema;
mod file;
mod place;
mod prompts_file;
mod schema_file;
mod template_text;

pub use file::{MAX_TEMPLATE_FILE_BYTES, TemplateFile};
pub use place::{PROMPTS_JSON, SchemaPlace, prompts_object};
pub use schema_file::{SCHEMA_PREFIX, SchemaFile};

use crate::input::{MAX_INLINE_PROMPT_BYTES, TemplateSource};
use crate::problem::{Problem, Problems};
use crate::prompt::Prompt;
use answer_schema::AnswerSchema;
use prompts_file::GeneratedTexts;
use std::collections::BTreeMap;
use template_text::USER_PROMPT_TEMPLATE;

/// Returns the prompt that the files contain, or `None` if its texts are not known, so that only the schema was checked.
/// `{input_data}` shows `input_data_column`.
///
/// # Errors
/// Returns all problems of both files.
pub fn generated_prompt(
    prompts: Option<&TemplateFile<'_>>,
    schema: Option<&TemplateFile<'_>>,
    input_data_column: &str,
) -> Result<Option<Prompt>, Problems> {
    let mut problems = Vec::new();
    let texts = prompts.map(|file| GeneratedTexts::read(file, input_data_column));
    let texts = texts.and_then(|read| read.map_err(|found| problems.extend(found)).ok());
    let answers = schema.map(AnswerSchema::read);
    let answers = answers.and_then(|read| read.map_err(|found| problems.extend(found)).ok());
    Problems::check(problems)?;
    let texts = texts.unwrap_or_else(GeneratedTexts::unknown);
    let (output_schema, response_schema) =
        answers.map(|answers| (answers.output_schema, answers.response_schema)).unzip();
    let name = |file: &TemplateFile<'_>| file.name.to_owned();
    let names: Vec<String> = prompts.into_iter().chain(schema).map(name).collect();
    let prompt = Prompt {
        description: format!("Generated: {}.", names.join(", with answers as in ")),
        template: texts.template,
        system: texts.system,
        prefill: None,
        output_schema,
        response_schema: response_schema.flatten(),
        allowed_values: BTreeMap::new(),
        rows: None,
    };
    Problems::check(problems_of(&prompt, prompts, schema))?;
    Ok(prompts.map(|_| prompt))
}

/// Returns the problems of the whole prompt, each with the file and the member that it comes from.
fn problems_of(prompt: &Prompt, prompts: Option<&TemplateFile<'_>>, schema: Option<&TemplateFile<'_>>) -> Vec<Problem> {
    let placed = |problem: Problem| {
        let field = if problem.field == "template" {
            prompts.map(|file| file.field(USER_PROMPT_TEMPLATE))
        } else {
            let name = problem.field.strip_prefix("output_schema.fields.");
            let member = name.map(|name| format!("properties.{name}")).unwrap_or_default();
            schema.map(|file| file.field(&member))
        };
        match field {
            Some(field) => problem.of_field(field),
            None => problem,
        }
    };
    let mut problems: Vec<Problem> = prompt.problems().into_iter().map(placed).collect();
    let bytes = serde_json::to_string(prompt).map_or(0, |text| text.len());
    if bytes > MAX_INLINE_PROMPT_BYTES {
        let rule = format!("makes a prompt of {bytes} bytes; a prompt has at most {MAX_INLINE_PROMPT_BYTES}");
        let problem = Problem::without_value(TemplateSource::PROMPT_TEMPLATES, rule);
        problems.push(problem.remedy("shorten the definitions, or split the categories"));
    }
    problems
}

#[cfg(test)]
mod tests;
