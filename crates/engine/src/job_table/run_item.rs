//! The item of a run, with its owner and the mark that it was stopped.

use super::JobTable;
use super::attributes::Attributes;
use super::items::StoredFailure;
use super::update::{expiry, if_done, number, text, timestamp};
use crate::error::EngineError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::DateTime;
use bedrock_batch_domain::contract::job_table::{OPEN_INDEX, PARTITION_KEY, TIME_TO_LIVE};
use bedrock_batch_domain::ids::{ExecutionArn, RunId};
use bedrock_batch_domain::job::{MAX_UNKNOWN_FAILURES, UnknownFailure};
use bedrock_batch_domain::layout::Layout;
use std::collections::BTreeSet;
use std::time::SystemTime;

/// Owner of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunItem {
    /// The execution.
    pub execution_arn: ExecutionArn,
    /// If true, the run was stopped.
    pub stopped: bool,
    /// Epoch of its ownership, which grows with each new owner: work of an earlier one is recognized by it. 0 in items of
    /// versions without epochs.
    pub epoch: u64,
    /// Error that failed the run and that no item of its own could record, because the item belongs to another run.
    pub failure: Option<StoredFailure>,
    /// Failures of its jobs whose message is not known, under the current owner.
    pub unknown_failures: BTreeSet<String>,
    /// Time since which its working files are being deleted, so that it cannot be continued.
    pub files_deleted_at: Option<String>,
}

impl RunItem {
    /// Checks that `execution_arn` owns the run and that it was not stopped.
    ///
    /// # Errors
    /// Returns `Superseded` if another execution owns it or it was stopped.
    pub fn ensure_owner(&self, run_id: &RunId, execution_arn: &ExecutionArn) -> Result<(), EngineError> {
        if self.execution_arn != *execution_arn {
            return Err(EngineError::superseded(format!(
                "another execution owns run {run_id}: {}",
                self.execution_arn
            )));
        }
        self.ensure_running(run_id)
    }

    /// Checks that the run was not stopped.
    ///
    /// # Errors
    /// Returns `Superseded` if it was stopped.
    pub fn ensure_running(&self, run_id: &RunId) -> Result<(), EngineError> {
        if self.stopped { Err(EngineError::superseded(format!("run {run_id} was stopped"))) } else { Ok(()) }
    }
}

impl JobTable {
    /// Returns the item of a run, if it has one.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails or the item is corrupt.
    pub async fn run(&self, run_id: &RunId) -> Result<Option<RunItem>, EngineError> {
        let Some(item) = self.item(&Layout::run_item_name(run_id)).await? else { return Ok(None) };
        let attributes = Attributes::of(&item)?;
        Ok(Some(RunItem {
            execution_arn: attributes.required_id("execution_arn", "the ARN of an execution")?,
            stopped: attributes.required_flag("stopped")?,
            epoch: attributes.number("epoch")?.unwrap_or(0),
            failure: StoredFailure::read(&attributes)?,
            unknown_failures: attributes.texts("unknown_failures")?,
            files_deleted_at: attributes.text("files_deleted_at")?,
        }))
    }

    /// Checks that `execution_arn` owns the run and that it was not stopped, and returns the epoch of its ownership. A run
    /// without an item has no owner yet.
    ///
    /// # Errors
    /// Returns `Superseded` if another execution owns it or it was stopped; another error if the DynamoDB request fails or
    /// the item is corrupt.
    pub async fn ensure_owner(&self, run_id: &RunId, execution_arn: &ExecutionArn) -> Result<u64, EngineError> {
        let Some(run) = self.run(run_id).await? else { return Ok(0) };
        run.ensure_owner(run_id, execution_arn)?;
        Ok(run.epoch)
    }

    /// Makes `execution_arn` the owner of a run if the owner is `previous` or `execution_arn` itself, or if there is none.
    /// Returns true if it is the owner now.
    ///
    /// # Errors
    /// Returns an error if a DynamoDB request fails or the item is corrupt.
    pub async fn acquire_run(
        &self,
        run_id: &RunId,
        execution_arn: &ExecutionArn,
        previous: Option<&ExecutionArn>,
    ) -> Result<bool, EngineError> {
        let owner = self.run(run_id).await?;
        let mut expected = None;
        if let Some(owner) = &owner {
            let is_own = owner.execution_arn == *execution_arn;
            if is_own && !owner.stopped {
                return Ok(true);
            }
            if !is_own && previous != Some(&owner.execution_arn) {
                return Ok(false);
            }
            expected = Some(&owner.execution_arn);
        }
        // Epochs grow even if an earlier version, which writes none, owned the run in between.
        let now = u64::try_from(DateTime::from(SystemTime::now()).secs()).unwrap_or_default();
        let epoch = now.max(owner.as_ref().map_or(0, |owner| owner.epoch) + 1);
        if self.put_run(run_id, execution_arn, epoch, expected).await? {
            return Ok(true);
        }
        // Another attempt of the same execution may have been faster.
        Ok(self.run(run_id).await?.is_some_and(|now| now.execution_arn == *execution_arn))
    }

    /// Writes the item of a run if its owner is still the expected one.
    async fn put_run(
        &self,
        run_id: &RunId,
        execution_arn: &ExecutionArn,
        epoch: u64,
        expected: Option<&ExecutionArn>,
    ) -> Result<bool, EngineError> {
        let name = Layout::run_item_name(run_id);
        let put = self.client.put_item().table_name(&self.table);
        let put = put
            .item(PARTITION_KEY, text(&name))
            .item("execution_arn", text(execution_arn.as_str()))
            .item("stopped", AttributeValue::Bool(false))
            .item("epoch", number(epoch))
            .item(OPEN_INDEX.sort_key, text(&timestamp(SystemTime::now())))
            .item(TIME_TO_LIVE, number(expiry()));
        let put = match expected {
            None => put.condition_expression("attribute_not_exists(job_name)"),
            Some(expected) => put
                .condition_expression("execution_arn = :expected AND attribute_not_exists(files_deleted_at)")
                .expression_attribute_values(":expected", text(expected.as_str())),
        };
        let done = if_done(put.send().await, || format!("cannot write the item `{name}` of the table {}", self.table));
        Ok(done?.is_some())
    }

    /// Stores the failure of a job whose message is not known, and returns all that are stored for the run. A new owner of the run
    /// begins without any: the cause may be gone by then.
    ///
    /// # Errors
    /// Returns an error if a DynamoDB request fails or the item is corrupt.
    pub async fn note_unknown_failure(
        &self,
        run_id: &RunId,
        failure: &UnknownFailure,
    ) -> Result<BTreeSet<String>, EngineError> {
        let Some(run) = self.run(run_id).await? else { return Ok(BTreeSet::new()) };
        let known = run.unknown_failures;
        // The run ends by those that are stored: a job more would only make the item larger.
        if known.contains(failure.as_str()) || known.len() >= MAX_UNKNOWN_FAILURES {
            return Ok(known);
        }
        let name = Layout::run_item_name(run_id);
        let update = self.client.update_item().table_name(&self.table).key(PARTITION_KEY, text(&name));
        let update = update.update_expression("ADD unknown_failures :failure");
        let update = update.condition_expression("execution_arn = :owner");
        let update = update.expression_attribute_values(":owner", text(run.execution_arn.as_str()));
        let failures = AttributeValue::Ss(vec![failure.as_str().to_owned()]);
        let updated = update.expression_attribute_values(":failure", failures).send().await;
        if_done(updated, || format!("cannot update the item `{name}` of the table {}", self.table))?;
        // Read again: of several that are stored at the same time, the last one sees all.
        Ok(self.run(run_id).await?.map(|run| run.unknown_failures).unwrap_or_default())
    }

    /// Stores an error that fails the run in the run's own item, until another execution owns the run.
    pub(super) async fn record_run_failure(&self, run_id: &RunId, error: &str, cause: &str) -> Result<(), EngineError> {
        let values = [(":error", text(error)), (":cause", text(cause))];
        let set = "SET failure_error = :error, failure_cause = :cause";
        if !self.change(&Layout::run_item_name(run_id), set, "attribute_exists(job_name)", &values).await? {
            tracing::warn!(%run_id, error_type = error, "failure_of_run_without_item");
        }
        Ok(())
    }

    /// Notes that the run of an item is continued, so that the item does not expire while the execution lasts: those of earlier
    /// versions expire 90 days after their last update. `key` is the item's, which may be corrupt.
    ///
    /// This is not news of a job: the time of its last update stays, since a run that is collected again and again would otherwise
    /// keep the reconciler from its jobs, and wait for them for ever.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn note_continuation(&self, key: &str) -> Result<(), EngineError> {
        let update = self.client.update_item().table_name(&self.table).key(PARTITION_KEY, text(key));
        let update = update.update_expression(format!("SET continued_at = :now, {TIME_TO_LIVE} = :expires_at"));
        let update = update.condition_expression("attribute_exists(job_name)");
        let update = update.expression_attribute_values(":now", text(&timestamp(SystemTime::now())));
        let updated = update.expression_attribute_values(":expires_at", number(expiry())).send().await;
        if_done(updated, || format!("cannot update the item `{key}` of the table {}", self.table))?;
        Ok(())
    }

    /// Notes that the working files of a run are being deleted, if `execution_arn` still owns it; returns true if it does. From then
    /// on no execution acquires it.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn note_files_deleted(&self, run_id: &RunId, execution_arn: &ExecutionArn) -> Result<bool, EngineError> {
        let values = [(":now", text(&timestamp(SystemTime::now()))), (":execution", text(execution_arn.as_str()))];
        let set = "SET files_deleted_at = if_not_exists(files_deleted_at, :now)";
        self.change(&Layout::run_item_name(run_id), set, "execution_arn = :execution", &values).await
    }

    /// Marks a run as stopped if `execution_arn` still owns it; returns true if it does.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn stop_run(&self, run_id: &RunId, execution_arn: &ExecutionArn) -> Result<bool, EngineError> {
        let values = [(":yes", AttributeValue::Bool(true)), (":execution", text(execution_arn.as_str()))];
        let name = Layout::run_item_name(run_id);
        self.change(&name, "SET stopped = :yes", "execution_arn = :execution", &values).await
    }
}
