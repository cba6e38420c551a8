//! Who asks the rows of an on-demand job: one invocation at a time. A function goes on for a while after its execution was
//! stopped, or after Step Functions has lost its connection to it; the next one waits until it no longer asks.

use super::{JobTable, number, text};
use crate::error::EngineError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::DateTime;
use std::time::{Duration, SystemTime};

impl JobTable {
    /// Takes or renews the right to ask the rows of job `name` for so long, for the invocation `asking_as`. False: somebody else has
    /// it.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn lease(&self, name: &str, asking_as: &str, time: Duration) -> Result<bool, EngineError> {
        let values = [
            (":asking", text(asking_as)),
            (":until", moment(SystemTime::now() + time)),
            (":moment", moment(SystemTime::now())),
        ];
        let set = "SET asking_by = :asking, asking_until = :until";
        let free = "attribute_not_exists(asking_by) OR asking_by = :asking OR asking_until < :moment";
        self.change(name, set, free, &values).await
    }

    /// Gives the right back.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn end_lease(&self, name: &str, asking_as: &str) -> Result<(), EngineError> {
        let values = [(":asking", text(asking_as)), (":until", number(0))];
        self.change(name, "SET asking_until = :until", "asking_by = :asking", &values).await?;
        Ok(())
    }
}

/// Seconds since 1970.
fn moment(time: SystemTime) -> AttributeValue {
    number(DateTime::from(time).secs())
}
