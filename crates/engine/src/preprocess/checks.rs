//! What can be checked of an input once its columns are known.

use crate::rows::cell_text::as_text;
use arrow_array::new_empty_array;
use arrow_schema::Schema;
use bedrock_batch_domain::columns::INTERNAL;
use bedrock_batch_domain::input::RunRequest;
use bedrock_batch_domain::model::{Model, ModelTable, Profiles};
use bedrock_batch_domain::plan::OnDemand;
use bedrock_batch_domain::problem::{Problem, listed, nearest};
use bedrock_batch_domain::prompt::{Prompt, Template};
use std::collections::BTreeMap;

/// The column that embedding models read.
pub(super) const EMBEDDING_INPUT: &str = "input_text";

/// The prompt that the request names, if it suits the model.
pub(super) fn prompt_for(
    model: Option<&Model>,
    prompt_id: Option<&str>,
    prompts: &BTreeMap<String, Prompt>,
) -> Result<Option<Prompt>, Problem> {
    let embedding = model.map(|model| model.family.is_embedding());
    match (prompt_id, embedding) {
        (Some(id), Some(true)) => {
            let rule = "an embedding model takes no prompt: it reads the column `input_text`";
            Err(Problem::new("prompt_id", id, rule).remedy("leave it out, or null"))
        }
        (None, Some(false)) => {
            let known: Vec<&str> = prompts.keys().map(String::as_str).collect();
            let rule = "is required for a text model";
            Err(Problem::without_value("prompt_id", rule).remedy(format!("there are {}", listed(&known))))
        }
        (Some(id), _) => match prompts.get(id) {
            Some(prompt) => Ok(Some(prompt.clone())),
            None => {
                let remedy = nearest(id, prompts.keys().map(String::as_str));
                Err(Problem::new("prompt_id", id, "there is no prompt template of this name").remedy(remedy))
            }
        },
        (None, _) => Ok(None),
    }
}

/// How the model is asked on demand, and what is wrong with the request in that.
pub(super) fn on_demand_of(
    request: &RunRequest,
    batch: &Model,
    models: &ModelTable,
    region: &str,
) -> (Option<OnDemand>, Vec<Problem>) {
    let asking = &request.asking;
    let mut problems = Vec::new();
    let least = u64::from(batch.limits.min_records_per_job);
    if let Some(threshold) = asking.batch_threshold.filter(|threshold| *threshold < least) {
        let rule = format!("must be at least {least}, this model's minimum per batch job");
        problems.push(Problem::new("batch_threshold", threshold, rule));
    }
    let required_models = asking.inference_profile_required_models.as_deref();
    let profiles = Profiles { region, arn: asking.inference_profile_arn.as_deref(), required_models };
    let model = models.on_demand("model_id", &request.model_id, profiles);
    let mut fallback = None;
    if let Some(id) = &asking.fallback_model_id {
        // The profile that the request names is one of the first model.
        match models.on_demand("fallback_model_id", id, Profiles { arn: None, ..profiles }) {
            Ok(found) if found.family == batch.family => fallback = Some(found),
            Ok(found) => {
                let [theirs, ours] = [found.family, batch.family].map(|family| format!("{family:?}"));
                let rule = format!("is of the family {theirs}, and the records are written for {ours}");
                problems.push(Problem::new("fallback_model_id", id, rule).remedy(format!("name a model of {ours}")));
            }
            Err(problem) => problems.push(problem),
        }
    }
    match model {
        Ok(model) => (Some(OnDemand { model, fallback }), problems),
        Err(problem) => (None, problems.into_iter().chain([problem]).collect()),
    }
}

/// The template that shows a row to the model: the prompt's, or for embeddings the bare input column.
pub(super) fn template_of(prompt: Option<&Prompt>) -> Result<Template, Problem> {
    let template = match prompt {
        Some(prompt) => prompt.parsed_template(),
        None => Template::parse(&format!("{{{EMBEDDING_INPUT}}}")),
    };
    template.map_err(|rule| Problem::without_value("prompt_id", rule))
}

/// Columns that a CSV cannot hold, found before anything is paid for.
pub(super) fn columns_without_text(schema: &Schema) -> Vec<Problem> {
    let without = schema.fields().iter().filter(|field| as_text(&new_empty_array(field.data_type())).is_err());
    let problem = without.map(|field| {
        let rule = format!("its type, {}, cannot be written as CSV", field.data_type());
        Problem::without_value(format!("column `{}`", field.name()), rule)
            .remedy("leave `csv` out of output_formats, or the column out of the input")
    });
    problem.collect()
}

/// What is wrong with the input's columns.
pub(super) fn column_problems(
    prompt_id: Option<&str>,
    template: Option<&Template>,
    columns: &[String],
) -> Vec<Problem> {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut problems = Vec::new();
    for missing in template.iter().flat_map(|t| t.columns()).filter(|name| !names.contains(name)) {
        let rule = match prompt_id {
            Some(id) => format!("the prompt `{id}` needs this column, and the input has no such"),
            None => "embedding models read this column, and the input has no such".to_owned(),
        };
        let remedy = format!("the columns are {}", listed(&names));
        problems.push(Problem::without_value(format!("column `{missing}`"), rule).remedy(remedy));
    }
    for internal in INTERNAL.iter().filter(|internal| names.contains(internal)) {
        let rule = "this column name is used by the orchestrator itself";
        problems.push(Problem::without_value(format!("column `{internal}`"), rule).remedy("rename it"));
    }
    problems
}
