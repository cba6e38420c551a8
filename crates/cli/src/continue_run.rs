//! Continues a run that has ended: the common part of `resume` and `collect`.

use crate::executions::Orchestrator;
use crate::failure::Failure;
use crate::follow::follow;
use crate::run::Run;
use crate::run_progress::{open_jobs, quantity};
use crate::stack::Stack;
use crate::terminal::{errln, outln};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bedrock_batch_domain::ids::RunId;
use clap::Args;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::time::SystemTime;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Name of the run
    run: String,
    /// Wait until the execution ends and show its progress; exit with code 1 if it fails
    #[arg(long)]
    wait: bool,
}

/// Way to continue an ended run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Continuation {
    /// Submits the rows that have no answer yet.
    Resume,
    /// Joins the existing answers.
    Collect,
}

impl Continuation {
    fn verb(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Collect => "collect",
        }
    }

    /// Execution input that requests this continuation.
    fn input(self, run: &str) -> Value {
        let field = format!("{}_run", self.verb());
        Value::Object(Map::from_iter([(field, Value::from(run))]))
    }
}

/// Starts an execution that continues a run.
pub(crate) async fn continue_run(
    stack: &Stack,
    arguments: &Arguments,
    continuation: Continuation,
) -> Result<(), Failure> {
    let run = &arguments.run;
    refuse_pipeline(stack, run, continuation).await?;
    check(stack, &stack.run(run).await?, continuation).await?;
    let name = execution_name(run, continuation, DateTime::from(SystemTime::now()));
    let arn = stack.start_execution(Orchestrator::Batch, &name, &continuation.input(run)).await?;
    errln!("execution {name} {}s run {run}", continuation.verb());
    outln!("{name}");
    if !arguments.wait {
        errln!("watch it with `bedrock-batch status {run}`");
        return Ok(());
    }
    follow(stack, run, &arn).await
}

/// Rejects the name of a pipeline run: its stages are runs, the pipeline itself is not.
async fn refuse_pipeline(stack: &Stack, name: &str, continuation: Continuation) -> Result<(), Failure> {
    let Some(pipeline) = stack.pipeline(name).await? else { return Ok(()) };
    let stages = pipeline.stages.iter().map(|stage| format!("{} ({})", stage.execution_name, stage.stage_name));
    let stages = stages.collect::<Vec<_>>().join(", ");
    let verb = continuation.verb();
    Err(Failure::Usage(format!("`{name}` is a pipeline run: {verb} the run of one of its stages instead: {stages}")))
}

/// Reports immediately the errors that the execution would fail with minutes later.
async fn check(stack: &Stack, run: &Run, continuation: Continuation) -> Result<(), Failure> {
    run.ensure_own_run()?;
    let name = &run.name;
    if let Some(execution) = run.running() {
        let advice = format!("wait until it ends, or stop it first: `bedrock-batch stop {name}`");
        return Err(Failure::Usage(format!(
            "run `{name}` is still running (execution {}): {advice}",
            execution.name()
        )));
    }
    let Some(plan) = &run.plan else {
        let advice = "start it again with its own input: `bedrock-batch start`";
        let outcome = run.outcome();
        return Err(Failure::Usage(format!("run `{name}` ended before it submitted anything ({outcome}): {advice}")));
    };
    if continuation == Continuation::Collect {
        let open = open_jobs(&stack.jobs(plan).await?) as u64;
        if open > 0 {
            let jobs = quantity(open, "job");
            let advice = "try again in a few minutes: stopped jobs still write the answers that they have";
            return Err(Failure::Usage(format!("run `{name}` has {jobs} that Bedrock has not ended yet: {advice}")));
        }
    }
    Ok(())
}

/// Maximum number of characters in the name of an execution.
const MAX_NAME_LENGTH: usize = 80;

/// Returns `<run>-resume-20261120T130507`. Within one second it is the same execution, so that repeating the command by
/// accident does not resume a run twice. A name that has to be truncated ends in a short hash of the full one.
fn execution_name(run: &str, continuation: Continuation, now: DateTime) -> String {
    let time = DateTime::from_secs(now.secs()).fmt(Format::DateTime).unwrap_or_default();
    let time: String = time.chars().filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    let suffix = format!("-{}-{time}", continuation.verb());
    let clean = String::from(RunId::of_execution(run));
    let room = MAX_NAME_LENGTH - suffix.len();
    if clean.len() <= room {
        return format!("{clean}{suffix}");
    }
    let hash = &hex::encode(Sha256::digest(run))[..4];
    let kept: String = clean.chars().take(room - hash.len() - 1).collect();
    format!("{kept}-{hash}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(run: &str) -> String {
        execution_name(run, Continuation::Resume, DateTime::from_secs_and_nanos(1_795_179_907, 5))
    }

    #[test]
    fn an_execution_is_named_after_its_run_and_start_time() {
        assert_eq!(name("tickets-1"), "tickets-1-resume-20261120T130507");
    }

    #[test]
    fn long_and_unusual_names_are_made_valid_for_step_functions_and_stay_distinct() {
        let (a, b) = (format!("{}a", "r".repeat(79)), format!("{}b", "r".repeat(79)));
        assert_ne!(name(&a), name(&b));
        for run in [a.as_str(), "r", "a=b ü", "."] {
            let name = name(run);
            assert!(name.len() <= MAX_NAME_LENGTH, "{name}");
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{name}");
        }
    }

    #[test]
    fn the_input_contains_only_the_run() {
        assert_eq!(Continuation::Resume.input("a").to_string(), r#"{"resume_run":"a"}"#);
        assert_eq!(Continuation::Collect.input("a").to_string(), r#"{"collect_run":"a"}"#);
    }
}
