//! The job table (DynamoDB): one item a job, keyed by the job's name. What stands in it before a job exists is why no
//! job is lost, and its conditions are why late, repeated and mixed-up events change nothing.

mod lease;
mod open_jobs;
mod run_item;

pub use run_item::RunItem;

use crate::error::EngineError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bedrock_batch_domain::contract::job_table::{OPEN_INDEX, PARTITION_KEY, RUN_INDEX, TIME_TO_LIVE};
use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::plan::JobItem;
use bedrock_batch_domain::summary::JobCounts;
use std::collections::HashMap;
use std::time::SystemTime;

/// Items disappear so long after their last change.
const KEPT_SECONDS: i64 = 90 * 24 * 3600;
/// The value of the attribute `open`, which open jobs have and others have not, so that their index is sparse.
const OPEN: &str = "1";

/// A job as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredJob {
    /// The job's name, the key.
    pub name: String,
    /// Its run.
    pub run_id: String,
    /// Its number within the run.
    pub index: u32,
    /// Records sent.
    pub records: u64,
    /// How often its rows had been asked before.
    pub round: u32,
    /// How its rows are asked; none for a file of duplicates, whose counts alone are stored.
    pub lane: Option<Lane>,
    /// The execution that made it.
    pub execution_arn: String,
    /// The state machine's token.
    pub task_token: String,
    /// Whether the token was answered.
    pub answered: bool,
    /// Bedrock's ARN, once there is one.
    pub job_arn: Option<String>,
    /// The latest status.
    pub status: Option<JobStatus>,
    /// Bedrock's message.
    pub message: Option<String>,
    /// Until when an invocation may be asking its rows on demand, in seconds since 1970.
    pub asking_until: u64,
    /// Records that Bedrock has processed, as far as it says.
    pub processed: Option<u64>,
    /// Why this job stopped its run: an error name and a cause.
    pub failure: Option<(String, String)>,
    /// Whether its rows may be asked on demand, should Bedrock not take it in batch.
    pub may_fall_back: bool,
    /// Whether Bedrock did not take it in batch, at once or after it was made: its rows were not asked.
    pub refused: bool,
    /// Why its rows are to be asked on demand, if Bedrock did not take it in batch or it failed.
    pub fell_back: Option<String>,
    /// What postprocess counted of the chunk of this name; there once the chunk's rows are written.
    pub counts: Option<JobCounts>,
}

impl StoredJob {
    /// Whether a state machine waits to hear of it.
    pub fn waiting(&self) -> bool {
        !self.task_token.is_empty() && !self.answered
    }

    /// Whether nothing more will happen to it by itself.
    pub fn is_over(&self) -> bool {
        self.fell_back.is_some() || self.status.is_some_and(JobStatus::is_terminal)
    }

    /// Whether its rows were ever asked.
    pub fn was_asked(&self) -> bool {
        match self.lane {
            Some(Lane::OnDemand) => self.status.is_some(),
            _ => self.job_arn.is_some() && !self.refused,
        }
    }
}

/// What Bedrock said of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Its status.
    pub status: JobStatus,
    /// Its message.
    pub message: Option<String>,
    /// Records processed.
    pub processed: Option<u64>,
}

/// The table.
#[derive(Debug, Clone)]
pub struct JobTable {
    client: Client,
    table: String,
}

impl JobTable {
    /// The table of this name.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Name of the table.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Stores a job that does not exist at Bedrock yet, with the token of the one who waits for it. If it was stored
    /// before, the token of a new attempt takes the old one's place. Returns the item as it is then.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn begin(&self, job: &NewJob<'_>, token: &str) -> Result<StoredJob, EngineError> {
        let waiting = [(":token", text(token)), (":open", text(OPEN)), (":no", AttributeValue::Bool(false))];
        let token_set = "task_token = :token, answered = :no, #open = :open";
        if !self.store(job, &format!(", {token_set}"), &waiting).await? {
            // Whoever comes with a token waits for its answer: with that of a new attempt, or with the same once more. An
            // answer that was given before is refused by Step Functions, and that counts as given.
            let mut values = waiting.to_vec();
            values.push((":execution", text(job.execution_arn)));
            let set = format!("SET {token_set}, execution_arn = :execution");
            self.change(&job.item.name, &set, "attribute_exists(lane)", &values).await?;
        }
        self.expect(&job.item.name).await
    }

    /// Stores a job whose rows are asked one by one: nobody waits with a token. Returns the item as it is then.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn begin_on_demand(&self, job: &NewJob<'_>) -> Result<StoredJob, EngineError> {
        self.store(job, "", &[]).await?;
        self.expect(&job.item.name).await
    }

    /// Stores what is known of a job beforehand, if that was not done before; says whether it was done now. The item may
    /// be there already, with nothing but the counts of its chunk: a run that is collected counts all its chunks.
    async fn store(
        &self,
        job: &NewJob<'_>,
        further_set: &str,
        further: &[(&str, AttributeValue)],
    ) -> Result<bool, EngineError> {
        let mut values = vec![
            (":run", text(job.run_id)),
            (":index", number(job.item.index)),
            (":model", text(job.model_id)),
            (":records", number(job.item.records)),
            (":round", number(job.item.round)),
            (":lane", text(job.item.lane.name())),
            (":execution", text(job.execution_arn)),
            (":may", AttributeValue::Bool(job.may_fall_back)),
            (":input", text(&job.item.input_uri)),
            (":output", text(&job.item.output_uri)),
            (":created", text(&now())),
        ];
        values.extend_from_slice(further);
        let set = "SET run_id = :run, job_index = :index, model_id = :model, records = :records, round = :round, \
                   lane = :lane, execution_arn = :execution, may_fall_back = :may, input_uri = :input, \
                   output_uri = :output, created_at = :created";
        self.change(&job.item.name, &format!("{set}{further_set}"), "attribute_not_exists(lane)", &values).await
    }

    async fn expect(&self, name: &str) -> Result<StoredJob, EngineError> {
        let stored = self.get(name).await?;
        stored.ok_or_else(|| EngineError::corrupt(format!("the item `{name}` disappeared from the job table")))
    }

    /// The job of this name.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn get(&self, name: &str) -> Result<Option<StoredJob>, EngineError> {
        let get = self.client.get_item().table_name(&self.table).key(PARTITION_KEY, text(name)).consistent_read(true);
        let got = get.send().await.map_err(|error| EngineError::from_aws(format!("cannot read job {name}"), &error))?;
        Ok(got.item().map(read))
    }

    /// Stores Bedrock's ARN.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn set_arn(&self, name: &str, arn: &str) -> Result<(), EngineError> {
        let values = [(":arn", text(arn))];
        self.change(name, "SET job_arn = :arn", "attribute_exists(job_name)", &values).await?;
        Ok(())
    }

    /// Stores what Bedrock said, unless something later is stored already.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn record(&self, name: &str, seen: &Observed) -> Result<(), EngineError> {
        let values = [
            (":status", text(seen.status.name())),
            (":rank", number(seen.status.rank())),
            (":message", seen.message.as_deref().map_or(AttributeValue::Null(true), text)),
            (":processed", seen.processed.map_or(AttributeValue::Null(true), number)),
        ];
        let set = "SET #status = :status, status_rank = :rank, message = :message, processed_records = :processed";
        let condition = "attribute_exists(job_name) AND (attribute_not_exists(status_rank) OR status_rank < :rank)";
        self.change(name, set, condition, &values).await?;
        Ok(())
    }

    /// Stores how many records of a running job have been processed: what [`JobTable::record`] does not, since the status
    /// is no news.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn record_progress(&self, name: &str, processed: u64) -> Result<(), EngineError> {
        let values = [(":processed", number(processed))];
        self.change(name, "SET processed_records = :processed", "attribute_exists(job_name)", &values).await?;
        Ok(())
    }

    /// Notes that `token` was answered: the job is no longer open. A newer token stays unanswered.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn mark_answered(&self, name: &str, token: &str) -> Result<(), EngineError> {
        let values = [(":yes", AttributeValue::Bool(true)), (":token", text(token))];
        self.change(name, "SET answered = :yes REMOVE #open", "task_token = :token", &values).await?;
        Ok(())
    }

    /// Notes that the rows of a job are to be asked on demand. `refused`: Bedrock did not take it in batch, so that they
    /// were not asked yet.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn fall_back(&self, name: &str, reason: &str, refused: bool) -> Result<(), EngineError> {
        let values = [(":reason", text(reason)), (":refused", AttributeValue::Bool(refused))];
        let set = "SET fell_back = :reason, refused = :refused";
        self.change(name, set, "attribute_exists(job_name)", &values).await?;
        Ok(())
    }

    /// Notes why this job (or the join of this chunk) stops its run. What comes from an execution that no longer has the
    /// run in hand explains nothing, and is not noted.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn record_failure(&self, run_id: &str, name: &str, error: &EngineError) -> Result<(), EngineError> {
        if error.is_superseded() {
            return Ok(());
        }
        let values = [
            (":error", text(error.name())),
            (":cause", text(&error.message())),
            (":run", text(run_id)),
            (":index", number(0)),
        ];
        // A file of duplicates may have no item yet.
        let set = "SET failure_error = :error, failure_cause = :cause, run_id = :run, \
                   job_index = if_not_exists(job_index, :index)";
        self.change(name, set, "attribute_not_exists(run_id) OR run_id = :run", &values).await?;
        Ok(())
    }

    /// Forgets a reason that has passed.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn clear_failure(&self, name: &str) -> Result<(), EngineError> {
        let set = "SET answered = if_not_exists(answered, :no) REMOVE failure_error, failure_cause";
        self.change(name, set, "attribute_exists(job_name)", &[(":no", AttributeValue::Bool(false))]).await?;
        Ok(())
    }

    /// Stores what postprocess counted of a chunk, and forgets reasons that have passed. A chunk whose job nobody has
    /// begun, or a file of duplicates, gets an item for it.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn set_counts(
        &self,
        run_id: &str,
        name: &str,
        index: u32,
        counts: &JobCounts,
    ) -> Result<(), EngineError> {
        let json = serde_json::to_string(counts).map_err(|error| {
            EngineError::internal(format!("cannot write the counts of {name} as JSON")).caused_by(error)
        })?;
        let values = [(":counts", text(&json)), (":run", text(run_id)), (":index", number(index))];
        let set = "SET counts = :counts, run_id = :run, job_index = :index REMOVE failure_error, failure_cause";
        self.change(name, set, "attribute_not_exists(run_id) OR run_id = :run", &values).await?;
        Ok(())
    }

    /// All jobs of a run, in order of their numbers.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn of_run(&self, run_id: &str) -> Result<Vec<StoredJob>, EngineError> {
        let query = self.client.query().table_name(&self.table).index_name(RUN_INDEX.name);
        let condition = format!("{} = :run", RUN_INDEX.partition_key);
        let query = query.key_condition_expression(condition).expression_attribute_values(":run", text(run_id));
        let mut items = query.into_paginator().items().send();
        let mut jobs = Vec::new();
        while let Some(item) = items.next().await {
            let item =
                item.map_err(|error| EngineError::from_aws(format!("cannot list the jobs of {run_id}"), &error))?;
            jobs.push(read(&item));
        }
        Ok(jobs)
    }

    /// Updates an item if it meets the condition; says whether it did.
    async fn change(
        &self,
        name: &str,
        expression: &str,
        condition: &str,
        values: &[(&str, AttributeValue)],
    ) -> Result<bool, EngineError> {
        let (set, rest) = expression.split_once(" REMOVE ").map_or((expression, None), |(set, rest)| (set, Some(rest)));
        let mut full = format!("{set}, {} = :now, {TIME_TO_LIVE} = :expiry", OPEN_INDEX.sort_key);
        if let Some(rest) = rest {
            full.push_str(" REMOVE ");
            full.push_str(rest);
        }
        let update = self.client.update_item().table_name(&self.table).key(PARTITION_KEY, text(name));
        let mut update = update
            .condition_expression(condition)
            .expression_attribute_values(":now", text(&now()))
            .expression_attribute_values(":expiry", number(expiry()))
            .return_values(ReturnValue::None);
        for (name, value) in values {
            update = update.expression_attribute_values(*name, value.clone());
        }
        // Names that DynamoDB reserves.
        for (alias, attribute) in [("#open", OPEN_INDEX.partition_key), ("#status", "status")] {
            if full.contains(alias) {
                update = update.expression_attribute_names(alias, attribute);
            }
        }
        send(update.update_expression(full), name).await
    }
}

/// A job to be put into the table.
#[derive(Debug, Clone, Copy)]
pub struct NewJob<'a> {
    /// The run.
    pub run_id: &'a str,
    /// The execution that makes it.
    pub execution_arn: &'a str,
    /// The model.
    pub model_id: &'a str,
    /// Whether its rows may be asked on demand instead.
    pub may_fall_back: bool,
    /// The job.
    pub item: &'a JobItem,
}

async fn send(update: UpdateItemFluentBuilder, name: &str) -> Result<bool, EngineError> {
    match update.send().await {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
        Err(error) => Err(EngineError::from_aws(format!("cannot update job {name}"), &error)),
    }
}

fn read(item: &HashMap<String, AttributeValue>) -> StoredJob {
    let string = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    let count = |name: &str| item.get(name).and_then(|value| value.as_n().ok()).and_then(|n| n.parse::<u64>().ok());
    StoredJob {
        name: string(PARTITION_KEY).unwrap_or_default(),
        run_id: string(RUN_INDEX.partition_key).unwrap_or_default(),
        index: count(RUN_INDEX.sort_key).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        records: count("records").unwrap_or(0),
        round: count("round").and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        lane: string("lane").and_then(|name| Lane::parse(&name)),
        execution_arn: string("execution_arn").unwrap_or_default(),
        task_token: string("task_token").unwrap_or_default(),
        answered: item.get("answered").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false),
        job_arn: string("job_arn"),
        status: string("status").map(|name| JobStatus::parse(&name)),
        message: string("message"),
        asking_until: count("asking_until").unwrap_or(0),
        processed: count("processed_records"),
        may_fall_back: item.get("may_fall_back").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false),
        refused: item.get("refused").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false),
        fell_back: string("fell_back"),
        failure: string("failure_error").zip(string("failure_cause")),
        counts: string("counts").and_then(|json| serde_json::from_str(&json).ok()),
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

fn now() -> String {
    DateTime::from(SystemTime::now()).fmt(Format::DateTime).unwrap_or_default()
}

fn expiry() -> i64 {
    DateTime::from(SystemTime::now()).secs() + KEPT_SECONDS
}
