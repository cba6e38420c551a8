//! The item of a run, with its owner and the mark that it was stopped.

use super::JobTable;
use super::attributes::Attributes;
use super::update::{expiry, is_done, number, text, timestamp};
use crate::error::EngineError;
use aws_sdk_dynamodb::types::AttributeValue;
use bedrock_batch_domain::contract::job_table::{OPEN_INDEX, PARTITION_KEY, TIME_TO_LIVE};
use bedrock_batch_domain::ids::{ExecutionArn, RunId};
use bedrock_batch_domain::layout::Layout;
use std::time::SystemTime;

/// Owner of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunItem {
    /// The execution.
    pub execution_arn: ExecutionArn,
    /// If true, the run was stopped.
    pub stopped: bool,
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
        let name = Layout::run_item_name(run_id);
        let get = self.client.get_item().table_name(&self.table).key(PARTITION_KEY, text(&name));
        let got = get.consistent_read(true).send().await;
        let got = got.map_err(|error| {
            EngineError::from_aws(format!("cannot read the item `{name}` of the table {}", self.table), &error)
        })?;
        let Some(item) = got.item() else { return Ok(None) };
        let attributes = Attributes::of(item)?;
        Ok(Some(RunItem {
            execution_arn: attributes.required_id("execution_arn", "the ARN of an execution")?,
            stopped: attributes.required_flag("stopped")?,
        }))
    }

    /// Checks that `execution_arn` owns the run and that it was not stopped. A run without an item has no owner yet.
    ///
    /// # Errors
    /// Returns `Superseded` if another execution owns it or it was stopped; another error if the DynamoDB request fails or
    /// the item is corrupt.
    pub async fn ensure_owner(&self, run_id: &RunId, execution_arn: &ExecutionArn) -> Result<(), EngineError> {
        match self.run(run_id).await? {
            Some(run) => run.ensure_owner(run_id, execution_arn),
            None => Ok(()),
        }
    }

    /// Makes `execution_arn` the owner of a run if the owner is `previous` or `execution_arn` itself, or if there is none.
    /// Returns true if it is the owner now.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn acquire_run(
        &self,
        run_id: &RunId,
        execution_arn: &ExecutionArn,
        previous: Option<&ExecutionArn>,
    ) -> Result<bool, EngineError> {
        let name = Layout::run_item_name(run_id);
        let put = self.client.put_item().table_name(&self.table);
        let put = put
            .item(PARTITION_KEY, text(&name))
            .item("execution_arn", text(execution_arn.as_str()))
            .item("stopped", AttributeValue::Bool(false))
            .item(OPEN_INDEX.sort_key, text(&timestamp(SystemTime::now())))
            .item(TIME_TO_LIVE, number(expiry()))
            .condition_expression("attribute_not_exists(job_name) OR execution_arn IN (:own, :previous)")
            .expression_attribute_values(":own", text(execution_arn.as_str()))
            .expression_attribute_values(":previous", text(previous.unwrap_or(execution_arn).as_str()));
        is_done(put.send().await, || format!("cannot write the item `{name}` of the table {}", self.table))
    }

    /// Notes that the run of an item is continued, so that the item does not expire while the execution lasts: those of earlier
    /// versions expire 90 days after their last update. `key` is the item's, which may be corrupt.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn note_continuation(&self, key: &str) -> Result<(), EngineError> {
        let values = [(":now", text(&timestamp(SystemTime::now())))];
        self.change(key, "SET continued_at = :now", "attribute_exists(job_name)", &values).await?;
        Ok(())
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
