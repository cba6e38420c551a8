//! `CreateModelInvocationJob`.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::chance::{self, Numbers};
use crate::control::request::CreateRequest;
use crate::errors::{ApiError, ErrorKind, json_response, whole_body};
use crate::jobs::{Added, NewJob};
use crate::life_cycle;
use crate::models::Model;
use crate::scopes::Scope;
use crate::simulator::Simulator;
use crate::timestamps::Timestamp;

pub(crate) async fn create(
    State(simulator): State<Arc<Simulator>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = whole_body(body)?;
    let uri = input_uri_in(&body);
    let scope = simulator.scopes.of(uri.as_bytes());
    simulator.admit(&scope, "CreateModelInvocationJob", &scope.history.input(&uri))?;
    let request = CreateRequest::read(&body)?;
    let model = Model::read(&request.model_id);
    if let Some(refusal) = simulator.catalogue.refuses_batch(&model, &simulator.region) {
        return Err(refusal);
    }
    let Scope { part, behaviour, history } = scope;
    if behaviour.refuses_batch(&model) {
        return Err(ApiError::validation(model.has_no_batch()));
    }
    let quota = behaviour.create_quota.unwrap_or_else(|| simulator.catalogue.job_quota(&model));
    let quota = usize::try_from(quota).unwrap_or(usize::MAX);
    let now = Timestamp::now();
    let id = job_id(&request, now);
    let arn = format!("arn:aws:bedrock:{}:{}:model-invocation-job/{id}", simulator.region, simulator.account);
    let name = request.job_name.clone();
    let forgets = behaviour.forget_creations;
    // The clock runs from submission.
    let overdue_hours = i64::from(behaviour.clone().towards(&uri).overdue_hours);
    let expires = now.plus_hours(request.timeout_hours - overdue_hours);
    let new = NewJob { id, arn, request, model, quota, quota_of: part, now, expires, forgets };
    let job = match simulator.jobs.add(new, || history.new_job(&uri)) {
        Added::New(job) => job,
        Added::SameToken(arn) => return Ok(created(&arn)),
        // AWS documents the exception but not its trigger: that a used name triggers it is an assumption.
        Added::NameTaken => {
            let message = format!("A model invocation job with the name {name} already exists.");
            return Err(ApiError::new(ErrorKind::Conflict, message));
        }
        Added::QuotaReached(open) => {
            let message = format!(
                "Your account has reached its quota of submitted and in-progress batch inference jobs for this model \
                 ({open} of {quota}). Resubmit your request later."
            );
            return Err(ApiError::new(ErrorKind::ServiceQuotaExceeded, message));
        }
    };
    let arn = job.arn.clone();
    let id = job.id.clone();
    let life = tokio::spawn(life_cycle::live(Arc::clone(&simulator), *job));
    simulator.jobs.carried_by(&id, life.abort_handle());
    if behaviour.finish_before_first_event {
        // A task that was ended by a reset does not fail this call.
        let _ = life.await;
    }
    Ok(created(&arn))
}

fn created(arn: &str) -> Response {
    json_response(StatusCode::OK, &json!({ "jobArn": arn }))
}

/// Returns the input as far as it can be read, to decide about a call before its body is checked.
fn input_uri_in(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let uri = body.pointer("/inputDataConfig/s3InputDataConfig/s3Uri");
    uri.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Returns twelve characters of `[a-z0-9]`. The same job gets a different id after a restart, so that its output is in
/// another folder, as on AWS.
fn job_id(request: &CreateRequest, now: Timestamp) -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let token = request.client_request_token.as_deref().unwrap_or_default();
    let mut numbers = Numbers::from(chance::number(now.millis().unsigned_abs(), &[&request.job_name, token]));
    let letter = |number| chance::pick(LETTERS, number).copied().map_or('a', char::from);
    (0..12).map(|_| letter(numbers.next())).collect()
}
