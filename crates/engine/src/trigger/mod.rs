//! Trigger: an upload under `trigger/` starts one execution, however often its event is delivered. At most a certain number of
//! these executions run at the same time; further uploads wait in a queue.

mod configs;
mod queue;
mod slots;
mod start;
mod uploaded;

pub use configs::{Configs, load_configs};
pub use queue::UploadQueue;

use crate::error::EngineError;
use crate::job_table::JobTable;
use crate::mailer::Mailer;
use crate::objects::Bucket;
use crate::time;
use bedrock_batch_domain::email::NotStarted;
use bedrock_batch_domain::error_name::ErrorName;
use bedrock_batch_domain::ids::StateMachineArn;
use bedrock_batch_domain::input::RunCaps;
use bedrock_batch_domain::problem::Problems;
use bedrock_batch_domain::trigger::{Upload, UploadAction, action_for, error_key};
use serde::Serialize;

/// Created object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectCreated {
    /// Bucket of the object.
    pub bucket: String,
    /// Upload that created it.
    pub upload: Upload,
}

/// Starts executions for uploads.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Step Functions client.
    pub step_functions: aws_sdk_sfn::Client,
    /// Bucket of the stack.
    pub bucket: Bucket,
    /// ARN of the batch orchestrator.
    pub batch_orchestrator: StateMachineArn,
    /// ARN of the pipeline orchestrator.
    pub pipeline_orchestrator: StateMachineArn,
    /// Sender of the emails.
    pub mailer: Mailer,
    /// Deployed configurations.
    pub configs: Configs,
    /// If true, an uploaded JSON may be an execution input.
    pub takes_inputs: bool,
    /// Limits of each run that an upload starts.
    pub caps: RunCaps,
    /// Job table, for the slots of executions.
    pub jobs: JobTable,
    /// Queue of the events.
    pub queue: UploadQueue,
}

/// Result of handling an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Triggered {
    /// It started this execution, now or at an earlier delivery of the event.
    Started(String),
    /// It went back to the queue, because as many executions run as may.
    Waiting,
    /// It was ignored, for this reason.
    Ignored(&'static str),
    /// It cannot start anything because of this number of problems, which were stored and sent by email.
    Refused(usize),
}

/// Content of the file that is written next to an upload that started nothing.
#[derive(Debug, Serialize)]
struct ErrorFile<'a> {
    key: &'a str,
    error: &'static str,
    problems: Vec<String>,
    time: String,
}

impl Trigger {
    /// Handles an upload; `event` is the text of its event, which arrives again if the upload has to wait.
    ///
    /// # Errors
    /// Returns an error if an AWS request fails. An invalid upload is not an error: it is reported once and never retried.
    pub async fn handle(&self, created: Option<ObjectCreated>, event: &str) -> Result<Triggered, EngineError> {
        let ours = created.filter(|created| created.bucket == self.bucket.name());
        let Some(ObjectCreated { upload, .. }) = ours else {
            return Ok(ignored("it is not an upload into the stack's bucket"));
        };
        let action = action_for(&upload.key, self.takes_inputs);
        if matches!(action, UploadAction::Start | UploadAction::StartConfig { .. }) {
            if self.has_to_wait(&upload).await? {
                return self.wait(event).await;
            }
            if let Some(execution) = self.started_before(&upload).await? {
                return Ok(Triggered::Started(execution));
            }
            if let Some(problem) = self.change_since(&upload).await? {
                if upload.size == Some(0) {
                    return Ok(ignored("it was empty, and has been replaced since"));
                }
                return self.refuse(&upload, &problem.into()).await;
            }
        }
        let started = match action {
            UploadAction::Ignore(reason) => return Ok(ignored(reason)),
            UploadAction::Reject(problem) => Err(problem.into()),
            UploadAction::Start => self.start_uploaded(&upload).await,
            UploadAction::StartConfig { config } => self.start_config(&upload, &config).await,
        };
        match started {
            Ok(Some(execution)) => {
                tracing::info!(execution, "upload_execution_started");
                Ok(Triggered::Started(execution))
            }
            Ok(None) => self.wait(event).await,
            Err(error) => self.refuse(&upload, &error.into_problems()?).await,
        }
    }

    async fn wait(&self, event: &str) -> Result<Triggered, EngineError> {
        self.queue.put_back(event).await?;
        tracing::info!(max_executions = self.queue.max_executions, "upload_waits_for_executions");
        Ok(Triggered::Waiting)
    }

    /// Stores the problems next to the upload and sends them by email.
    async fn refuse(&self, upload: &Upload, problems: &Problems) -> Result<Triggered, EngineError> {
        let problems = problems.as_slice();
        let error_key = error_key(&upload.key);
        let file = ErrorFile {
            key: &upload.key,
            error: ErrorName::InvalidInput.as_str(),
            problems: problems.iter().map(ToString::to_string).collect(),
            time: time::now_as_text(),
        };
        self.bucket.put_json(&error_key, &file).await?;
        let email = NotStarted {
            upload: self.bucket.uri(&upload.key),
            error_file: self.bucket.uri(error_key),
            problems: problems.to_vec(),
        };
        self.mailer.send(&email.email()).await?;
        tracing::warn!(problems = problems.len(), "upload_refused");
        Ok(Triggered::Refused(problems.len()))
    }
}

fn ignored(reason: &'static str) -> Triggered {
    tracing::info!(reason, ignored = 1, "upload_ignored");
    Triggered::Ignored(reason)
}
