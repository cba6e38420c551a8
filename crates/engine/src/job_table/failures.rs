//! Errors that fail a run. A Map ends without a reason of its own, so each child records why it failed, for finalize to
//! read.

use super::JobTable;
use super::update::{number, text};
use crate::error::EngineError;
use aws_sdk_dynamodb::types::AttributeValue;
use bedrock_batch_domain::ids::{ItemName, RunId};

impl JobTable {
    /// Records the error of a step of a job, chunk or file of duplicates (its name and number), if it failed, and returns the
    /// result unchanged. If the error cannot be stored, that is only logged, since the step's own error is more important.
    pub(crate) async fn record_outcome<T>(
        &self,
        run_id: &RunId,
        (name, index): (impl Into<ItemName<'_>>, u32),
        done: Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        if let Err(error) = &done {
            let name = name.into();
            tracing::warn!(%run_id, %name, error_type = error.name(), "step_failed");
            if let Err(second) = self.record_failure(run_id, (name, index), error).await {
                tracing::warn!(%run_id, %name, error_type = second.name(), "failure_not_recorded");
            }
        }
        done
    }

    /// Stores the error that fails the run. An error of kind `Superseded` is not stored, since it does not explain a failure
    /// of the run.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn record_failure(
        &self,
        run_id: &RunId,
        (name, index): (impl Into<ItemName<'_>>, u32),
        error: &EngineError,
    ) -> Result<(), EngineError> {
        if error.is_superseded() {
            return Ok(());
        }
        let values = [
            (":error", text(error.name())),
            (":cause", text(&error.message())),
            (":run", text(run_id.as_str())),
            (":index", number(index)),
        ];
        // A chunk whose job was never started, or a file of duplicates, may have no item yet.
        let set = "SET failure_error = :error, failure_cause = :cause, run_id = :run, \
                   job_index = if_not_exists(job_index, :index)";
        self.change(name.into().as_str(), set, "attribute_not_exists(run_id) OR run_id = :run", &values).await?;
        Ok(())
    }

    /// Removes the stored error of an earlier attempt.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn clear_failure(&self, name: impl Into<ItemName<'_>>) -> Result<(), EngineError> {
        let set = "SET answered = if_not_exists(answered, :no) REMOVE failure_error, failure_cause";
        let values = [(":no", AttributeValue::Bool(false))];
        self.change(name.into().as_str(), set, "attribute_exists(job_name)", &values).await?;
        Ok(())
    }
}
