//! Stop: stops the jobs of a run whose execution was aborted, failed or timed out, so that spending ends with it.
//!
//! A job that is being created at the same time is not visible here. Therefore the run is marked first, and submit checks the
//! mark after it has created a job.

use crate::bedrock_jobs::{find_jobs, stop_job};
use crate::error::EngineError;
use crate::job_table::{CorruptItem, JobTable, StoredItem, StoredJob};
use crate::sweep::{SweepTime, sweep};
use aws_sdk_bedrock::Client as Bedrock;
use bedrock_batch_domain::ids::{ExecutionArn, JobArn, JobName, RunId};
use bedrock_batch_domain::input::continued_run;
use bedrock_batch_domain::lane::Lane;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

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
    pub stopped: u64,
    /// Number of jobs that were already over.
    pub over: u64,
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
    /// Returns an error if the run cannot be read, the error of the last job that could not be stopped, or `Transient` if
    /// there was no time for all jobs. It is always safe to stop again.
    pub async fn stop(&self, ended: &EndedExecution, time: SweepTime) -> Result<Stopped, EngineError> {
        let run_id = ended.run_id();
        let mut done = Stopped::default();
        if !self.jobs.stop_run(&run_id, &ended.execution_arn).await? {
            // It has no jobs, or another execution owns it.
            tracing::info!(%run_id, "run_not_stopped");
            return Ok(done);
        }
        let (mut failure, mut is_resumed) = (None, false);
        let mut left = 0;
        let mut pages = self.jobs.pages_of_run(&run_id);
        while time.is_open()
            && let Some(page) = pages.next().await?
        {
            let (open, over) = open_jobs(page);
            done.over += over;
            let names = open.iter().filter_map(OpenJob::name_to_find).map(|name| (name, run_id.clone())).collect();
            let found = match find_jobs(&self.bedrock, &names).await {
                Ok(found) => Arc::new(found),
                Err(error) => {
                    // The others are stopped nevertheless.
                    tracing::warn!(%run_id, error_type = error.name(), "jobs_not_found");
                    failure = Some(error);
                    Arc::default()
                }
            };
            let stop = |job: OpenJob| {
                let (stopper, found) = (self.clone(), Arc::clone(&found));
                let (run_id, owner) = (run_id.clone(), ended.execution_arn.clone());
                async move { stopper.stop_if_owned(job, &found, (&run_id, &owner)).await }
            };
            let each = |(key, stopped): (String, Result<Option<bool>, EngineError>)| match stopped {
                Ok(Some(true)) => done.stopped += 1,
                Ok(Some(false)) => done.over += 1,
                Ok(None) => is_resumed = true,
                // The others are stopped nevertheless, and the whole stop is retried for this one.
                Err(error) => {
                    tracing::warn!(%run_id, name = key, error_type = error.name(), "job_not_stopped");
                    failure = Some(error);
                }
            };
            left += sweep(open, time, stop, each).await;
            if is_resumed {
                tracing::info!(%run_id, stopped = done.stopped, over = done.over, "run_resumed_meanwhile");
                return Ok(done);
            }
        }
        left += pages.count_left().await?;
        tracing::info!(%run_id, stopped = done.stopped, over = done.over, left, "run_jobs_stopped");
        match failure {
            Some(error) => Err(error),
            // What was stopped is over by the next attempt, and reconcile finds the others at the latest.
            None if left > 0 => {
                Err(EngineError::transient(format!("{left} jobs of run {run_id} were not reached in time")))
            }
            None => Ok(done),
        }
    }

    /// Stops a job, unless another execution owns the run by now and waits for the job: a stop that is late or retried must
    /// not end it. Returns its name, and true if it was still running; `None` if it was left alone.
    async fn stop_if_owned(
        &self,
        job: OpenJob,
        found: &HashMap<JobName, JobArn>,
        (run_id, owner): (&RunId, &ExecutionArn),
    ) -> (String, Result<Option<bool>, EngineError>) {
        let key = job.key();
        let stopped = match self.jobs.stop_run(run_id, owner).await {
            Ok(true) => self.stop_one(job, found).await.map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(error),
        };
        (key, stopped)
    }

    /// Stops a job if Bedrock has it. Returns true if it was still running.
    async fn stop_one(&self, job: OpenJob, found: &HashMap<JobName, JobArn>) -> Result<bool, EngineError> {
        let stop = async |name: &JobName, arn: Option<&JobArn>| match arn.or_else(|| found.get(name)) {
            Some(arn) => stop_job(&self.bedrock, name, arn).await,
            None => Ok(false),
        };
        match job {
            OpenJob::Stored(job) => stop(&job.name, job.job_arn.as_ref()).await,
            // Its job is stopped if it has one, and the item is reported.
            OpenJob::Corrupt(corrupt) => {
                if let Ok(name) = JobName::parse(&corrupt.key)
                    && let Err(error) = stop(&name, None).await
                {
                    tracing::warn!(name = corrupt.key, error_type = error.name(), "job_not_stopped");
                }
                Err(corrupt.error)
            }
        }
    }
}

/// Item whose job may be running.
enum OpenJob {
    Stored(Box<StoredJob>),
    Corrupt(CorruptItem),
}

impl OpenJob {
    /// Returns the name of its item.
    fn key(&self) -> String {
        match self {
            Self::Stored(job) => job.name.to_string(),
            Self::Corrupt(corrupt) => corrupt.key.clone(),
        }
    }

    /// Returns the name of the job if it must be found at Bedrock.
    fn name_to_find(&self) -> Option<JobName> {
        match self {
            Self::Stored(job) => Some(&job.name).filter(|_| job.job_arn.is_none()).cloned(),
            Self::Corrupt(corrupt) => JobName::parse(&corrupt.key).ok(),
        }
    }
}

/// Returns the items whose jobs may be running, and the number of the others.
fn open_jobs(page: Vec<Result<StoredItem, CorruptItem>>) -> (Vec<OpenJob>, u64) {
    let all = page.len();
    let open = page.into_iter().filter_map(|item| match item {
        Ok(item) => {
            let job = item.into_job().filter(|job| job.lane == Lane::Batch && !job.is_over());
            job.map(|job| OpenJob::Stored(Box::new(job)))
        }
        Err(corrupt) => Some(OpenJob::Corrupt(corrupt)),
    });
    let open: Vec<OpenJob> = open.collect();
    let over = (all - open.len()) as u64;
    (open, over)
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
