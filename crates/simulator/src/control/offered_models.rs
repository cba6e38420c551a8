//! `GetFoundationModel`, `GetFoundationModelAvailability` and `ListFoundationModels`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::control::constraints::{BEDROCK_MODEL_ID, Constraints, FOUNDATION_MODEL_ID};
use crate::errors::{ApiError, ErrorKind, json_response};
use crate::models::{Model, NameKind};
use crate::offers;
use crate::simulator::Simulator;

pub(crate) async fn get(
    State(simulator): State<Arc<Simulator>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(identifier) = path.map_err(|_| ApiError::validation("The model identifier is not readable."))?;
    simulator.admit(&simulator.scopes.of(b""), "GetFoundationModel", &identifier)?;
    let mut constraints = Constraints::default();
    constraints.text("modelIdentifier", &identifier, 1, 2048, Some(&FOUNDATION_MODEL_ID));
    constraints.finish()?;
    let model = Model::read(&identifier);
    if !is_offered(&simulator, &model) {
        return Err(ApiError::new(ErrorKind::ResourceNotFound, NOT_FOUND));
    }
    Ok(json_response(StatusCode::OK, &json!({ "modelDetails": details(&simulator, &model) })))
}

/// `GetFoundationModelAvailability`: of each model that there is, the account has accepted the terms.
pub(crate) async fn availability(
    State(simulator): State<Arc<Simulator>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(identifier) = path.map_err(|_| ApiError::validation("The model identifier is not readable."))?;
    simulator.admit(&simulator.scopes.of(b""), "GetFoundationModelAvailability", &identifier)?;
    let mut constraints = Constraints::default();
    constraints.text("modelId", &identifier, 0, 140, Some(&BEDROCK_MODEL_ID));
    constraints.finish()?;
    let model = Model::read(&identifier);
    if !is_offered(&simulator, &model) {
        return Err(ApiError::new(ErrorKind::ResourceNotFound, NOT_FOUND));
    }
    let answer = json!({
        "modelId": model.base,
        "agreementAvailability": { "status": "AVAILABLE" },
        "authorizationStatus": "AUTHORIZED",
        "entitlementAvailability": "AVAILABLE",
        "regionAvailability": "AVAILABLE",
    });
    Ok(json_response(StatusCode::OK, &answer))
}

fn is_offered(simulator: &Simulator, model: &Model) -> bool {
    model.kind == NameKind::Foundation
        && simulator.catalogue.is_known(model)
        && !simulator.catalogue.is_dead(model, &simulator.region)
}

const NOT_FOUND: &str = "Could not resolve the foundation model from the model identifier.";

pub(crate) async fn list(State(simulator): State<Arc<Simulator>>) -> Result<Response, ApiError> {
    simulator.admit(&simulator.scopes.of(b""), "ListFoundationModels", "")?;
    let models = offers::OFFERS.iter().map(|offer| Model::read(offer.id));
    let alive = models.filter(|model| !simulator.catalogue.is_dead(model, &simulator.region));
    let summaries: Vec<Value> = alive.map(|model| details(&simulator, &model)).collect();
    Ok(json_response(StatusCode::OK, &json!({ "modelSummaries": summaries })))
}

/// The name of a model in listings; at most 20 characters in the service model.
pub(crate) fn brand(model: &Model) -> String {
    model.base.rsplit('.').next().unwrap_or_default().chars().take(20).collect()
}

pub(crate) fn provider(model: &Model) -> &str {
    model.base.split('.').next().unwrap_or_default()
}

fn details(simulator: &Simulator, model: &Model) -> Value {
    let region = &simulator.region;
    let by_own_id = simulator.catalogue.refuses_invocation(model, region).is_none();
    let takes_images = offers::find(&model.base).is_none_or(|offer| offer.takes_images);
    let end = offers::end_of_life(&model.base, region).filter(|_| !simulator.catalogue.is_kept_alive(model));
    let mut lifecycle = json!({ "status": if end.is_some() { "LEGACY" } else { "ACTIVE" } });
    if let (Some(end), Some(fields)) = (end, lifecycle.as_object_mut()) {
        fields.insert("endOfLifeTime".to_owned(), json!(format!("{end}T00:00:00Z")));
    }
    let is_embedding = model.base.contains("embed");
    json!({
        "modelArn": format!("arn:aws:bedrock:{region}::foundation-model/{}", model.base),
        "modelId": model.base,
        "modelName": brand(model),
        "providerName": provider(model),
        "inputModalities": if takes_images { json!(["TEXT", "IMAGE"]) } else { json!(["TEXT"]) },
        "outputModalities": [if is_embedding { "EMBEDDING" } else { "TEXT" }],
        "responseStreamingSupported": !is_embedding,
        "customizationsSupported": [],
        "inferenceTypesSupported": if by_own_id { json!(["ON_DEMAND"]) } else { json!([]) },
        "modelLifecycle": lifecycle,
    })
}
