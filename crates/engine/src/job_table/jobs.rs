//! Updates of jobs, from before they exist at Bedrock until their end.

use super::items::{Fallback, StoredJob};
use super::update::{number, text, timestamp};
use super::{JobTable, open_jobs};
use crate::error::EngineError;
use aws_sdk_dynamodb::types::AttributeValue;
use bedrock_batch_domain::ids::{ExecutionArn, JobArn, JobName, RunId};
use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::plan::JobItem;
use std::time::SystemTime;

/// Job to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewJob<'a> {
    /// The run.
    pub run_id: &'a RunId,
    /// Execution that creates it.
    pub execution_arn: &'a ExecutionArn,
    /// The model.
    pub model_id: &'a str,
    /// If true, its rows may be sent on demand if Bedrock does not accept it in batch.
    pub on_demand_allowed: bool,
    /// The job.
    pub item: &'a JobItem,
}

/// State of a job, as reported by Bedrock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Status.
    pub status: JobStatus,
    /// Message, if there is one.
    pub message: Option<String>,
    /// Number of processed records, if Bedrock reports it.
    pub processed: Option<u64>,
}

impl JobTable {
    /// Stores a job that does not exist at Bedrock yet, with the token of the state machine that waits for it. If the job is
    /// already stored, the token of a new attempt replaces the old one. Returns the updated item.
    ///
    /// # Errors
    /// Returns an error if a DynamoDB request fails or the item is corrupt.
    pub async fn begin(&self, job: &NewJob<'_>, token: &str) -> Result<StoredJob, EngineError> {
        let waiting = [(":token", text(token)), (":open", text(open_jobs::OPEN)), (":no", AttributeValue::Bool(false))];
        let token_set = "task_token = :token, answered = :no, #open = :open";
        if !self.store(job, &format!(", {token_set}"), &waiting).await? {
            // The caller waits on this token, whether it is new or repeated. A second answer to a token is refused by
            // Step Functions, and that counts as given.
            let mut values = waiting.to_vec();
            values.push((":execution", text(job.execution_arn.as_str())));
            let set = format!("SET {token_set}, execution_arn = :execution");
            self.change(job.item.name.as_str(), &set, "attribute_exists(lane)", &values).await?;
        }
        self.stored(&job.item.name).await
    }

    /// Stores a job whose records are sent on demand, for which no state machine waits with a token. Returns the updated item.
    ///
    /// # Errors
    /// Returns an error if a DynamoDB request fails or the item is corrupt.
    pub async fn begin_on_demand(&self, job: &NewJob<'_>) -> Result<StoredJob, EngineError> {
        self.store(job, "", &[]).await?;
        self.stored(&job.item.name).await
    }

    /// Stores the properties of a job that are known in advance, unless they are stored already; returns true if it stored
    /// them. The item may already exist with only the counts of its chunk, since collecting a run counts all its chunks.
    async fn store(
        &self,
        job: &NewJob<'_>,
        further_set: &str,
        further: &[(&str, AttributeValue)],
    ) -> Result<bool, EngineError> {
        let mut values = vec![
            (":run", text(job.run_id.as_str())),
            (":index", number(job.item.index)),
            (":model", text(job.model_id)),
            (":records", number(job.item.records)),
            (":round", number(job.item.round)),
            (":lane", text(job.item.lane.name())),
            (":execution", text(job.execution_arn.as_str())),
            (":may", AttributeValue::Bool(job.on_demand_allowed)),
            (":input", text(&job.item.input_uri)),
            (":output", text(&job.item.output_uri)),
            (":created", text(&timestamp(SystemTime::now()))),
        ];
        values.extend_from_slice(further);
        let set = "SET run_id = :run, job_index = :index, model_id = :model, records = :records, round = :round, \
                   lane = :lane, execution_arn = :execution, may_fall_back = :may, input_uri = :input, \
                   output_uri = :output, created_at = :created";
        self.change(job.item.name.as_str(), &format!("{set}{further_set}"), "attribute_not_exists(lane)", &values).await
    }

    async fn stored(&self, name: &JobName) -> Result<StoredJob, EngineError> {
        let stored = self.get(name).await?;
        stored.ok_or_else(|| EngineError::corrupt(format!("the item `{name}` of the job table was removed meanwhile")))
    }

    /// Stores Bedrock's ARN.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn set_arn(&self, name: &JobName, arn: &JobArn) -> Result<(), EngineError> {
        let values = [(":arn", text(arn.as_str()))];
        self.change(name.as_str(), "SET job_arn = :arn", "attribute_exists(job_name)", &values).await?;
        Ok(())
    }

    /// Stores the state that Bedrock reports, unless a later one is stored already.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn record(&self, name: &JobName, observed: &Observed) -> Result<(), EngineError> {
        let values = [
            (":status", text(observed.status.name())),
            (":rank", number(observed.status.rank())),
            (":message", observed.message.as_deref().map_or(AttributeValue::Null(true), text)),
            (":processed", observed.processed.map_or(AttributeValue::Null(true), number)),
        ];
        let set = "SET #status = :status, status_rank = :rank, message = :message, processed_records = :processed";
        let condition = "attribute_exists(job_name) AND (attribute_not_exists(status_rank) OR status_rank < :rank)";
        self.change(name.as_str(), set, condition, &values).await?;
        Ok(())
    }

    /// Stores the number of processed records of a running job, which [`JobTable::record`] does not update if the status is
    /// unchanged.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn record_progress(&self, name: &JobName, processed: u64) -> Result<(), EngineError> {
        let values = [(":processed", number(processed))];
        self.change(name.as_str(), "SET processed_records = :processed", "attribute_exists(job_name)", &values).await?;
        Ok(())
    }

    /// Notes that `token` was answered, so that the job is no longer open. A newer token remains unanswered.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn mark_answered(&self, name: &JobName, token: &str) -> Result<(), EngineError> {
        let values = [(":yes", AttributeValue::Bool(true)), (":token", text(token))];
        self.change(name.as_str(), "SET answered = :yes REMOVE #open", "task_token = :token", &values).await?;
        Ok(())
    }

    /// Notes that the rows of a job are sent on demand.
    ///
    /// # Errors
    /// Returns an error if the DynamoDB request fails.
    pub async fn fall_back(&self, name: &JobName, fallback: &Fallback) -> Result<(), EngineError> {
        let Fallback { reason, refused } = fallback;
        let values = [(":reason", text(reason)), (":refused", AttributeValue::Bool(*refused))];
        let set = "SET fell_back = :reason, refused = :refused";
        self.change(name.as_str(), set, "attribute_exists(job_name)", &values).await?;
        Ok(())
    }
}
