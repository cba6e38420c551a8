//! Checks of the options for answers: the format against the prompts, and the names of the columns against each other.

use super::field_room::field_problem;
use super::{Resolved, added_columns};
use crate::columns::{Column, INPUT, RECORD_ID};
use crate::input::{ResponseFormat, RunRequest};
use crate::model::{ModelTable, effective_prefill, structured_output_problems};
use crate::problem::{Problem, listed};
use crate::prompt::{NamedPrompt, Prompt, PromptPlan, SchemaType};
use std::collections::{BTreeMap, BTreeSet};

/// Returns the problems of the request's `response_format` with `prompts`.
fn format_problems(request: &RunRequest, prompts: &PromptPlan) -> Vec<Problem> {
    let ids = |is_wrong: fn(&Prompt) -> bool| {
        let wrong = prompts.prompts.iter().filter(|named| is_wrong(&named.prompt));
        wrong.map(|named| named.id.as_str()).collect::<Vec<_>>()
    };
    let (format, wrong, rule, remedy) = match request.answers.response_format {
        Some(ResponseFormat::Structured) => (
            "structured",
            ids(|prompt| prompt.output_schema.is_none() && prompt.response_schema.is_none()),
            "define no fields",
            "add a `response_schema`, or use another format",
        ),
        Some(ResponseFormat::Json) => (
            "json",
            ids(|prompt| prompt.output_schema.as_ref().is_some_and(|schema| schema.schema_type == SchemaType::Regex)),
            "have an `output_schema` of type \"regex\", which reads text",
            "leave it out, or use `structured`",
        ),
        Some(ResponseFormat::Text) | None => return Vec::new(),
    };
    if wrong.is_empty() {
        return Vec::new();
    }
    vec![Problem::new("response_format", format, format!("the prompts {} {rule}", listed(&wrong))).remedy(remedy)]
}

/// Returns the problems of options that the model does not have, because its answers are embeddings.
pub(super) fn embedding_problems(request: &RunRequest, resolved: &Resolved) -> Vec<Problem> {
    let options = &request.answers;
    let given = [("response_format", options.response_format.is_some()), ("enforce_schema", options.enforce_schema)];
    let given = given.into_iter().filter(|(_, given)| *given && resolved.model.family.is_embedding());
    let problems = given.map(|(field, _)| {
        let rule = "is for text models, but the answers of this model are embeddings";
        Problem::without_value(field, rule).remedy("leave it out")
    });
    problems.collect()
}

/// Returns the problems of the options for answers with the prompts of the request, all of which are sent.
pub fn answer_problems(request: &RunRequest, resolved: &Resolved) -> Vec<Problem> {
    let mut problems = format_problems(request, &resolved.prompts);
    if request.answers.enforce_schema && !resolved.model.family.is_embedding() {
        problems.extend(enforcement_problems(request, &resolved.prompts));
    }
    problems.extend(repeated_columns(resolved));
    problems.extend(field_problem(&resolved.prompts));
    problems
}

/// Returns the reasons why the schemas of `prompts` cannot be enforced.
fn enforcement_problems(request: &RunRequest, prompts: &PromptPlan) -> Vec<Problem> {
    let mut problems = Vec::new();
    for NamedPrompt { id, prompt } in &prompts.prompts {
        let field = |field: &str| format!("prompt `{id}`, {field}");
        match prompt.response_schema.as_ref().filter(|schema| schema.is_object()) {
            Some(schema) => {
                let found = structured_output_problems(schema).into_iter();
                problems.extend(found.map(|problem| Problem { field: field(&problem.field), ..problem }));
            }
            None => {
                let rule = "is required with enforce_schema: it is what the answers are made to match";
                problems.push(Problem::without_value(field("response_schema"), rule).remedy("add one"));
            }
        }
        if prompt.rows.is_some() {
            let rule =
                "cannot be combined with enforce_schema: the answer is a list, and the schema is that of one element";
            problems.push(Problem::without_value(field("rows"), rule).remedy("leave out enforce_schema"));
        }
        if effective_prefill(&request.inference, prompt.prefill.as_deref()).is_some() {
            let rule = "cannot be combined with enforce_schema: the model begins the answer itself";
            problems.push(Problem::without_value(field("prefill"), rule).remedy("leave it out, also of inference"));
        }
    }
    problems
}

/// Returns the problems of the models that records with schemas may be sent to.
pub(super) fn enforcing_model_problems(request: &RunRequest, resolved: &Resolved, models: &ModelTable) -> Vec<Problem> {
    if !request.answers.enforce_schema || resolved.model.family.is_embedding() {
        return Vec::new();
    }
    let fallback = resolved.on_demand.fallback.as_ref().map(|model| ("fallback_model_id", model));
    let used = std::iter::once(("model_id", &resolved.model)).chain(fallback);
    let problems = used.filter(|(_, model)| !model.structured_output).map(|(field, model)| {
        let rule = "is not known to have structured outputs, but enforce_schema is true";
        let remedy = format!(
            "leave out enforce_schema (answers are checked all the same), or choose one that begins with {}; others can be \
             marked in infra/model-overrides.toml",
            models.listed_with_structured_output()
        );
        Problem::new(field, &model.id, rule).remedy(remedy)
    });
    problems.collect()
}

/// Returns a problem for each name that several of the added columns would have.
fn repeated_columns(resolved: &Resolved) -> Vec<Problem> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::from([(RECORD_ID.to_owned(), 1)]);
    for name in added_columns(resolved) {
        *counts.entry(name).or_default() += 1;
    }
    let repeated = counts.into_iter().filter(|(_, count)| *count > 1).map(|(name, count)| {
        let rule = format!("{count} of the columns that the run adds would have this name");
        let remedy = match &resolved.output_column_prefix {
            Some(_) => "choose another output_column_prefix, or rename the field of the prompt",
            None => "rename the field of the prompt, or the prompt",
        };
        Problem::without_value(format!("column `{name}`"), rule).remedy(remedy)
    });
    repeated.collect()
}

/// Returns those of [`prefix_problems`] that are certain before the rows are read. If only the rows determine which prompts are
/// sent, the columns of fields are not.
pub fn certain_prefix_problems(resolved: &Resolved, columns: &[Column]) -> Vec<Problem> {
    if !resolved.prompts.names_prompts_by_row() {
        return prefix_problems(resolved, columns);
    }
    let prompts = resolved.prompts.clone().restricted_to(&BTreeSet::new());
    prefix_problems(&Resolved { prompts, ..resolved.clone() }, columns)
}

/// Returns a problem for each column of the input itself whose name an added column with a prefix takes. Without a prefix,
/// and for columns of earlier stages, the older column is renamed.
pub fn prefix_problems(resolved: &Resolved, columns: &[Column]) -> Vec<Problem> {
    let Some(prefix) = &resolved.output_column_prefix else { return Vec::new() };
    let added: BTreeSet<String> = added_columns(resolved).into_iter().collect();
    let taken = columns.iter().filter(|column| column.origin == INPUT && added.contains(&column.name));
    let taken: Vec<&str> = taken.map(|column| column.name.as_str()).collect();
    if taken.is_empty() {
        return Vec::new();
    }
    let rule = format!("the input already has the columns {}, which the run would add", listed(&taken));
    let remedy = "choose another prefix, or rename those columns with column_mappings";
    vec![Problem::new("output_column_prefix", prefix, rule).remedy(remedy)]
}

#[cfg(test)]
mod tests;
