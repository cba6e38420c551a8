//! The runtime: `InvokeModel` and `Converse`.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

use crate::chance;
use crate::control::constraints::{Constraints, INVOKED_MODEL_ID};
use crate::control::request::InvocationType;
use crate::errors::{ApiError, ErrorKind, json_response, whole_body};
use crate::families::ask::Refusal;
use crate::families::{self, Answered, Channel};
use crate::models::Model;
use crate::simulator::Simulator;

type ModelId = Result<Path<String>, PathRejection>;

pub(crate) async fn invoke(
    State(simulator): State<Arc<Simulator>>,
    path: ModelId,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let answered = answer(&simulator, InvocationType::InvokeModel, path, &whole_body(body)?)?;
    let mut response = json_response(StatusCode::OK, &answered.output);
    let latency = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    for (name, number) in [
        ("x-amzn-bedrock-input-token-count", answered.input_tokens),
        ("x-amzn-bedrock-output-token-count", answered.output_tokens),
        ("x-amzn-bedrock-invocation-latency", latency),
    ] {
        response.headers_mut().insert(name, HeaderValue::from(number));
    }
    Ok(response)
}

pub(crate) async fn converse(
    State(simulator): State<Arc<Simulator>>,
    path: ModelId,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let answered = answer(&simulator, InvocationType::Converse, path, &whole_body(body)?)?;
    Ok(json_response(StatusCode::OK, &answered.output))
}

fn answer(
    simulator: &Simulator,
    written_for: InvocationType,
    path: ModelId,
    body: &[u8],
) -> Result<Answered, ApiError> {
    let Path(model_id) = path.map_err(|_| ApiError::validation("The model identifier is not readable."))?;
    let operation = match written_for {
        InvocationType::InvokeModel => "InvokeModel",
        InvocationType::Converse => "Converse",
    };
    // What is decided about a request depends on its content: a repeated one is the next attempt of the same.
    let content = format!("{model_id} {:016x}", chance::number(0, &[&String::from_utf8_lossy(body)]));
    simulator.admit_invocation(operation, &content)?;
    let mut constraints = Constraints::default();
    constraints.text("modelId", &model_id, 1, 2048, Some(&INVOKED_MODEL_ID));
    constraints.finish()?;
    let model = Model::read(&model_id);
    if let Some(reason) = simulator.catalogue.refuses_invocation(&model, &simulator.region) {
        return Err(ApiError::validation(reason));
    }
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| ApiError::validation("Malformed input request, please reformat your input and try again."))?;
    families::answer(&simulator.backend, &model, written_for, Channel::OnDemand, &body).map_err(to_error)
}

fn to_error(refusal: Refusal) -> ApiError {
    match refusal.code {
        403 => ApiError::new(ErrorKind::AccessDenied, refusal.message),
        _ => ApiError::validation(refusal.message),
    }
}
