//! Reconcile: settles jobs whose events were lost. Events of Bedrock and of ended executions are delivered on a best-effort
//! basis, so open jobs without an update for some time are checked on a schedule.

use crate::bedrock_jobs::{find_job, stop_job};
use crate::error::EngineError;
use crate::job_table::StoredJob;
use crate::settle::Settler;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::ids::ExecutionArn;
use bedrock_batch_domain::job::Action;
use serde::Serialize;
use std::collections::HashMap;
use std::time::Duration;

/// Result of a check of the open jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Number of open jobs that had been silent.
    pub open: u32,
    /// Number of those whose status had changed.
    pub settled: u32,
    /// Number of those that were stopped because no execution waits for them any more.
    pub stopped: u32,
    /// Number of those that could not be checked.
    pub failed: u32,
}

/// Checks the open jobs.
#[derive(Debug, Clone)]
pub struct Reconciler {
    /// Settler, with its clients.
    pub settler: Settler,
    /// Time without an update after which a job is checked.
    pub silence: Duration,
}

impl Reconciler {
    /// Settles every open job that has been silent. One that cannot be checked does not delay the others.
    ///
    /// # Errors
    /// Returns an error if the open jobs cannot be listed.
    pub async fn run(&self) -> Result<Reconciled, EngineError> {
        let mut done = Reconciled::default();
        // For each execution, true if it is still running.
        let mut running = HashMap::new();
        for job in self.settler.jobs.silent_for(self.silence).await? {
            done.open += 1;
            let (name, found) = match job {
                Ok(job) => (job.name.to_string(), self.check(&job, &mut running).await),
                Err(corrupt) => (corrupt.key, Err(corrupt.error)),
            };
            match found {
                Ok(Check::Nothing) => {}
                Ok(Check::News) => done.settled += 1,
                Ok(Check::Orphan) => done.stopped += 1,
                Err(error) => {
                    done.failed += 1;
                    tracing::warn!(name, error_type = error.name(), "job_not_reconciled");
                }
            }
        }
        if done.open > 0 {
            let Reconciled { open, settled, stopped, failed } = done;
            tracing::info!(open, settled, stopped, failed, "open_jobs_reconciled");
        }
        Ok(done)
    }

    async fn check(&self, job: &StoredJob, running: &mut HashMap<ExecutionArn, bool>) -> Result<Check, EngineError> {
        let arn = match &job.job_arn {
            Some(arn) => Some(arn.clone()),
            None => find_job(&self.settler.bedrock, &job.run_id, &job.name).await?,
        };
        // The run may have been resumed by another execution, which has not reached this job yet.
        let owner = self.settler.jobs.run(&job.run_id).await?.map(|run| run.execution_arn);
        let owner = owner.unwrap_or_else(|| job.execution_arn.clone());
        if self.runs(&job.execution_arn, running).await? || self.runs(&owner, running).await? {
            let action = self.settler.settle(&job.name, arn.as_ref()).await?;
            return Ok(if action == Action::Nothing { Check::Nothing } else { Check::News });
        }
        // No execution waits any more, and the event that should have stopped the run was lost.
        self.settler.jobs.stop_run(&job.run_id, &owner).await?;
        let stopped = match &arn {
            Some(arn) => stop_job(&self.settler.bedrock, &job.name, arn).await?,
            None => false,
        };
        if arn.is_some() {
            self.settler.settle(&job.name, arn.as_ref()).await?;
        } else if let Some(token) = &job.task_token {
            // It was never created.
            self.settler.jobs.mark_answered(&job.name, token).await?;
        }
        Ok(if stopped { Check::Orphan } else { Check::News })
    }

    /// Returns true if the execution is still running. One that Step Functions has forgotten is not.
    async fn runs(
        &self,
        execution_arn: &ExecutionArn,
        known: &mut HashMap<ExecutionArn, bool>,
    ) -> Result<bool, EngineError> {
        if let Some(runs) = known.get(execution_arn) {
            return Ok(*runs);
        }
        let runs = match execution_status(&self.settler.step_functions, execution_arn).await? {
            Some(status) => status == "RUNNING",
            None => false,
        };
        known.insert(execution_arn.clone(), runs);
        Ok(runs)
    }
}

/// Result of checking one job.
enum Check {
    /// Its status is unchanged.
    Nothing,
    /// Its status has changed.
    News,
    /// It was stopped, because no execution waits for it.
    Orphan,
}

/// Returns the status of an execution, or `None` if Step Functions does not know it (any more).
///
/// # Errors
/// Returns an error if the Step Functions request fails.
pub(crate) async fn execution_status(
    client: &aws_sdk_sfn::Client,
    execution_arn: &ExecutionArn,
) -> Result<Option<String>, EngineError> {
    match client.describe_execution().execution_arn(execution_arn.as_str()).send().await {
        Ok(execution) => Ok(Some(execution.status().as_str().to_owned())),
        Err(error) if matches!(error.code(), Some("ExecutionDoesNotExist" | "InvalidArn")) => Ok(None),
        Err(error) => Err(EngineError::from_aws(format!("cannot read execution {execution_arn}"), &error)),
    }
}
