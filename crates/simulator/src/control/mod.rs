//! The control plane: the four operations on model invocation jobs, and those that say which models there are.

pub(crate) mod constraints;
pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod inference_profiles;
pub(crate) mod list;
pub(crate) mod offered_models;
pub(crate) mod request;
pub(crate) mod service_quotas;
pub(crate) mod stop;
mod wire;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;

use crate::control::constraints::{Constraints, JOB_IDENTIFIER};
use crate::errors::{ApiError, ErrorKind};
use crate::jobs::Job;
use crate::simulator::Simulator;

/// Returns the job that a path names by ARN or id.
fn named_job(
    simulator: &Simulator,
    operation: &str,
    path: Result<Path<String>, PathRejection>,
) -> Result<Job, ApiError> {
    let Path(identifier) = path.map_err(|_| ApiError::validation("The job identifier is not readable."))?;
    let id = identifier.rsplit('/').next().unwrap_or(&identifier);
    // An ARN of another account or region ends in the same id, and is another job.
    let job = simulator.jobs.find(id).filter(|job| !identifier.starts_with("arn:") || identifier == job.arn);
    let input = job.as_ref().map_or("", |job| job.request.input.uri());
    let scope = simulator.scopes.of(input.as_bytes());
    simulator.admit(&scope, operation, job.as_ref().map_or(&identifier, |job| &job.fate))?;
    let mut constraints = Constraints::default();
    constraints.text("jobIdentifier", &identifier, 0, 1011, Some(&JOB_IDENTIFIER));
    constraints.finish()?;
    job.ok_or_else(|| ApiError::new(ErrorKind::ResourceNotFound, format!("Could not find job {identifier}.")))
}
