//! The simulator's own routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::behaviour::Behaviour;
use crate::errors::{ApiError, ErrorKind, json_response, whole_body};
use crate::simulator::Simulator;

pub(crate) fn routes() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/health", get(health))
        .route("/behaviour", get(behaviour).put(change_behaviour).delete(remove_behaviour))
        .route("/jobs", get(jobs))
        .route("/calls", get(calls))
        .route("/invocations", get(invocations))
        .route("/reset", post(reset))
}

async fn health() -> Response {
    json_response(StatusCode::OK, &json!({ "status": "ok" }))
}

/// Jobs and requests that a behaviour is towards, or that are shown.
#[derive(Debug, Deserialize)]
struct About {
    /// Part of the address of their input, or of their body. Without it, all.
    #[serde(default)]
    about: String,
}

async fn behaviour(
    State(simulator): State<Arc<Simulator>>,
    Query(About { about }): Query<About>,
) -> Result<Response, ApiError> {
    let found = simulator.scopes.behaviour(&about);
    let missing = || ApiError::new(ErrorKind::ResourceNotFound, format!("There is no behaviour about `{about}`."));
    found.as_ref().map(shown).ok_or_else(missing)
}

async fn change_behaviour(
    State(simulator): State<Arc<Simulator>>,
    Query(About { about }): Query<About>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let changes: Value =
        serde_json::from_slice(&whole_body(body)?).map_err(|error| ApiError::validation(error.to_string()))?;
    let updated = simulator.scopes.change(&about, &changes).map_err(ApiError::validation)?;
    Ok(shown(&updated))
}

async fn remove_behaviour(State(simulator): State<Arc<Simulator>>, Query(About { about }): Query<About>) -> Response {
    simulator.scopes.remove(&about);
    json_response(StatusCode::OK, &json!({}))
}

fn shown(behaviour: &Behaviour) -> Response {
    json_response(StatusCode::OK, &serde_json::to_value(behaviour).unwrap_or_default())
}

async fn jobs(State(simulator): State<Arc<Simulator>>, Query(About { about }): Query<About>) -> Response {
    let jobs = simulator.jobs.over(&about);
    let jobs = jobs.iter().map(|job| {
        json!({
            "jobArn": job.arn,
            "jobName": job.request.job_name,
            "modelId": job.request.model_id,
            "status": job.status.name(),
            "message": job.message,
            "inputS3Uri": job.request.input.uri(),
            "outputS3Uri": job.request.output.uri(),
            "outputDataConfig": job.request.output,
            "vpcConfig": job.request.vpc,
            "tags": job.request.tags,
            "counts": job.counts,
            "clientRequestToken": job.request.client_request_token,
            "createCalls": job.create_calls,
            "submitTime": job.submitted.iso8601(),
        })
    });
    json_response(StatusCode::OK, &json!({ "jobs": jobs.collect::<Vec<_>>() }))
}

async fn calls(State(simulator): State<Arc<Simulator>>) -> Response {
    json_response(StatusCode::OK, &json!({ "calls": simulator.calls.all() }))
}

async fn invocations(State(simulator): State<Arc<Simulator>>) -> Response {
    json_response(StatusCode::OK, &simulator.invocations.report())
}

async fn reset(State(simulator): State<Arc<Simulator>>) -> Response {
    simulator.reset();
    json_response(StatusCode::OK, &json!({}))
}
