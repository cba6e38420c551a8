//! The input of a pipeline.

use super::one_of_the_sets;
use super::run_fields::RunFields;
use schemars::{JsonSchema, Schema};

/// The input that starts an execution of the pipeline orchestrator: stages in order, each a run that may read the
/// answered rows of the one before.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "Pipeline", transform = sets_of_fields)]
pub(super) struct PipelineInput {
    /// The JSON Schema that an editor completes and checks this file with. Ignored otherwise.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// The pipeline's name, as emails give it.
    #[schemars(length(min = 1, max = 100))]
    pipeline_name: String,
    /// How many days the links of the email live: up to 90 with download links, else up to 7. Default: 7.
    #[schemars(range(min = 1, max = 90))]
    presigned_url_expiry_days: Option<u32>,
    /// The stages, in order.
    #[schemars(length(min = 1, max = 20))]
    stages: Vec<StageInput>,
    /// In place of everything else: the object that holds the pipeline as JSON (up to 5 MB), for what is too large to
    /// be handed over directly (over 200 KiB).
    config_s3_uri: Option<String>,
}

/// A stage: a run that reads S3, or the answered rows of the stage before. The first stage has `input_s3_uri`; a later
/// one has exactly one of `input_s3_uri` and `use_previous_output`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Stage", transform = sources)]
struct StageInput {
    /// Its name, unlike those of the other stages. An older column whose name a newer one takes goes on as
    /// `<stage_name>_<column>`.
    #[schemars(length(min = 1, max = 60))]
    stage_name: String,
    /// Where the rows are: a `.csv` or `.parquet` object, a prefix of several with one schema, or (with `input_type`
    /// `image`) a prefix of images: `s3://bucket/path`.
    input_s3_uri: Option<String>,
    /// Whether to read the answered rows of the stage before.
    use_previous_output: Option<bool>,
    #[schemars(flatten)]
    run: RunFields,
}

fn sets_of_fields(schema: &mut Schema) {
    one_of_the_sets(schema, &[&["pipeline_name", "stages"], &["config_s3_uri"]]);
}

fn sources(schema: &mut Schema) {
    let sources = serde_json::json!([{"required": ["input_s3_uri"]}, {"required": ["use_previous_output"]}]);
    schema.insert("anyOf".to_owned(), sources);
}
