//! Requests for the tests of checks.

use crate::input::{RunRequest, StackLimits};
use serde_json::{Value, json};

/// Returns a request with these fields beside those that are required.
pub(super) fn request_with(more: &Value) -> RunRequest {
    let mut input = json!({"s3_uri": "s3://bucket/a.csv", "job_name_prefix": "p", "model_id": "m"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let stack = StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 };
    let (request, problems) = RunRequest::read(&input, stack);
    assert_eq!(problems, []);
    request.unwrap()
}

/// Returns a request for the prompt `p` with these fields.
pub(super) fn request_of_prompt(more: &Value) -> RunRequest {
    let mut fields = json!({"prompt_id": "p"});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request_with(&fields)
}

/// Returns a request for this model with these fields.
pub(super) fn request_of_model(model_id: &str, more: &Value) -> RunRequest {
    let mut fields = json!({"model_id": model_id});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request_with(&fields)
}
