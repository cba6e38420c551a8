//! The runtime: `InvokeModel` and `Converse`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use crate::backend::Source;
use crate::control::constraints::{Constraints, INVOKED_MODEL_ID};
use crate::control::request::InvocationType;
use crate::errors::{ApiError, ErrorKind, json_response, whole_body};
use crate::families::prompt::Refusal;
use crate::families::{self, Answered, Channel};
use crate::invocations;
use crate::models::Model;
use crate::scopes::Scope;
use crate::simulator::Simulator;

type ModelId = Result<Path<String>, PathRejection>;

pub(crate) async fn invoke(
    State(simulator): State<Arc<Simulator>>,
    path: ModelId,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let answered = answer(&simulator, InvocationType::InvokeModel, path, body).await?;
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
    let answered = answer(&simulator, InvocationType::Converse, path, body).await?;
    Ok(json_response(StatusCode::OK, &answered.output))
}

async fn answer(
    simulator: &Simulator,
    written_for: InvocationType,
    path: ModelId,
    body: Result<Bytes, BytesRejection>,
) -> Result<Answered, ApiError> {
    let begun = Instant::now();
    let Path(model_id) = path.map_err(|_| ApiError::validation("The model identifier is not readable."))?;
    let body = whole_body(body)?;
    let scope = simulator.scopes.of(&body);
    let request = Request { written_for, content: invocations::content(&body), model_id, body: &body };
    // If the caller leaves during the wait, this ends here, and the invocation counts as abandoned.
    let invocation = simulator.invocations.begin(&request.model_id, &request.content);
    let answered = request.answer(simulator, &scope);
    if answered.is_ok() {
        let lasts = Duration::try_from_secs_f64(scope.behaviour.invoke_seconds).unwrap_or_default();
        tokio::time::sleep_until(begun + lasts).await;
    }
    invocation.end(answered.is_ok());
    answered
}

struct Request<'a> {
    written_for: InvocationType,
    model_id: String,
    content: String,
    body: &'a [u8],
}

impl Request<'_> {
    fn answer(&self, simulator: &Simulator, scope: &Scope) -> Result<Answered, ApiError> {
        let Self { written_for, model_id, content, body } = self;
        let operation = match written_for {
            InvocationType::InvokeModel => "InvokeModel",
            InvocationType::Converse => "Converse",
        };
        // What is decided about a request depends on its content: a repeated one is the next attempt of the same.
        simulator.admit_invocation(scope, operation, &format!("{model_id} {content}"))?;
        let mut constraints = Constraints::default();
        constraints.text("modelId", model_id, 1, 2048, Some(&INVOKED_MODEL_ID));
        constraints.finish()?;
        let model = Model::read(model_id);
        if let Some(refusal) = simulator.catalogue.refuses_invocation(&model, &simulator.region) {
            return Err(refusal);
        }
        if scope.behaviour.denies_on_demand(&model) {
            let message = "You don't have access to the model with the specified model ID.";
            return Err(ApiError::new(ErrorKind::AccessDenied, message));
        }
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| ApiError::validation("Malformed input request, please reformat your input and try again."))?;
        let source = Source { backend: &simulator.backend, list_faults: scope.behaviour.list_faults() };
        let answered = families::answer(source, &model, *written_for, Channel::OnDemand, &body);
        let mut answered = answered.map_err(to_error)?;
        simulator.prompt_cache.count(&model.base, &body, &mut answered.output);
        Ok(answered)
    }
}

fn to_error(refusal: Refusal) -> ApiError {
    match refusal.code {
        403 => ApiError::new(ErrorKind::AccessDenied, refusal.message),
        _ => ApiError::validation(refusal.message),
    }
}
