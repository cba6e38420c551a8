//! The input of a run.

use super::one_of_the_sets;
use super::run_fields::RunFields;
use schemars::{JsonSchema, Schema};

/// The input that starts an execution of the batch orchestrator: one model asked about every row of a table, or about
/// every image of a folder.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "Execution input of the batch orchestrator", transform = sets_of_fields)]
pub(super) struct ExecutionInput {
    /// The JSON Schema that an editor completes and checks this file with. Ignored otherwise.
    #[schemars(rename = "$schema")]
    schema: Option<String>,
    /// Where the rows are: a `.csv` or `.parquet` object, a prefix of several with one schema, or (with `input_type`
    /// `image`) a prefix of images: `s3://bucket/path`. This or `previous_run`, never both.
    s3_uri: Option<String>,
    /// In place of `s3_uri`: the answered rows of an earlier run.
    previous_run: Option<PreviousRun>,
    /// How many days links to the answers live.
    #[schemars(range(min = 1, max = 90))]
    presigned_url_expiry_days: Option<u32>,
    /// Goes on with a run that has ended: asks what it left unasked or unanswered. Stands alone, or beside the input
    /// that the run was started with.
    resume_run: Option<String>,
    /// Joins the answers that a run has which was stopped or failed, and asks nothing. Stands alone, or beside the
    /// input that the run was started with.
    collect_run: Option<String>,
    /// In place of everything else: the object that holds the input as JSON (up to 5 MB), for what is too large to be
    /// handed over directly (over 200 KiB).
    config_s3_uri: Option<String>,
    #[schemars(flatten)]
    run: RunFields,
}

/// An earlier run.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
struct PreviousRun {
    /// The run.
    run_id: String,
    /// What its columns are called after where newer ones take their names (`<stage_name>_response`), and what errors
    /// name. Default: `previous`.
    stage_name: Option<String>,
}

fn sets_of_fields(schema: &mut Schema) {
    one_of_the_sets(
        schema,
        &[
            &["job_name_prefix", "model_id", "s3_uri"],
            &["job_name_prefix", "model_id", "previous_run"],
            &["resume_run"],
            &["collect_run"],
            &["config_s3_uri"],
        ],
    );
}
