//! Check of a pipeline, stage by stage with the columns that flow between them, before any request is sent.

use super::{PipelineRequest, StageRows, stage};
use crate::check::{Catalog, Resolved, check_run, image_columns, output_columns};
use crate::columns::Column;
use crate::input::{ProcessingMode, RunRequest};
use crate::problem::Problem;
use crate::reference::Reference;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Result of checking a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipelineCheck {
    /// All problems.
    pub problems: Vec<Problem>,
    /// Columns that each stage reads, under the names that its prompts see; `None` if unknown, so that the columns of its
    /// prompts could not be checked.
    pub columns: Vec<Option<Vec<Column>>>,
    /// Names of the deployment's prompts in whose place stages use different ones of the pipeline.
    pub replaced: BTreeSet<String>,
    /// Minimum number of records of a batch job of each stage, if its model is known.
    pub min_records_per_job: Vec<Option<u32>>,
    /// Tokens that references add to each request of a stage, in words.
    pub reference_notes: Vec<String>,
    /// Warnings about the models of stages.
    pub model_warnings: Vec<String>,
}

/// Performs all checks of `pipeline` that are possible before its first row is read. `inputs` contains the columns of the
/// stages that read from S3, by the index of the stage, as far as they are known; so does `references` the content of theirs.
///
/// If the values of a column name prompts, all prompts count as used: only the rows determine which are.
pub fn check(
    pipeline: &PipelineRequest,
    catalog: &Catalog<'_>,
    inputs: &BTreeMap<usize, Vec<String>>,
    references: &BTreeMap<usize, Vec<Reference>>,
) -> PipelineCheck {
    let mut all = PipelineCheck::default();
    let (prompts, problems) = catalog.prompts.with(&pipeline.prompts);
    let catalog = &Catalog { prompts: &prompts, ..*catalog };
    all.problems.extend(problems);
    let mut before: Option<Vec<Column>> = None;
    for (index, stage) in pipeline.stages.iter().enumerate() {
        let Some(run) = &stage.run else {
            before = None;
            all.columns.push(None);
            all.min_records_per_job.push(None);
            continue;
        };
        let incoming = match stage.rows {
            StageRows::Own => inputs.get(&index).cloned().or_else(|| image_columns(run)).map(of_input),
            StageRows::Previous => before,
            StageRows::Unclear => None,
        };
        let checked = check_run(run, catalog, incoming.as_deref(), references.get(&index).map_or(&[], Vec::as_slice));
        all.problems.extend(checked.problems.into_iter().map(|problem| pipeline.placed(index, problem)));
        if let Some(resolved) = checked.resolved.as_ref().filter(|_| stage.rows == StageRows::Previous) {
            all.problems.extend(too_small_jobs(run, resolved).map(|problem| pipeline.placed(index, problem)));
        }
        let of_models = checked.resolved.iter().flat_map(|resolved| &resolved.model_warnings);
        all.model_warnings.extend(of_models.map(|warning| format!("stage `{}`: {warning}", stage.stage_name)));
        all.replaced.extend(checked.resolved.iter().flat_map(|resolved| resolved.replaced.iter().cloned()));
        before = match (&checked.columns, &checked.resolved) {
            (Some(columns), Some(resolved)) => Some(output_columns(resolved, columns, stage.origin())),
            _ => None,
        };
        all.columns.push(checked.columns);
        let model = checked.resolved.as_ref().map(|resolved| &resolved.model);
        all.min_records_per_job.push(model.map(|model| model.limits.min_records_per_job));
        all.reference_notes.extend(checked.reference_note.map(|note| format!("stage `{}`: {note}", stage.stage_name)));
    }
    all
}

/// Returns a problem for jobs that are too small for batch: the number of rows of a stage is not known before the previous
/// stage has been answered and paid for.
fn too_small_jobs(run: &RunRequest, resolved: &Resolved) -> Option<Problem> {
    let minimum = resolved.model.limits.min_records_per_job;
    let size = run.max_records_per_job.filter(|size| *size < minimum)?;
    let rule = format!("must be at least {minimum}, this model's minimum per batch job");
    let problem = Problem::new("max_records_per_job", size, rule);
    (run.invocation.processing_mode != ProcessingMode::Realtime)
        .then(|| problem.remedy("raise it, or set processing_mode to `realtime`"))
}

impl PipelineRequest {
    /// Converts a problem of the run of stage `index` to one of this pipeline, with the path of its field as the user wrote it.
    pub fn placed(&self, index: usize, problem: Problem) -> Problem {
        let path = stage::path(index);
        let written = self.stages.get(index).map(|stage| &stage.fields);
        let in_prompt_config = |field: &str| {
            let config = written.and_then(|fields| fields.get("prompt_config"));
            config.and_then(Value::as_object).is_some_and(|config| config.contains_key(field))
        };
        let end = problem.field.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(problem.field.len());
        let (name, rest) = problem.field.split_at(end);
        let is_field = !name.is_empty() && (rest.is_empty() || rest.starts_with(['.', ',']));
        let field = match name {
            "prompt_id" | "prompt" | "category_to_prompt_mapping" if is_field && in_prompt_config(name) => {
                format!("{path}.prompt_config.{}", problem.field)
            }
            "s3_uri" if is_field => format!("{path}.input_{}", problem.field),
            _ if is_field => format!("{path}.{}", problem.field),
            _ => format!("{path}, {}", problem.field),
        };
        Problem { field, ..problem }
    }
}

fn of_input(names: Vec<String>) -> Vec<Column> {
    names.into_iter().map(Column::of_input).collect()
}

#[cfg(test)]
mod tests {
    use super::super::clothing::{checked, config, config_with};
    use rstest::rstest;
    use serde_json::{Value, json};

    #[test]
    fn the_columns_of_every_stage_are_known_in_advance() {
        let (problems, checked) = checked(&config(), &[]);
        assert_eq!(problems, Vec::<String>::new());
        let names = |at: usize| {
            let columns = checked.columns[at].as_ref().unwrap();
            columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(0), "image_path file_name");
        let rest = "error stop_reason input_tokens output_tokens attempts model_id";
        assert_eq!(names(1), format!("record_id image_path file_name response category confidence {rest}"));
        let third = names(2);
        for name in ["classify_category_response", "classify_category_error", "color", "length", "sleeve", "metadata"] {
            assert!(third.split(' ').any(|column| column == name), "{name} is not in {third}");
        }
        assert!(!third.split(' ').any(|column| column == "response"), "it is `metadata` now: {third}");
    }

    #[rstest]
    #[case::unknown_prompt(&[("/stages/0/prompt_config/prompt_id", json!("clasify"))],
        "stages[0].prompt_config.prompt_id is `clasify`: a prompt template of this name does not exist; did you mean `classify`?")]
    #[case::short_form(&[("/stages/0/prompt_config", json!(null)), ("/stages/0/prompt_id", json!("clasify"))],
        "stages[0].prompt_id is `clasify`: a prompt template")]
    #[case::wrong_kind(&[("/stages/0/prompt_config/prompt_id", json!("two_looks"))],
        "stages[0].prompt_config.prompt_id is `two_looks`: is an expansion rule")]
    #[case::unknown_rule(&[("/stages/1/category_to_prompt_mapping", json!(null)), ("/stages/1/prompt_config",
        json!({"mode": "expanded", "category_column": "category", "expansion_mapping": {"default": "two_look"}}))],
        "stages[1].prompt_config.expansion_mapping.default is `two_look`: an expansion rule of this name does not exist; did you mean `two_looks`?")]
    #[case::mapping_to_nothing(&[("/stages/1/category_to_prompt_mapping/shorts", json!("short_metadata"))],
        "stages[1].category_to_prompt_mapping.shorts is `short_metadata`: a prompt template of this name does not exist; did you mean `shorts_metadata`")]
    #[case::inner_mapping_to_nothing(&[("/stages/1/category_to_prompt_mapping", json!(null)),
        ("/stages/1/prompt_config/category_to_prompt_mapping", json!({"shorts": "nothing"}))],
        "stages[1].prompt_config.category_to_prompt_mapping.shorts is `nothing`: a prompt template")]
    #[case::no_category(&[("/stages/0/prompt_config/prompt_id", json!("short_text"))],
        "stages[0], column `text`: the prompt `short_text` needs this column, which the input does not have; the columns are `image_path`, `file_name`")]
    #[case::no_column_that_says_the_prompt(&[("/stages/1/category_to_prompt_mapping", json!(null))],
        "stages[1].prompt_config.column_name: the input does not have the column `metadata_prompt_id`")]
    #[case::mapped_column(&[("/stages/2/column_mappings/metadata", json!("respons"))],
        "stages[2].column_mappings.metadata is `respons`: this column does not exist; the columns are `record_id`, `image_path`, `file_name`")]
    #[case::placeholder(&[("/stages/2/column_mappings", json!(null))],
        "stages[2], column `metadata`: the prompt `listing` needs this column")]
    #[case::small_jobs(&[("/stages/1/max_records_per_job", json!(50))],
        "stages[1].max_records_per_job is `50`: must be at least 100, this model's minimum per batch job; raise it, or set processing_mode to `realtime`")]
    #[case::image_column(&[("/stages/2/input_type", json!("image")), ("/stages/2/image_column", json!("photo"))],
        "stages[2].image_column is `photo`: the input does not have this column")]
    #[case::unknown_model(&[("/stages/2/model_id", json!("anthropic.claude-99"))],
        "stages[2].model_id is `anthropic.claude-99`: is not a model that is known to support batch inference")]
    #[case::parameters(&[("/stages/2/inference", json!({"dimensions": 256}))],
        "stages[2].inference.dimensions is `256`: is only for embedding models")]
    #[case::text_only_model(&[("/stages/1/model_id", json!("amazon.nova-micro-v1:0"))],
        "stages[1].model_id is `amazon.nova-micro-v1:0`: does not accept images, but input_type is `image`; choose a model that accepts images")]
    fn problems_are_reported_with_their_path(#[case] changes: &[(&str, Value)], #[case] expected: &str) {
        let (problems, _) = checked(&config_with(changes), &[]);
        assert!(problems.iter().any(|problem| problem.starts_with(expected)), "{problems:?}");
    }

    /// Returns a prompt of a pipeline, with one field.
    fn prompt(template: &str, field: &str) -> Value {
        let schema = json!({"type": "json", "fields": {field: format!("$.{field}")}});
        json!({"description": "d", "template": template, "output_schema": schema})
    }

    #[test]
    fn prompts_of_the_pipeline_and_of_stages_are_known_to_all_checks() {
        let config = config_with(&[
            (
                "/prompts",
                json!({"classify": prompt("What?", "category"), "shorts_metadata": prompt("{category}", "hem")}),
            ),
            ("/stages/2/prompt_config", json!(null)),
            ("/stages/2/prompt", prompt("{category} {hem} {metadata}", "title")),
        ]);
        let (problems, checked) = checked(&config, &[]);
        assert_eq!(problems, Vec::<String>::new());
        let third = checked.columns[2].as_ref().unwrap();
        assert!(third.iter().any(|column| column.name == "hem"), "{third:?}");
        assert_eq!(checked.replaced.iter().collect::<Vec<_>>(), ["classify", "shorts_metadata"]);
    }

    #[rstest]
    #[case::mistake(&[("/stages/1/prompt_config", json!({"prompt": prompt("{", "x")})), ("/stages/1/category_to_prompt_mapping", json!(null))],
        "stages[1].prompt_config.prompt.template is `{`: has a `{` at line 1, column 1")]
    #[case::mistake_of_all_stages(&[("/prompts", json!({"classify": prompt("t", "error")}))],
        "prompts.classify.output_schema.fields.error: is the name of a column that every output has")]
    #[case::rule(&[("/prompts", json!({"r": {"description": "d", "expansion_rule": true, "prompts": ["clasify"]}}))],
        "prompts.r.prompts is `clasify`: a prompt template of this name does not exist; did you mean `classify`")]
    #[case::column(&[("/stages/2/prompt_config", json!(null)), ("/stages/2/prompt", prompt("{Category}{metadata}", "title"))],
        "stages[2], column `Category`: the prompt `prompt` needs this column, which the input does not have; the input has `category`: write \"column_mappings\": {\"Category\": \"category\", \"metadata\": \"response\"}")]
    fn a_mistake_in_a_prompt_is_reported_once(#[case] changes: &[(&str, Value)], #[case] expected: &str) {
        let (problems, _) = checked(&config_with(changes), &[]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(expected), "{problems:?}");
    }

    /// Returns a pipeline over a table, whose first stage reads `text`.
    fn of_table() -> Value {
        config_with(&[
            ("/stages/0/input_s3_uri", json!("s3://bucket/rows.csv")),
            ("/stages/0/input_type", json!("text")),
            ("/stages/0/prompt_config/prompt_id", json!("short_text")),
            ("/stages/1/input_type", json!("text")),
            ("/stages/2/column_mappings", json!({"metadata": "nonsense"})),
        ])
    }

    #[test]
    fn columns_of_an_unknown_input_are_not_checked() {
        let (problems, unknown) = checked(&of_table(), &[]);
        assert_eq!((problems, unknown.columns), (vec![], vec![None, None, None]));
        let (problems, known) = checked(&of_table(), &[(0, &["text", "category", "nonsense"])]);
        assert_eq!(problems, Vec::<String>::new());
        assert!(known.columns.iter().all(Option::is_some));
        let (problems, _) = checked(&of_table(), &[(0, &["id", "category"])]);
        let fields: Vec<&str> = problems.iter().filter_map(|problem| problem.split(':').next()).collect();
        assert_eq!(fields, ["stages[0], column `text`", "stages[2].column_mappings.metadata is `nonsense`"]);
    }

    #[test]
    fn prompts_and_models_of_later_stages_are_checked_even_for_an_unknown_input() {
        let mut config = of_table();
        config["stages"][2]["prompt_config"]["prompt_id"] = json!("nothing");
        config["stages"][1]["model_id"] = json!("nothing");
        let (problems, checked) = checked(&config, &[(0, &["text", "category"])]);
        let fields: Vec<&str> = problems.iter().filter_map(|problem| problem.split(' ').next()).collect();
        assert_eq!(fields, ["stages[1].model_id", "stages[2].prompt_config.prompt_id"]);
        assert!(checked.columns[1].is_some() && checked.columns[2].is_none());
    }

    #[test]
    fn a_table_of_images_is_distinguished_from_images() {
        let with = |uri: &str, column: Value| {
            config_with(&[("/stages/0/input_s3_uri", json!(uri)), ("/stages/0/image_column", column)])
        };
        let known = |config: &Value| checked(config, &[]).1.columns[0].is_some();
        assert!(known(&with("s3://bucket/photos/", json!(null))));
        assert!(!known(&with("s3://bucket/photos.CSV", json!(null))));
        assert!(!known(&with("s3://bucket/photos/", json!("photo"))));
    }

    #[test]
    fn a_later_stage_may_read_s3_again() {
        let changes =
            [("/stages/2/use_previous_output", json!(false)), ("/stages/2/input_s3_uri", json!("s3://bucket/b.csv"))];
        let (problems, _) = checked(&config_with(&changes), &[(2, &["category", "response"])]);
        assert_eq!(problems, Vec::<String>::new());
        let (problems, _) = checked(&config_with(&changes), &[(2, &["response"])]);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("stages[2], column `category`"), "{problems:?}");
    }
}
