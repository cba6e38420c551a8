//! The job table (DynamoDB): one item a job, keyed by the job's name. What stands in it before a job exists is why no
//! job is lost, and its conditions are why late, repeated and mixed-up events change nothing.

use crate::error::EngineError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::plan::JobItem;
use bedrock_batch_domain::summary::JobCounts;
use std::collections::HashMap;
use std::time::SystemTime;

/// Items disappear so long after their last change.
const KEPT_SECONDS: i64 = 90 * 24 * 3600;
/// The index of a run's jobs.
const RUN_INDEX: &str = "run-index";
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
    /// Records that Bedrock has processed, as far as it says.
    pub processed: Option<u64>,
    /// Why this job stopped its run: an error name and a cause.
    pub failure: Option<(String, String)>,
    /// What postprocess counted; there once the job's rows are written.
    pub counts: Option<JobCounts>,
}

impl StoredJob {
    /// Whether a state machine waits to hear of it.
    pub fn waiting(&self) -> bool {
        !self.task_token.is_empty() && !self.answered
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

    /// Puts a job that does not exist at Bedrock yet, with the token of the one who waits for it. If its item is there
    /// already, the token of a new attempt takes the old one's place. Returns the item as it is then.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn begin(
        &self,
        run_id: &str,
        model_id: &str,
        job: &JobItem,
        token: &str,
    ) -> Result<StoredJob, EngineError> {
        let put = self.client.put_item().table_name(&self.table).item("job_name", text(&job.name));
        let put = put
            .item("run_id", text(run_id))
            .item("job_index", number(job.index))
            .item("model_id", text(model_id))
            .item("records", number(job.records))
            .item("input_uri", text(&job.input_uri))
            .item("output_uri", text(&job.output_uri))
            .item("task_token", text(token))
            .item("open", text(OPEN))
            .item("created_at", text(&now()))
            .item("updated_at", text(&now()))
            .item("expires_at", number(expiry()))
            .condition_expression("attribute_not_exists(job_name)");
        match put.send().await {
            Ok(_) => {}
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                // A new attempt of the state machine waits with a new token; the same token changes nothing.
                self.change(
                    &job.name,
                    "SET task_token = :token, answered = :no, #open = :open",
                    "task_token <> :token",
                    &[(":token", text(token)), (":no", AttributeValue::Bool(false)), (":open", text(OPEN))],
                )
                .await?;
            }
            Err(error) => return Err(EngineError::from_aws(format!("cannot store job {}", job.name), &error)),
        }
        let stored = self.get(&job.name).await?;
        stored.ok_or_else(|| EngineError::Transient(format!("job {} went missing from the table", job.name)))
    }

    /// The job of this name.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn get(&self, name: &str) -> Result<Option<StoredJob>, EngineError> {
        let get = self.client.get_item().table_name(&self.table).key("job_name", text(name)).consistent_read(true);
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

    /// Notes that `token` was answered: the job is no longer open. A newer token stays unanswered.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn mark_answered(&self, name: &str, token: &str) -> Result<(), EngineError> {
        let values = [(":yes", AttributeValue::Bool(true)), (":token", text(token))];
        self.change(name, "SET answered = :yes REMOVE #open", "task_token = :token", &values).await?;
        Ok(())
    }

    /// Notes why this job stops its run.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn record_failure(&self, name: &str, error: &str, cause: &str) -> Result<(), EngineError> {
        let values = [(":error", text(error)), (":cause", text(cause))];
        let set = "SET failure_error = :error, failure_cause = :cause";
        self.change(name, set, "attribute_exists(job_name)", &values).await?;
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

    /// Stores what postprocess counted, and forgets reasons that have passed.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn set_counts(&self, name: &str, counts: &JobCounts) -> Result<(), EngineError> {
        let json = serde_json::to_string(counts).map_err(|error| EngineError::Transient(error.to_string()))?;
        let values = [(":counts", text(&json))];
        let set = "SET counts = :counts REMOVE failure_error, failure_cause";
        self.change(name, set, "attribute_exists(job_name)", &values).await?;
        Ok(())
    }

    /// All jobs of a run, in order of their numbers.
    ///
    /// # Errors
    /// As DynamoDB fails.
    pub async fn of_run(&self, run_id: &str) -> Result<Vec<StoredJob>, EngineError> {
        let query = self.client.query().table_name(&self.table).index_name(RUN_INDEX);
        let query = query.key_condition_expression("run_id = :run").expression_attribute_values(":run", text(run_id));
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
        let mut full = format!("{set}, updated_at = :now, expires_at = :expiry");
        if let Some(rest) = rest {
            full.push_str(" REMOVE ");
            full.push_str(rest);
        }
        let update = self.client.update_item().table_name(&self.table).key("job_name", text(name));
        let mut update = update
            .condition_expression(condition)
            .expression_attribute_values(":now", text(&now()))
            .expression_attribute_values(":expiry", number(expiry()))
            .return_values(ReturnValue::None);
        for (name, value) in values {
            update = update.expression_attribute_values(*name, value.clone());
        }
        // Names that DynamoDB reserves.
        for (alias, attribute) in [("#open", "open"), ("#status", "status")] {
            if full.contains(alias) {
                update = update.expression_attribute_names(alias, attribute);
            }
        }
        send(update.update_expression(full), name).await
    }
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
        name: string("job_name").unwrap_or_default(),
        run_id: string("run_id").unwrap_or_default(),
        index: count("job_index").and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        records: count("records").unwrap_or(0),
        task_token: string("task_token").unwrap_or_default(),
        answered: item.get("answered").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false),
        job_arn: string("job_arn"),
        status: string("status").map(|name| JobStatus::parse(&name)),
        message: string("message"),
        processed: count("processed_records"),
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
