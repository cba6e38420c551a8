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
use template_text::USER_PROMPT_TEMPLATE;

/// Returns the prompt that the files contain. `{input_data}` shows `input_data_column`.
///
/// # Errors
/// Returns all problems of both files.
pub fn generated_prompt(
    prompts: &TemplateFile<'_>,
    schema: Option<&TemplateFile<'_>>,
    input_data_column: &str,
) -> Result<Prompt, Problems> {
    let mut problems = Vec::new();
    let texts = GeneratedTexts::read(prompts, input_data_column).map_err(|found| problems.extend(found)).ok();
    let answers = schema.map(|file| AnswerSchema::read(file).map_err(|found| problems.extend(found)));
    Problems::check(problems)?;
    let (texts, answers) = (texts.unwrap_or_default(), answers.and_then(Result::ok));
    let description = match schema {
        Some(schema) => format!("Generated: {}, with answers as in {}.", prompts.name, schema.name),
        None => format!("Generated: {}.", prompts.name),
    };
    let (output_schema, response_schema) = match answers {
        Some(AnswerSchema { output_schema, response_schema }) => (Some(output_schema), response_schema),
        None => (None, None),
    };
    let prompt = Prompt {
        description,
        template: texts.template,
        system: texts.system,
        prefill: None,
        output_schema,
        response_schema,
    };
    Problems::check(problems_of(&prompt, prompts, schema))?;
    Ok(prompt)
}

/// Returns the problems of the whole prompt, each with the file and the member that it comes from.
fn problems_of(prompt: &Prompt, prompts: &TemplateFile<'_>, schema: Option<&TemplateFile<'_>>) -> Vec<Problem> {
    let placed = |problem: Problem| {
        let member = problem.field.strip_prefix("output_schema.fields.").map(|name| format!("properties.{name}"));
        match schema {
            Some(schema) if problem.field != "template" => {
                let field = schema.field(member.as_deref().unwrap_or_default());
                problem.of_field(field)
            }
            _ => problem.of_field(prompts.field(USER_PROMPT_TEMPLATE)),
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
