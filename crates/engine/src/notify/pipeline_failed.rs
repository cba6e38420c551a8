//! A pipeline that failed, timed out, or was stopped.

use super::input::FailedPipeline;
use super::linker::Linker;
use super::stages::FailedAt;
use super::{Notifier, shown_execution};
use crate::error::EngineError;
use crate::finalize::{Explanation, words_of};
use crate::moments;
use bedrock_batch_domain::email::{Ending, Failed, FailedStage, LaterStage, Subject};
use bedrock_batch_domain::error_name::{self, JOB_FAILED};
use bedrock_batch_domain::layout::{Layout, run_id};
use bedrock_batch_domain::links::sibling_execution;
use bedrock_batch_domain::pipeline::{Pipeline, stage_input_key};
use bedrock_batch_domain::s3_uri::S3Uri;
use serde_json::Value;

/// The most characters of a cause; Step Functions takes 32,768.
const LONGEST_CAUSE: usize = 30_000;

impl Notifier {
    /// Finds out which stage failed and why, sends it with links to what is complete, and returns what the execution is
    /// to end with.
    pub(super) async fn pipeline_failed(&self, failure: &FailedPipeline) -> Result<Explanation, EngineError> {
        let pipeline_run_id = run_id(&failure.execution_name);
        let pipeline: Option<Pipeline> = self.read(&Layout::pipeline_key(&pipeline_run_id)).await?;
        let started = moments::second(&failure.started_at);
        let mut email = Failed {
            what: Subject::Pipeline(pipeline_name(failure, pipeline.as_ref())),
            run_id: pipeline_run_id.clone(),
            ending: failure.ending,
            stage: None,
            error: failure.error.error.clone(),
            cause: words_of(&failure.error.cause),
            started: started.map_or_else(|| failure.started_at.clone(), moments::minute),
            seconds: started.and_then(|started| moments::now().checked_sub(started)),
            console: shown_execution(&failure.execution_arn),
            done: Vec::new(),
            links_end: None,
            resumable: false,
            later_stages: Vec::new(),
        };
        if let Some(pipeline) = &pipeline {
            self.add_stages(&mut email, pipeline, &failure.error.cause).await?;
        }
        self.mailer.send(&email.email()).await?;
        let explained = explanation(&email);
        tracing::info!(pipeline_run_id, error_type = explained.error, "a failed pipeline was told of");
        Ok(explained)
    }

    async fn add_stages(&self, email: &mut Failed, pipeline: &Pipeline, cause: &str) -> Result<(), EngineError> {
        if is_of_a_function(cause) {
            return Ok(());
        }
        let linker = Linker::new(self, pipeline.presigned_url_expiry_days).await?;
        let failed = self.failed_stage(pipeline, cause).await?;
        let before = failed.as_ref().map_or(pipeline.stages.len(), |at| at.index);
        email.done = self.done_stages(&pipeline.stages[..before], &linker).await?;
        email.links_end = Some(linker.end());
        let Some((at, stage)) = failed.and_then(|at| pipeline.stages.get(at.index).map(|stage| (at, stage))) else {
            return Ok(());
        };
        let index = at.index;
        email.stage = Some(FailedStage {
            stage_name: stage.stage_name.clone(),
            number: index + 1,
            of: pipeline.stages.len(),
            run_id: stage.run_id.clone(),
            console: sibling_execution(&pipeline.execution_arn, &stage.execution_name)
                .map(|arn| shown_execution(&arn))
                .unwrap_or_default(),
        });
        take_words_of_the_stage(email, at);
        email.resumable = self.has(&Layout::plan_key(&stage.run_id)).await?;
        let later = pipeline.stages.iter().enumerate().skip(index + 1).map(|(index, stage)| LaterStage {
            stage_name: stage.stage_name.clone(),
            execution_name: stage.execution_name.clone(),
            input_uri: S3Uri::new(&self.bucket, stage_input_key(&pipeline.pipeline_run_id, index)).to_string(),
        });
        email.later_stages = later.collect();
        Ok(())
    }
}

/// Validate fails with the words of a function; a stage with those of an execution.
fn is_of_a_function(cause: &str) -> bool {
    let said: Option<Value> = serde_json::from_str(cause).ok();
    said.is_some_and(|said| said.get("errorMessage").is_some())
}

fn pipeline_name(failure: &FailedPipeline, pipeline: Option<&Pipeline>) -> String {
    let asked = || failure.input.get("pipeline_name").and_then(Value::as_str).map(str::to_owned);
    pipeline.map(|pipeline| pipeline.pipeline_name.clone()).or_else(asked).unwrap_or(failure.execution_name.clone())
}

/// The stage's own error and cause, where it gives any. That of a pipeline that was stopped says who stopped it.
fn take_words_of_the_stage(email: &mut Failed, at: FailedAt) {
    let (gone, stopped) = (email.ending != Ending::Failed, at.status.as_deref());
    if gone && !email.error.is_empty() {
        return;
    }
    if let Some(error) = at.error.filter(|error| !error.is_empty()) {
        email.error = error;
        email.cause = at.cause.map(|cause| words_of(&cause)).unwrap_or_default();
    } else if let Some(status @ ("ABORTED" | "TIMED_OUT")) = stopped {
        let how = if status == "ABORTED" { "was stopped" } else { "timed out" };
        email.cause = format!("the execution of the stage {how}");
    }
}

/// What the execution ends with: always an error of the contract. Another name goes into the cause.
fn explanation(email: &Failed) -> Explanation {
    let place = email.stage.as_ref().map(|stage| {
        format!("stage `{}` ({} of {}, run {}): ", stage.stage_name, stage.number, stage.of, stage.run_id)
    });
    let place = place.unwrap_or_default();
    let (error, other) = match error_name::ALL.iter().find(|known| known.value == email.error) {
        Some(known) => (known.value, String::new()),
        None if email.error.is_empty() => (JOB_FAILED, String::new()),
        None => (JOB_FAILED, format!("{}: ", email.error)),
    };
    let cause = format!("{place}{other}{}", email.cause);
    Explanation { error: error.to_owned(), cause: cause.chars().take(LONGEST_CAUSE).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(ending: Ending, error: &str) -> Failed {
        Failed {
            what: Subject::Pipeline("p".to_owned()),
            run_id: "p".to_owned(),
            ending,
            stage: Some(FailedStage {
                stage_name: "color".to_owned(),
                number: 2,
                of: 3,
                run_id: "p-1-ab".to_owned(),
                console: String::new(),
            }),
            error: error.to_owned(),
            cause: "the parent's words".to_owned(),
            started: String::new(),
            seconds: None,
            console: String::new(),
            done: Vec::new(),
            links_end: None,
            resumable: false,
            later_stages: Vec::new(),
        }
    }

    fn explained(mut email: Failed, error: Option<&str>, status: &str) -> (String, String) {
        let cause = error.map(|_| r#"{"errorMessage":"no access"}"#.to_owned());
        let at = FailedAt { index: 1, error: error.map(str::to_owned), cause, status: Some(status.to_owned()) };
        take_words_of_the_stage(&mut email, at);
        let explained = explanation(&email);
        (explained.error, explained.cause)
    }

    #[test]
    fn a_pipeline_ends_with_the_error_of_its_stage() {
        let (error, cause) = explained(email(Ending::Failed, "States.TaskFailed"), Some("JobFailed"), "FAILED");
        assert_eq!(error, "JobFailed");
        assert_eq!(cause, "stage `color` (2 of 3, run p-1-ab): no access");
    }

    #[test]
    fn a_stage_that_was_stopped_is_said_to_be() {
        let (error, cause) = explained(email(Ending::Failed, "States.TaskFailed"), None, "ABORTED");
        assert_eq!(error, "JobFailed");
        let expected = "stage `color` (2 of 3, run p-1-ab): States.TaskFailed: the execution of the stage was stopped";
        assert_eq!(cause, expected);
    }

    #[test]
    fn a_pipeline_that_was_stopped_keeps_the_reason_that_was_given() {
        let (error, cause) = explained(email(Ending::Aborted, "Stopped"), Some("States.Aborted"), "ABORTED");
        assert_eq!((error.as_str(), cause.ends_with("Stopped: the parent's words")), ("JobFailed", true));
    }

    #[test]
    fn an_error_always_has_a_name_and_a_cause_fits() {
        let mut email = email(Ending::Failed, "");
        email.cause = "x".repeat(100_000);
        let explained = explanation(&email);
        assert_eq!((explained.error.as_str(), explained.cause.len()), ("JobFailed", LONGEST_CAUSE));
    }

    #[test]
    fn validate_is_told_from_stages_by_its_words() {
        assert!(is_of_a_function(r#"{"errorMessage":"2 problems","errorType":"InvalidInput"}"#));
        assert!(!is_of_a_function(r#"{"ExecutionArn":"arn","Error":"JobFailed"}"#));
        assert!(!is_of_a_function("text"));
    }
}
