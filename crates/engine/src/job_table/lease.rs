//! Who asks the rows of an on-demand job: one execution at a time. A function goes on for a while after its execution was
//! stopped; whoever resumes the run waits until it no longer asks.

use super::{JobTable, number, text};
use crate::error::EngineError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::DateTime;
use std::time::{Duration, SystemTime};

impl JobTable {
    /// Takes or renews the right to ask the rows of job `name` for so long, for `execution_arn`. False: somebody else has
    /// it.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn lease(&self, name: &str, execution_arn: &str, time: Duration) -> Result<bool, EngineError> {
        let values = [
            (":execution", text(execution_arn)),
            (":until", moment(SystemTime::now() + time)),
            (":moment", moment(SystemTime::now())),
        ];
        let set = "SET asking_by = :execution, asking_until = :until";
        let free = "attribute_not_exists(asking_by) OR asking_by = :execution OR asking_until < :moment";
        self.change(name, set, free, &values).await
    }

    /// Gives the right back.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn end_lease(&self, name: &str, execution_arn: &str) -> Result<(), EngineError> {
        let values = [(":execution", text(execution_arn)), (":until", number(0))];
        self.change(name, "SET asking_until = :until", "asking_by = :execution", &values).await?;
        Ok(())
    }
}

/// Seconds since 1970.
fn moment(time: SystemTime) -> AttributeValue {
    number(DateTime::from(time).secs())
}
