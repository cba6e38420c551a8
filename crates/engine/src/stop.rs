//! Stop: stops the jobs of a run whose execution was aborted, failed or timed out, so that spending ends with it.
//!
//! A job that is being created at the same time is not visible here. Therefore the run is marked first, and submit checks the
//! mark after it has created a job.

use crate::bedrock_jobs::{find_job, stop_job};
use crate::error::EngineError;
use crate::job_table::{JobTable, StoredItem};
use aws_sdk_bedrock::Client as Bedrock;
use bedrock_batch_domain::ids::{ExecutionArn, JobName, RunId};
use bedrock_batch_domain::input::continued_run;
use bedrock_batch_domain::lane::Lane;
use serde::Serialize;
use serde_json::Value;

/// Execution that ended.
#[derive(Debug, Clone)]
pub struct EndedExecution {
    /// ARN of the execution.
    pub execution_arn: ExecutionArn,
    /// Name of the execution.
    pub name: String,
    /// Input as JSON text, unless it is too long for an event.
    pub input: Option<String>,
}

impl EndedExecution {
    /// Returns the run that the execution owned: its own, or the one that it resumed or collected.
    pub fn run_id(&self) -> RunId {
        let input = self.input.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        RunId::of_execution(input.as_ref().and_then(continued_run).unwrap_or(&self.name))
    }
}

/// Result of stopping a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// Number of jobs that were stopped.
    pub stopped: u32,
    /// Number of jobs that were already over.
    pub over: u32,
}

/// Stops the jobs of runs.
#[derive(Debug, Clone)]
pub struct Stopper {
    /// Job table.
    pub jobs: JobTable,
    /// Client of Bedrock's control plane.
    pub bedrock: Bedrock,
}

impl Stopper {
    /// Stops the open jobs of the run that this execution owned. Nothing happens if another execution has resumed the run
    /// since.
    ///
    /// # Errors
    /// Returns an error if the run cannot be read, or the error of the last job that could not be stopped. It is always
    /// safe to stop again.
    pub async fn stop(&self, ended: &EndedExecution) -> Result<Stopped, EngineError> {
        let run_id = ended.run_id();
        let mut done = Stopped::default();
        if !self.jobs.stop_run(&run_id, &ended.execution_arn).await? {
            // It has no jobs, or another execution owns it.
            tracing::info!(%run_id, "run_not_stopped");
            return Ok(done);
        }
        let mut failure = None;
        for item in self.jobs.readable_of_run(&run_id).await? {
            let (name, stopped) = match item {
                Ok(item) => (item.name().to_string(), self.stop_one(&item).await),
                // Its job is stopped if it has one, and the item is reported.
                Err(corrupt) => {
                    let stopped = self.stop_by_name(&run_id, &corrupt.key).await;
                    done.stopped += u32::from(stopped.is_ok_and(|stopped| stopped));
                    (corrupt.key, Err(corrupt.error))
                }
            };
            match stopped {
                Ok(true) => done.stopped += 1,
                Ok(false) => done.over += 1,
                // The others are stopped nevertheless, and the whole stop is retried for this one.
                Err(error) => {
                    tracing::warn!(%run_id, name, error_type = error.name(), "job_not_stopped");
                    failure = Some(error);
                }
            }
        }
        tracing::info!(%run_id, stopped = done.stopped, over = done.over, "run_jobs_stopped");
        failure.map_or(Ok(done), Err)
    }

    /// Stops the job with this name, if Bedrock has one, and returns true if it was still running.
    async fn stop_by_name(&self, run_id: &RunId, key: &str) -> Result<bool, EngineError> {
        let Ok(name) = JobName::parse(key) else { return Ok(false) };
        match find_job(&self.bedrock, run_id, &name).await? {
            Some(arn) => stop_job(&self.bedrock, &name, &arn).await,
            None => Ok(false),
        }
    }

    /// Stops the job of an item, and returns true if it was still running.
    async fn stop_one(&self, item: &StoredItem) -> Result<bool, EngineError> {
        let Some(job) = item.job().filter(|job| job.lane == Lane::Batch && !job.is_over()) else { return Ok(false) };
        match &job.job_arn {
            Some(arn) => stop_job(&self.bedrock, &job.name, arn).await,
            None => self.stop_by_name(&job.run_id, job.name.as_str()).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(None, "tickets-1")]
    #[case(Some("no JSON"), "tickets-1")]
    #[case(Some(r#"{"s3_uri": "s3://a/b"}"#), "tickets-1")]
    #[case(Some(r#"{"resume_run": "tickets-0"}"#), "tickets-0")]
    #[case(Some(r#"{"collect_run": "tickets-0"}"#), "tickets-0")]
    fn an_execution_has_its_own_run_or_the_one_it_resumes(#[case] input: Option<&str>, #[case] expected: &str) {
        let ended = EndedExecution {
            execution_arn: "arn:aws:states:eu-west-1:1:execution:o:tickets-1".parse().unwrap(),
            name: "tickets-1".to_owned(),
            input: input.map(str::to_owned),
        };
        assert_eq!(ended.run_id().as_str(), expected);
    }
}
