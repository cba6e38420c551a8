//! Leases of on-demand jobs: one invocation at a time sends the records of a job. A function continues for a while after its
//! execution was stopped, or after Step Functions has lost its connection to it; the next invocation waits for its end.

use super::JobTable;
use super::update::{number, text};
use crate::error::EngineError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::DateTime;
use bedrock_batch_domain::ids::{JobName, RunId};
use std::time::{Duration, SystemTime};

impl JobTable {
    /// Acquires or renews the lease of the job `name` for `time`, for the invocation `holder`. Returns false if another
    /// invocation has it.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn lease(
        &self,
        run_id: &RunId,
        name: &JobName,
        holder: &str,
        time: Duration,
    ) -> Result<bool, EngineError> {
        let values = [
            (":holder", text(holder)),
            (":until", seconds(SystemTime::now() + time)),
            (":now", seconds(SystemTime::now())),
        ];
        let set = "SET asking_by = :holder, asking_until = :until";
        let free = "attribute_not_exists(asking_by) OR asking_by = :holder OR asking_until < :now";
        self.change_of_run((run_id, name), set, free, &values).await
    }

    /// Ends the lease, if `holder` has it.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn end_lease(&self, run_id: &RunId, name: &JobName, holder: &str) -> Result<(), EngineError> {
        let values = [(":holder", text(holder)), (":until", number(0))];
        self.change_of_run((run_id, name), "SET asking_until = :until", "asking_by = :holder", &values).await?;
        Ok(())
    }
}

/// Seconds since 1970.
fn seconds(time: SystemTime) -> AttributeValue {
    number(DateTime::from(time).secs())
}
