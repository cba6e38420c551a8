//! The item of a run: which execution has it in hand, and whether it was stopped.

use super::{JobTable, expiry, now, number, text};
use crate::error::EngineError;
use aws_sdk_dynamodb::types::AttributeValue;
use bedrock_batch_domain::contract::job_table::{OPEN_INDEX, PARTITION_KEY, TIME_TO_LIVE};
use bedrock_batch_domain::layout::Layout;

/// Who has a run in hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunItem {
    /// The execution.
    pub execution_arn: String,
    /// Whether its jobs were told to stop.
    pub stopped: bool,
}

impl JobTable {
    /// The item of a run, if it has one.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn run(&self, run_id: &str) -> Result<Option<RunItem>, EngineError> {
        let get =
            self.client.get_item().table_name(&self.table).key(PARTITION_KEY, text(&Layout::run_item_name(run_id)));
        let got = get.consistent_read(true).send().await;
        let got = got.map_err(|error| EngineError::from_aws(format!("cannot read run {run_id}"), &error))?;
        Ok(got.item().map(|item| RunItem {
            execution_arn: item.get("execution_arn").and_then(|v| v.as_s().ok()).cloned().unwrap_or_default(),
            stopped: item.get("stopped").and_then(|v| v.as_bool().ok()).copied().unwrap_or(false),
        }))
    }

    /// Whether `execution_arn` has the run in hand. A run without an item is in nobody's: then it may be anybody.
    ///
    /// # Errors
    /// `Superseded` if it has not, or if the run was stopped; else as DynamoDB fails.
    pub async fn check_in_hand(&self, run_id: &str, execution_arn: &str) -> Result<(), EngineError> {
        match self.run(run_id).await? {
            Some(run) if run.execution_arn != execution_arn => {
                Err(EngineError::superseded(format!("another execution has taken run {run_id} over")))
            }
            Some(run) if run.stopped => Err(EngineError::superseded(format!("run {run_id} was stopped"))),
            _ => Ok(()),
        }
    }

    /// Takes a run in hand for `execution_arn`, if it is still in the hands of `from` (or of nobody, or of that
    /// execution already). Says whether that is so.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn take_run(&self, run_id: &str, execution_arn: &str, from: Option<&str>) -> Result<bool, EngineError> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put
            .item(PARTITION_KEY, text(&Layout::run_item_name(run_id)))
            .item("execution_arn", text(execution_arn))
            .item("stopped", AttributeValue::Bool(false))
            .item(OPEN_INDEX.sort_key, text(&now()))
            .item(TIME_TO_LIVE, number(expiry()))
            .condition_expression("attribute_not_exists(job_name) OR execution_arn IN (:own, :from)")
            .expression_attribute_values(":own", text(execution_arn))
            .expression_attribute_values(":from", text(from.unwrap_or(execution_arn)));
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Ok(false)
            }
            Err(error) => Err(EngineError::from_aws(format!("cannot take run {run_id}"), &error)),
        }
    }

    /// Notes that the jobs of a run are to stop, if `execution_arn` still has it in hand; says whether that is so.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn stop_run(&self, run_id: &str, execution_arn: &str) -> Result<bool, EngineError> {
        let values = [(":yes", AttributeValue::Bool(true)), (":execution", text(execution_arn))];
        let name = Layout::run_item_name(run_id);
        self.change(&name, "SET stopped = :yes", "execution_arn = :execution", &values).await
    }
}
