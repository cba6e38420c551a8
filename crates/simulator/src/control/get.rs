//! `GetModelInvocationJob`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::control::{named_job, wire};
use crate::errors::{ApiError, json_response};
use crate::simulator::Simulator;

pub(crate) async fn get(
    State(simulator): State<Arc<Simulator>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let job = named_job(&simulator, "GetModelInvocationJob", path)?;
    Ok(json_response(StatusCode::OK, &wire::job(&job)))
}
