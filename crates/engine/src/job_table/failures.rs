//! Errors that fail a run. A Map ends without a reason of its own, so each child records why it failed, for finalize to
//! read.

use super::JobTable;
use super::update::{number, text};
use super::work_order::WorkOrder;
use crate::error::{EngineError, ErrorKind};
use aws_sdk_dynamodb::types::AttributeValue;
use bedrock_batch_domain::ids::{ItemName, RunId};

impl JobTable {
    /// Records the error of a step of a job, chunk or file of duplicates (its name and number), if it failed, and returns the
    /// result unchanged. If the error cannot be stored, that is only logged, since the step's own error is more important. The
    /// error of a step that a later attempt has overtaken (by their `order`) explains nothing and is not stored.
    pub(crate) async fn record_outcome<T>(
        &self,
        run_id: &RunId,
        (name, index): (impl Into<ItemName<'_>>, u32),
        order: Option<WorkOrder>,
        done: Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        if let Err(error) = &done {
            let name = name.into();
            tracing::warn!(%run_id, %name, error_type = error.name(), "step_failed");
            if let Err(second) = self.record_failure(run_id, (name, index), order, error).await {
                tracing::warn!(%run_id, %name, error_type = second.name(), "failure_not_recorded");
            }
        }
        done
    }

    /// Stores the error that fails the run, unless a later attempt than `order` has begun. An error of kind `Superseded` is not stored, since it does not explain a failure
    /// of the run.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub(crate) async fn record_failure(
        &self,
        run_id: &RunId,
        (name, index): (impl Into<ItemName<'_>>, u32),
        order: Option<WorkOrder>,
        error: &EngineError,
    ) -> Result<(), EngineError> {
        if error.is_superseded() {
            return Ok(());
        }
        let (error, cause) = (error.name(), error.message());
        let mut values = vec![
            (":error", text(error)),
            (":cause", text(&cause)),
            (":run", text(run_id.as_str())),
            (":index", number(index)),
        ];
        let mut condition = "(attribute_not_exists(run_id) OR run_id = :run)".to_owned();
        if let Some(order) = order {
            condition = format!("{condition} AND {}", order.is_latest(":order"));
            values.push((":order", text(&order.text)));
        }
        // A chunk whose job was never started, or a file of duplicates, may have no item yet.
        let set = "SET failure_error = :error, failure_cause = :cause, run_id = :run, \
                   job_index = if_not_exists(job_index, :index)";
        match self.change_of_run((run_id, name), set, &condition, &values).await {
            Ok(_) => Ok(()),
            // The item is that of another run, which must not report this run's error.
            Err(clash) if *clash.kind() == ErrorKind::NameClash => self.record_run_failure(run_id, error, &cause).await,
            Err(other) => Err(other),
        }
    }

    /// Removes the stored error of an earlier attempt.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn clear_failure(&self, run_id: &RunId, name: impl Into<ItemName<'_>>) -> Result<(), EngineError> {
        let set = "SET answered = if_not_exists(answered, :no) REMOVE failure_error, failure_cause";
        let values = [(":no", AttributeValue::Bool(false))];
        // Without an item there is no error either.
        self.change_of_run((run_id, name), set, "attribute_exists(job_name)", &values).await?;
        Ok(())
    }
}
