//! Emails about executions whose state machine cannot report their end itself: standalone runs, and stopped pipelines.

use super::input::{EndedExecution, FailedPipeline};
use super::linker::Linker;
use super::{Notifier, shown_execution};
use crate::error::EngineError;
use crate::finalize::{StateError, error_message_of};
use crate::time;
use bedrock_batch_domain::email::{Completed, Ending, Failed, StageReport, Subject};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::pipeline::is_stage_input;
use bedrock_batch_domain::summary::RunOutput;
use serde::Serialize;

/// Default validity of links in days.
const DEFAULT_DAYS: u32 = 7;
/// Maximum validity of links in days.
const MAX_DAYS: u32 = 90;

/// Result of handling an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NotifyOutcome {
    /// An email was sent.
    Sent,
    /// No email: the pipeline reports this execution, or it has not ended.
    Silent,
}

impl Notifier {
    pub(super) async fn execution_ended(&self, ended: &EndedExecution) -> Result<NotifyOutcome, EngineError> {
        let ending = ended.ending();
        match (ended.is_pipeline(), ending) {
            (true, Some(ending @ (Ending::Aborted | Ending::TimedOut))) => self.pipeline_stopped(ended, ending).await?,
            (false, _) if ended.input.as_deref().is_some_and(is_stage_input) => return Ok(NotifyOutcome::Silent),
            (false, Some(ending)) => self.run_failed(ended, ending).await?,
            (false, None) if ended.status == "SUCCEEDED" => self.run_succeeded(ended).await?,
            _ => return Ok(NotifyOutcome::Silent),
        }
        Ok(NotifyOutcome::Sent)
    }

    async fn pipeline_stopped(&self, ended: &EndedExecution, ending: Ending) -> Result<(), EngineError> {
        let (error, cause) = self.error_of(ended).await?;
        let input = ended.input.as_deref().and_then(|input| serde_json::from_str(input).ok());
        let failure = FailedPipeline {
            execution_name: ended.name.clone(),
            execution_arn: ended.execution_arn.clone(),
            started_at: ended.started.map(time::text).unwrap_or_default(),
            input: input.unwrap_or_default(),
            error: StateError { error, cause },
            ending,
        };
        self.pipeline_failed(&failure).await?;
        Ok(())
    }

    async fn run_succeeded(&self, ended: &EndedExecution) -> Result<(), EngineError> {
        let run_id = ended.run_id();
        let output: RunOutput = self.bucket.get_json(&Layout::summary_key(&run_id)).await?;
        let linker = Linker::new(self, output.link_days.map_or(DEFAULT_DAYS, |days| days.clamp(1, MAX_DAYS))).await?;
        let files = linker.files(&run_id, &output).await?;
        let model_id = output.model_id.clone().unwrap_or_else(|| "not recorded".to_owned());
        let email = Completed {
            subject: Subject::Run(run_id.clone()),
            run_id: run_id.clone(),
            started: started(ended),
            seconds: ended.duration(),
            stages: vec![StageReport { stage_name: None, model_id, output }],
            files,
            links_end: linker.end(),
            console: shown_execution(&ended.execution_arn),
        };
        self.mailer.send(&email.email()).await?;
        tracing::info!(%run_id, "run_completion_notified");
        Ok(())
    }

    async fn run_failed(&self, ended: &EndedExecution, ending: Ending) -> Result<(), EngineError> {
        let run_id = ended.run_id();
        let (error, cause) = self.error_of(ended).await?;
        let email = Failed {
            subject: Subject::Run(run_id.clone()),
            run_id: run_id.clone(),
            ending,
            stage: None,
            error,
            cause: error_message_of(&cause),
            started: started(ended),
            seconds: ended.duration(),
            console: shown_execution(&ended.execution_arn),
            done: Vec::new(),
            links_end: None,
            resumable: self.bucket.is_listed(&Layout::plan_key(&run_id)).await?,
            later_stages: Vec::new(),
        };
        self.mailer.send(&email.email()).await?;
        tracing::info!(%run_id, error_type = email.error, "run_failure_notified");
        Ok(())
    }

    /// Returns the error and the cause that an execution ended with, which an event may omit.
    async fn error_of(&self, ended: &EndedExecution) -> Result<(String, String), EngineError> {
        let (mut error, mut cause) = (ended.error.clone(), ended.cause.clone());
        if error.is_none()
            && cause.is_none()
            && let Some(described) = self.described(&ended.execution_arn).await?
        {
            (error, cause) = (described.error, described.cause);
        }
        Ok((error.unwrap_or_default(), cause.unwrap_or_default()))
    }
}

fn started(ended: &EndedExecution) -> String {
    ended.started.map_or_else(|| "unknown".to_owned(), time::minute)
}
