//! The simulator's own routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::errors::{ApiError, json_response, whole_body};
use crate::simulator::Simulator;

pub(crate) fn routes() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/health", get(health))
        .route("/behaviour", get(behaviour).put(set_behaviour))
        .route("/jobs", get(jobs))
        .route("/calls", get(calls))
        .route("/invocations", get(invocations))
        .route("/reset", post(reset))
}

async fn health() -> Response {
    json_response(StatusCode::OK, &json!({ "status": "ok" }))
}

async fn behaviour(State(simulator): State<Arc<Simulator>>) -> Response {
    json_response(StatusCode::OK, &serde_json::to_value(simulator.behaviour()).unwrap_or_default())
}

async fn set_behaviour(
    State(simulator): State<Arc<Simulator>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let changes: Value =
        serde_json::from_slice(&whole_body(body)?).map_err(|error| ApiError::validation(error.to_string()))?;
    let updated = simulator.behaviour().with(&changes).map_err(ApiError::validation)?;
    simulator.set_behaviour(updated);
    if changes.get("seed").is_some() {
        // Like any other sequence of random numbers, that of a seed begins anew when the seed is set.
        simulator.history.clear();
    }
    Ok(behaviour(State(simulator)).await)
}

async fn jobs(State(simulator): State<Arc<Simulator>>) -> Response {
    let jobs = simulator.jobs.all();
    let jobs = jobs.iter().map(|job| {
        json!({
            "jobArn": job.arn,
            "jobName": job.request.job_name,
            "modelId": job.request.model_id,
            "status": job.status.name(),
            "message": job.message,
            "inputS3Uri": job.request.input.uri(),
            "outputS3Uri": job.request.output.uri(),
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
