//! Email about a pipeline that failed, timed out, or was stopped.

use super::input::FailedPipeline;
use super::linker::Linker;
use super::stages::FailedAt;
use super::{Notifier, shown_execution};
use crate::error::EngineError;
use crate::finalize::{Explanation, error_message_of};
use crate::time;
use bedrock_batch_domain::email::{Ending, Failed, FailedStage, LaterStage, Subject};
use bedrock_batch_domain::error_name::ErrorName;
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::pipeline::{Pipeline, stage_input_key};
use serde_json::Value;

impl Notifier {
    /// Determines which stage failed and why, sends an email with links to the files of the completed stages, and returns
    /// the error for the execution to end with.
    pub(super) async fn pipeline_failed(&self, failure: &FailedPipeline) -> Result<Explanation, EngineError> {
        let pipeline_run_id = RunId::of_execution(&failure.execution_name);
        let pipeline: Option<Pipeline> = self.bucket.find_json(&Layout::pipeline_key(&pipeline_run_id)).await?;
        let started = time::second(&failure.started_at);
        let mut email = Failed {
            subject: Subject::Pipeline(pipeline_name(failure, pipeline.as_ref())),
            run_id: pipeline_run_id.clone(),
            ending: failure.ending,
            stage: None,
            error: failure.error.error.clone(),
            cause: error_message_of(&failure.error.cause),
            started: started.map_or_else(|| failure.started_at.clone(), time::minute),
            seconds: started.and_then(|started| time::now().checked_sub(started)),
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
        tracing::info!(%pipeline_run_id, error_type = explained.error, "pipeline_failure_notified");
        Ok(explained)
    }

    async fn add_stages(&self, email: &mut Failed, pipeline: &Pipeline, cause: &str) -> Result<(), EngineError> {
        if is_function_error(cause) {
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
            console: shown_execution(&pipeline.execution_arn.of_stage(&stage.execution_name)),
        });
        adopt_error_of_stage(email, at);
        email.resumable = self.bucket.is_listed(&Layout::plan_key(&stage.run_id)).await?;
        let later = pipeline.stages.iter().enumerate().skip(index + 1).map(|(index, stage)| LaterStage {
            stage_name: stage.stage_name.clone(),
            execution_name: stage.execution_name.clone(),
            input_uri: self.bucket.uri(stage_input_key(&pipeline.pipeline_run_id, index)).to_string(),
        });
        email.later_stages = later.collect();
        Ok(())
    }
}

/// Returns true if the cause is that of a function, as when validate fails; that of a failed stage describes an execution.
fn is_function_error(cause: &str) -> bool {
    let parsed: Option<Value> = serde_json::from_str(cause).ok();
    parsed.is_some_and(|parsed| parsed.get("errorMessage").is_some())
}

fn pipeline_name(failure: &FailedPipeline, pipeline: Option<&Pipeline>) -> String {
    let requested = || failure.input.get("pipeline_name").and_then(Value::as_str).map(str::to_owned);
    pipeline.map(|pipeline| pipeline.pipeline_name.clone()).or_else(requested).unwrap_or(failure.execution_name.clone())
}

/// Replaces error and cause by those of the stage, if it has any. A stopped pipeline keeps its own, which name the reason
/// of the stop.
fn adopt_error_of_stage(email: &mut Failed, at: FailedAt) {
    if email.ending != Ending::Failed && !email.error.is_empty() {
        return;
    }
    if let Some(error) = at.error.filter(|error| !error.is_empty()) {
        email.error = error;
        email.cause = at.cause.map(|cause| error_message_of(&cause)).unwrap_or_default();
    } else if let Some(status @ ("ABORTED" | "TIMED_OUT")) = at.status.as_deref() {
        let outcome = if status == "ABORTED" { "was stopped" } else { "timed out" };
        email.cause = format!("the execution of the stage {outcome}");
    }
}

/// Returns the error for the execution to end with: always one of the contract. Another error name becomes part of the
/// cause.
fn explanation(email: &Failed) -> Explanation {
    let place = email.stage.as_ref().map(|stage| {
        format!("stage `{}` ({} of {}, run {}): ", stage.stage_name, stage.number, stage.of, stage.run_id)
    });
    let place = place.unwrap_or_default();
    let (error, other) = match ErrorName::parse(&email.error) {
        Some(name) => (name, String::new()),
        None if email.error.is_empty() => (ErrorName::JobFailed, String::new()),
        None => (ErrorName::JobFailed, format!("{}: ", email.error)),
    };
    let cause = format!("{place}{other}{}", email.cause);
    Explanation::new(error.as_str(), &cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(ending: Ending, error: &str) -> Failed {
        Failed {
            subject: Subject::Pipeline("p".to_owned()),
            run_id: RunId::of_execution("p"),
            ending,
            stage: Some(FailedStage {
                stage_name: "color".to_owned(),
                number: 2,
                of: 3,
                run_id: RunId::of_execution("p-1-ab"),
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
        adopt_error_of_stage(&mut email, at);
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
    fn a_stopped_stage_is_reported_as_stopped() {
        let (error, cause) = explained(email(Ending::Failed, "States.TaskFailed"), None, "ABORTED");
        assert_eq!(error, "JobFailed");
        let expected = "stage `color` (2 of 3, run p-1-ab): States.TaskFailed: the execution of the stage was stopped";
        assert_eq!(cause, expected);
    }

    #[test]
    fn a_stopped_pipeline_keeps_its_own_reason() {
        let (error, cause) = explained(email(Ending::Aborted, "Stopped"), Some("States.Aborted"), "ABORTED");
        assert_eq!((error.as_str(), cause.ends_with("Stopped: the parent's words")), ("JobFailed", true));
    }

    #[test]
    fn an_error_always_has_a_name_and_its_cause_is_truncated() {
        let mut email = email(Ending::Failed, "");
        email.cause = "x\u{9b}".repeat(100_000);
        let explained = explanation(&email);
        assert_eq!(explained.error, "JobFailed");
        assert!(explained.cause.chars().count() <= 32_768, "{}", explained.cause.len());
        assert!(explained.cause.ends_with(" more characters)") && !explained.cause.contains('\u{9b}'));
    }

    #[test]
    fn causes_of_functions_and_executions_are_distinguished() {
        assert!(is_function_error(r#"{"errorMessage":"2 problems","errorType":"InvalidInput"}"#));
        assert!(!is_function_error(r#"{"ExecutionArn":"arn","Error":"JobFailed"}"#));
        assert!(!is_function_error("text"));
    }
}
