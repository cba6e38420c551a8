//! Bedrock's control plane and runtime over HTTP, for local runs and tests.
//!
//! The simulator is strict where Bedrock is strict (formats, limits, statuses, error codes, the layout of the output),
//! and can be made to misbehave where Bedrock does ([`behaviour`]). It reads and writes the job's files in the S3 of
//! the local stack, and reports every change of a job's status to the local EventBridge. Where AWS documents nothing,
//! the module that makes an assumption states it.

mod admin;
mod backend;
pub mod behaviour;
mod calls;
mod chance;
mod control;
mod errors;
mod events;
mod families;
mod history;
mod invocations;
mod jobs;
mod life_cycle;
mod models;
mod offers;
pub mod options;
mod records;
mod runtime;
mod scopes;
pub mod server;
pub mod simulator;
mod storage;
mod timestamps;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Method, Uri};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};

use crate::errors::{ApiError, ErrorKind};
pub use crate::simulator::Simulator;

/// Bedrock refuses bodies above this (the service model's limit of an invocation's body).
const LARGEST_BODY_BYTES: usize = 25_000_000;

/// All routes: both APIs of Bedrock on one port, and the simulator's own under `/_simulator`.
pub fn router(simulator: Arc<Simulator>) -> Router {
    let counted = |operation: &'static str, route: MethodRouter<Arc<Simulator>>| {
        route.route_layer(from_fn_with_state((Arc::clone(&simulator.calls), operation), calls::count))
    };
    let create = counted("CreateModelInvocationJob", post(control::create::create));
    Router::new()
        .route("/model-invocation-job", create)
        .route("/model-invocation-job/{identifier}", counted("GetModelInvocationJob", get(control::get::get)))
        .route("/model-invocation-job/{identifier}/stop", counted("StopModelInvocationJob", post(control::stop::stop)))
        .route("/model-invocation-jobs", counted("ListModelInvocationJobs", get(control::list::list)))
        .route("/foundation-models", counted("ListFoundationModels", get(control::offered_models::list)))
        .route("/foundation-models/{identifier}", counted("GetFoundationModel", get(control::offered_models::get)))
        .route(
            "/foundation-model-availability/{identifier}",
            counted("GetFoundationModelAvailability", get(control::offered_models::availability)),
        )
        .route("/", counted("ListServiceQuotas", post(control::service_quotas::call)))
        .route("/inference-profiles", counted("ListInferenceProfiles", get(control::inference_profiles::list)))
        .route(
            "/inference-profiles/{identifier}",
            counted("GetInferenceProfile", get(control::inference_profiles::get)),
        )
        .route("/model/{model_id}/invoke", counted("InvokeModel", post(runtime::invoke)))
        .route("/model/{model_id}/converse", counted("Converse", post(runtime::converse)))
        .nest("/_simulator", admin::routes())
        .fallback(unknown_operation)
        .method_not_allowed_fallback(unknown_operation)
        .layer(DefaultBodyLimit::max(LARGEST_BODY_BYTES))
        .layer(map_response(with_request_id))
        .with_state(simulator)
}

async fn unknown_operation(method: Method, uri: Uri) -> ApiError {
    ApiError::new(ErrorKind::UnknownOperation, format!("No operation for {method} {}", uri.path()))
}

/// AWS names every request; the SDKs show that id in their errors.
async fn with_request_id(mut response: Response) -> Response {
    use std::sync::atomic::{AtomicU64, Ordering};
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    let id = format!("00000000-0000-4000-8000-{:012x}", REQUESTS.fetch_add(1, Ordering::Relaxed));
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-amzn-requestid", value);
    }
    response
}
