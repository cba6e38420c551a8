//! `ListServiceQuotas` of Service Quotas, as far as it concerns batch jobs of Bedrock: the quotas of concurrent jobs, and of the
//! records per job. A service of its own in the JSON protocol of AWS, whose operation is in a header.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::chance;
use crate::control::constraints::Constraints;
use crate::control::offered_models::{brand, provider};
use crate::errors::{ApiError, ErrorKind, json_response, whole_body};
use crate::models::Model;
use crate::offers;
use crate::simulator::Simulator;

const LIST: &str = "ServiceQuotasV20190624.ListServiceQuotas";
/// The default and the maximum.
const PAGE: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    service_code: String,
    #[serde(default)]
    next_token: Option<String>,
    #[serde(default)]
    max_results: Option<i64>,
}

pub(crate) async fn call(
    State(simulator): State<Arc<Simulator>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    if target != LIST {
        return Err(ApiError::new(ErrorKind::UnknownOperation, format!("No operation {target}")));
    }
    simulator.admit(&simulator.scopes.of(b""), "ListServiceQuotas", "")?;
    let request: Request = serde_json::from_slice(&whole_body(body)?)
        .map_err(|error| ApiError::new(ErrorKind::Serialization, error.to_string()))?;
    let mut constraints = Constraints::default();
    constraints.text("serviceCode", &request.service_code, 1, 63, None);
    constraints.optional("nextToken", request.next_token.as_ref(), 0, 2048, None);
    constraints.range("maxResults", request.max_results, 1, 100);
    constraints.finish()?;
    if request.service_code != "bedrock" {
        return Err(ApiError::new(ErrorKind::ResourceNotFound, "The service code is not one of this simulator."));
    }
    let start = request.next_token.as_ref().map_or(Ok(0), |token| {
        let place = token.strip_prefix("after").and_then(|place| place.parse().ok());
        place.ok_or_else(|| ApiError::validation("The NextToken is not valid."))
    })?;
    let page = request.max_results.and_then(|page| usize::try_from(page).ok()).unwrap_or(PAGE);
    let all = quotas(&simulator);
    let listed: Vec<&Value> = all.iter().skip(start).take(page).collect();
    let end = start + listed.len();
    let mut answer = json!({ "Quotas": listed });
    if let (true, Some(fields)) = (end < all.len(), answer.as_object_mut()) {
        fields.insert("NextToken".to_owned(), json!(format!("after{end}")));
    }
    Ok(json_response(StatusCode::OK, &answer))
}

fn quotas(simulator: &Simulator) -> Vec<Value> {
    let models = offers::OFFERS.iter().map(|offer| Model::read(offer.id));
    let alive = models.filter(|model| !simulator.catalogue.is_dead(model, &simulator.region));
    let of_model = |model: Model| {
        let name = format!("{} {}", provider(&model), brand(&model));
        let jobs = format!("Sum of in-progress and submitted batch inference jobs using a base model for {name}");
        let records = format!("Records per batch inference job for {name}");
        [quota(simulator, &jobs, simulator.catalogue.job_quota(&model)), quota(simulator, &records, 100_000)]
    };
    alive.flat_map(of_model).collect()
}

fn quota(Simulator { region, account, .. }: &Simulator, name: &str, value: u32) -> Value {
    let code = format!("L-{:08X}", chance::number(0, &[name]) >> 32);
    json!({
        "ServiceCode": "bedrock",
        "ServiceName": "Amazon Bedrock",
        "QuotaArn": format!("arn:aws:servicequotas:{region}:{account}:bedrock/{code}"),
        "QuotaCode": code,
        "QuotaName": name,
        "Value": f64::from(value),
        "Unit": "None",
        "Adjustable": true,
        "GlobalQuota": false,
        "QuotaAppliedAtLevel": "ACCOUNT",
    })
}
