//! `StopModelInvocationJob`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::control::named_job;
use crate::errors::{ApiError, ErrorKind, json_response};
use crate::jobs::Status;
use crate::simulator::Simulator;

/// Signals the job's task to stop. A job that is already stopping is left alone. For one that has ended, AWS documents the
/// exception but not its trigger, so `ConflictException` is an assumption.
pub(crate) async fn stop(
    State(simulator): State<Arc<Simulator>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let job = named_job(&simulator, "StopModelInvocationJob", path)?;
    let stopped = || json_response(StatusCode::OK, &json!({}));
    if job.status == Status::Stopping {
        return Ok(stopped());
    }
    if let Some(job) = simulator.jobs.advance(&job.id, Status::Stopping, None) {
        let scope = simulator.scopes.of(job.request.input.uri().as_bytes());
        simulator.events.report(&job, &scope.behaviour);
        job.stop.send_replace(true);
        return Ok(stopped());
    }
    match simulator.jobs.find(&job.id) {
        Some(now) if now.status == Status::Stopping => Ok(stopped()),
        Some(now) => {
            let message = format!("The job {} cannot be stopped: it is {}.", job.arn, now.status.name());
            Err(ApiError::new(ErrorKind::Conflict, message))
        }
        None => Err(ApiError::new(ErrorKind::ResourceNotFound, format!("Could not find job {}.", job.arn))),
    }
}
