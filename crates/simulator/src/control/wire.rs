//! A job as Get and List show it.

use serde_json::{Map, Value, json};

use crate::jobs::{Job, Status};
use crate::timestamps::Timestamp;

/// Absent fields are left out, never null. Counts appear once the job is in progress.
pub(crate) fn job(job: &Job) -> Value {
    let request = &job.request;
    let mut fields = Map::new();
    let mut field = |name: &str, value: Value| {
        if !value.is_null() {
            fields.insert(name.to_owned(), value);
        }
    };
    field("jobArn", json!(job.arn));
    field("jobName", json!(request.job_name));
    field("modelId", json!(request.model_id));
    field("clientRequestToken", json!(request.client_request_token));
    field("roleArn", json!(request.role_arn));
    field("status", json!(job.status.name()));
    field("message", json!(job.message));
    field("submitTime", json!(job.submitted.iso8601()));
    field("lastModifiedTime", json!(job.modified.iso8601()));
    field("endTime", json!(job.ended.map(Timestamp::iso8601)));
    field("inputDataConfig", json!({ "s3InputDataConfig": request.input }));
    field("outputDataConfig", json!({ "s3OutputDataConfig": request.output }));
    field("vpcConfig", json!(request.vpc));
    field("timeoutDurationInHours", json!(request.timeout_hours));
    field("jobExpirationTime", json!(job.expires.iso8601()));
    field("modelInvocationType", json!(request.invocation_type));
    if let Some(counts) = &job.counts {
        if let Ok(Value::Object(counts)) = serde_json::to_value(counts) {
            fields.extend(counts);
        }
    } else if job.status == Status::Validating {
        // Seen live while a job is validated.
        fields.insert("totalRecordCount".to_owned(), json!(0));
    }
    Value::Object(fields)
}
