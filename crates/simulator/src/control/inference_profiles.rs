//! `ListInferenceProfiles` and `GetInferenceProfile`: AWS's own profiles. There are none of the account.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::control::constraints::{Constraints, INFERENCE_PROFILE_ID, PAGINATION_TOKEN};
use crate::errors::{ApiError, ErrorKind, json_response};
use crate::models::Model;
use crate::offers::{self, Offer};
use crate::simulator::Simulator;

/// AWS documents no default; its maximum is 1,000.
const DEFAULT_PAGE: usize = 100;

pub(crate) async fn list(
    State(simulator): State<Arc<Simulator>>,
    query: Result<Query<HashMap<String, String>>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::validation(error.body_text()))?;
    simulator.admit(&simulator.scopes.of(b""), "ListInferenceProfiles", "")?;
    let mut broken = Constraints::default();
    broken.one_of("type", query.get("type"), &["SYSTEM_DEFINED", "APPLICATION"]);
    broken.optional("nextToken", query.get("nextToken"), 1, 2048, Some(&PAGINATION_TOKEN));
    let page = query.get("maxResults").map(|text| text.parse::<i64>()).transpose();
    let page = page.map_err(|_| ApiError::validation("maxResults must be a whole number."))?;
    broken.range("maxResults", page, 1, 1000);
    broken.finish()?;
    let page = page.and_then(|page| usize::try_from(page).ok()).unwrap_or(DEFAULT_PAGE);
    let start = match query.get("nextToken") {
        None => 0,
        Some(token) => {
            let place = token.strip_prefix("after-").and_then(|place| place.parse().ok());
            place.ok_or_else(|| ApiError::validation("The nextToken is not valid."))?
        }
    };
    let mut all = profiles(&simulator);
    all.retain(|_| query.get("type").is_none_or(|kind| kind == "SYSTEM_DEFINED"));
    let listed: Vec<&Value> = all.iter().skip(start).take(page).collect();
    let end = start + listed.len();
    let mut answer = json!({ "inferenceProfileSummaries": listed });
    if let (true, Some(fields)) = (end < all.len(), answer.as_object_mut()) {
        fields.insert("nextToken".to_owned(), json!(format!("after-{end}")));
    }
    Ok(json_response(StatusCode::OK, &answer))
}

pub(crate) async fn get(
    State(simulator): State<Arc<Simulator>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(identifier) = path.map_err(|_| ApiError::validation("The profile identifier is not readable."))?;
    simulator.admit(&simulator.scopes.of(b""), "GetInferenceProfile", &identifier)?;
    let mut constraints = Constraints::default();
    constraints.text("inferenceProfileIdentifier", &identifier, 1, 2048, Some(&INFERENCE_PROFILE_ID));
    constraints.finish()?;
    let is_named = |profile: &&Value| {
        ["inferenceProfileId", "inferenceProfileArn"].iter().any(|name| profile[*name] == json!(identifier))
    };
    let all = profiles(&simulator);
    let found = all.iter().find(is_named).ok_or_else(|| {
        ApiError::new(ErrorKind::ResourceNotFound, format!("Inference profile {identifier} was not found."))
    })?;
    Ok(json_response(StatusCode::OK, found))
}

/// The profiles that requests from this region can use.
fn profiles(simulator: &Simulator) -> Vec<Value> {
    let region = &simulator.region;
    let alive = offers::OFFERS.iter().filter(|offer| !simulator.catalogue.is_dead(&Model::read(offer.id), region));
    let of_offer = |offer: &'static Offer| offer.profile_ids(region).map(move |id| (offer, id));
    alive.flat_map(of_offer).map(|(offer, id)| profile(simulator, offer, &id)).collect()
}

fn profile(simulator: &Simulator, offer: &Offer, id: &str) -> Value {
    let Simulator { region, account, .. } = simulator;
    json!({
        "inferenceProfileName": id.replace(['.', ':'], " "),
        "description": format!("Routes requests to {}", offer.id),
        "createdAt": "2025-10-01T00:00:00Z",
        "updatedAt": "2025-10-01T00:00:00Z",
        "inferenceProfileArn": format!("arn:aws:bedrock:{region}:{account}:inference-profile/{id}"),
        "models": [{ "modelArn": format!("arn:aws:bedrock:{region}::foundation-model/{}", offer.id) }],
        "inferenceProfileId": id,
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    })
}
