//! Updates of jobs, from before they exist at Bedrock until their end.

use super::items::{Fallback, StoredJob};
use super::update::{number, text, timestamp};
use super::work_order::WorkOrder;
use super::{JobTable, open_jobs};
use crate::error::EngineError;
use aws_sdk_dynamodb::types::AttributeValue;
use bedrock_batch_domain::ids::{ExecutionArn, JobArn, JobName, RunId};
use bedrock_batch_domain::job::{JobAttempt, JobStatus};
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

/// Attempt of a state machine to submit a job, which waits for the answer to its token.
#[derive(Debug, Clone, Copy)]
pub struct Waiting<'a> {
    /// Token of the state machine.
    pub token: &'a str,
    /// Order of the attempt among all of them.
    pub attempt: JobAttempt,
    /// Identity of this invocation: one attempt may be invoked twice.
    pub invocation: &'a str,
}

/// Job that an attempt to submit has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunJob {
    /// The stored job.
    pub job: StoredJob,
    /// If true, an earlier invocation may have created it at Bedrock, and died before it could store the ARN.
    pub may_exist: bool,
}

/// Value of the attribute `creation` once Bedrock has refused a job: no invocation has created it. Otherwise the attribute
/// names the latest invocation that may have. Items of versions without the attribute may have been created too.
const NOT_CREATED: &str = "refused";

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
    /// already stored, the token of a later attempt replaces that of an earlier one, never the other way round.
    ///
    /// # Errors
    /// Returns `Superseded` if a later attempt has begun, `NameClash` if the job belongs to another run, and an error if a
    /// DynamoDB request fails or the item is corrupt.
    pub async fn begin(&self, job: &NewJob<'_>, waiting: &Waiting<'_>) -> Result<BegunJob, EngineError> {
        let order = WorkOrder::from(waiting.attempt);
        let values = [
            (":token", text(waiting.token)),
            (":attempt", text(&order.text)),
            (":creation", text(waiting.invocation)),
            (":open", text(open_jobs::OPEN)),
            (":no", AttributeValue::Bool(false)),
        ];
        let set = "task_token = :token, answered = :no, #open = :open, attempt = :attempt, creation = :creation";
        let name = &job.item.name;
        // No invocation creates a job before its item is stored, so the job of a new item does not exist.
        let mut may_exist = false;
        if !self.store(job, &format!(", {set}"), &values).await? {
            // The caller waits on this token, whether it is new or repeated. A second answer to a token is refused by
            // Step Functions, and that counts as given.
            let mut values = values.to_vec();
            values.push((":execution", text(job.execution_arn.as_str())));
            let set = format!("SET {set}, execution_arn = :execution");
            let condition = format!("attribute_exists(lane) AND {}", order.is_latest(":attempt"));
            let old = self.change_of_run_returning_old((job.run_id, name), &set, &condition, &values).await?;
            let Some(old) = old else {
                // The item is still there, and its attempt is a later one.
                self.stored(job.run_id, name).await?;
                return Err(EngineError::superseded(format!("a later attempt to submit job {name} has begun")));
            };
            may_exist = old.get("creation") != Some(&text(NOT_CREATED));
        }
        Ok(BegunJob { job: self.stored(job.run_id, name).await?, may_exist })
    }

    /// Notes that Bedrock has refused to create a job, unless another invocation has begun to create it since.
    ///
    /// # Errors
    /// Returns an error if a DynamoDB request fails.
    pub async fn note_not_created(&self, run_id: &RunId, name: &JobName, invocation: &str) -> Result<(), EngineError> {
        let values = [(":creation", text(NOT_CREATED)), (":own", text(invocation))];
        // If another one has, the job may exist.
        self.change_of_run((run_id, name), "SET creation = :creation", "creation = :own", &values).await?;
        Ok(())
    }

    /// Stores a job whose records are sent on demand, for which no state machine waits with a token. Returns the updated item.
    ///
    /// # Errors
    /// Returns `NameClash` if the job belongs to another run, and an error if a DynamoDB request fails or the item is corrupt.
    pub async fn begin_on_demand(&self, job: &NewJob<'_>) -> Result<StoredJob, EngineError> {
        self.store(job, "", &[]).await?;
        self.stored(job.run_id, &job.item.name).await
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
        let set = format!("{set}{further_set}");
        self.change_of_run((job.run_id, &job.item.name), &set, "attribute_not_exists(lane)", &values).await
    }

    async fn stored(&self, run_id: &RunId, name: &JobName) -> Result<StoredJob, EngineError> {
        self.job_of_run(run_id, name).await?.ok_or_else(|| removed(name))
    }

    /// Stores Bedrock's ARN, unless one is stored already; returns the one that is stored. The job is open from then on, whatever
    /// it was before: a check that did not find it at Bedrock may have closed it while it was being created.
    ///
    /// # Errors
    /// Returns an error if a DynamoDB request fails or the item is corrupt.
    pub async fn set_arn(&self, run_id: &RunId, name: &JobName, arn: &JobArn) -> Result<JobArn, EngineError> {
        let values =
            [(":arn", text(arn.as_str())), (":open", text(open_jobs::OPEN)), (":no", AttributeValue::Bool(false))];
        let set = "SET job_arn = :arn, answered = :no, #open = :open";
        let condition = "attribute_exists(job_name) AND attribute_not_exists(job_arn)";
        if self.change_of_run((run_id, name), set, condition, &values).await? {
            return Ok(arn.clone());
        }
        self.stored(run_id, name).await?.job_arn.ok_or_else(|| removed(name))
    }

    /// Stores the state that Bedrock reports, unless a later one is stored already; returns true if it is stored.
    ///
    /// # Errors
    /// Returns an error if a DynamoDB request fails.
    pub async fn record(&self, run_id: &RunId, name: &JobName, observed: &Observed) -> Result<bool, EngineError> {
        let values = [
            (":status", text(observed.status.name())),
            (":rank", number(observed.status.rank())),
            (":message", observed.message.as_deref().map_or(AttributeValue::Null(true), text)),
            (":processed", observed.processed.map_or(AttributeValue::Null(true), number)),
        ];
        let set = "SET #status = :status, status_rank = :rank, message = :message, processed_records = :processed";
        let condition = "attribute_exists(job_name) AND (attribute_not_exists(status_rank) OR status_rank < :rank)";
        // A status that is not later is old news.
        self.change_of_run((run_id, name), set, condition, &values).await
    }

    /// Notes that the stop of a job was requested because it did not end within its timeout. The first time counts.
    ///
    /// # Errors
    /// Returns an error if a DynamoDB request fails.
    pub async fn note_late_stop(&self, run_id: &RunId, name: &JobName, now: i64) -> Result<(), EngineError> {
        let set = "SET late_stop_at = if_not_exists(late_stop_at, :now)";
        self.change_of_run((run_id, name), set, "attribute_exists(job_name)", &[(":now", number(now))]).await?;
        Ok(())
    }

    /// Stores the number of processed records of a running job, which [`JobTable::record`] does not update if the status is
    /// unchanged.
    ///
    /// # Errors
    /// Returns an error if a DynamoDB request fails, or the item was removed.
    pub async fn record_progress(&self, run_id: &RunId, name: &JobName, processed: u64) -> Result<(), EngineError> {
        let values = [(":processed", number(processed))];
        let set = "SET processed_records = :processed";
        let is_stored = self.change_of_run((run_id, name), set, "attribute_exists(job_name)", &values).await?;
        if is_stored { Ok(()) } else { Err(removed(name)) }
    }

    /// Notes that `token` was answered, so that the job is no longer open. A newer token remains unanswered, and belongs to no
    /// other run: tokens are unique.
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
    /// Returns an error if a DynamoDB request fails, or the item was removed.
    pub async fn fall_back(&self, run_id: &RunId, name: &JobName, fallback: &Fallback) -> Result<(), EngineError> {
        let Fallback { reason, refused } = fallback;
        let values = [(":reason", text(reason)), (":refused", AttributeValue::Bool(*refused))];
        let set = "SET fell_back = :reason, refused = :refused";
        let is_stored = self.change_of_run((run_id, name), set, "attribute_exists(job_name)", &values).await?;
        if is_stored { Ok(()) } else { Err(removed(name)) }
    }
}

fn removed(name: &JobName) -> EngineError {
    EngineError::corrupt(format!("the item `{name}` of the job table was removed meanwhile"))
}
