//! Checks of a payload of the classifier.

use super::report::Report;
use bedrock_batch_domain::check::{Catalog, check_run};
use bedrock_batch_domain::classifier::{Classification, ClassifierDefaults, payload_field};
use bedrock_batch_domain::columns::Column;
use bedrock_batch_domain::input::{RunRequest, StackLimits};
use bedrock_batch_domain::problem::Problem;
use serde_json::{Map, Value};

/// Fields that only payloads have, and that one without mistakes has.
const OWN_FIELDS: [&str; 3] = ["problem_type", "imdrf_key", "input_key"];
/// What is not known of a payload without AWS.
const NOT_CHECKED: &str =
    "whether the stack may read the buckets of reports and codes, and write to the one of the answers";

/// Returns true if an input is a payload of the classifier rather than an execution input.
pub(super) fn is_payload(object: &Map<String, Value>) -> bool {
    OWN_FIELDS.iter().any(|field| object.contains_key(*field))
}

/// Defaults of a stack that was deployed with the default settings, as no problem depends on them.
fn defaults() -> ClassifierDefaults {
    let model_id = "anthropic.claude-haiku-4-5-20251001-v1:0".to_owned();
    ClassifierDefaults { model_id, batch_size: 1000, max_workers: 5, rate_limit: 5.0 }
}

pub(super) fn check(
    payload: &Value,
    stack: StackLimits,
    catalog: &Catalog<'_>,
    columns: Option<&Vec<String>>,
    report: &mut Report,
) {
    "a payload of the classifier".clone_into(&mut report.kind);
    report.not_checked(NOT_CHECKED);
    let classification = match Classification::read(payload, "", &defaults(), None) {
        Ok(classification) => classification,
        Err(problems) => {
            report.problems(&problems);
            return;
        }
    };
    let model = catalog.models.find(&classification.model_id);
    let minimum = model.map_or(0, |model| model.limits.min_records_per_job);
    let (request, mut problems) = RunRequest::read(&classification.execution_input(minimum), stack);
    if let Some(request) = request {
        let columns: Option<Vec<Column>> =
            columns.map(|names| names.iter().map(|name| Column::of_input(name.clone())).collect());
        let checked = check_run(&request, catalog, columns.as_deref(), &[]);
        problems.extend(checked.problems);
        report.columns("the run", checked.columns.as_deref());
    }
    let named = |problem: Problem| {
        let field = payload_field(&problem.field).to_owned();
        problem.of_field(field)
    };
    report.problems(&problems.into_iter().map(named).collect::<Vec<_>>());
}
