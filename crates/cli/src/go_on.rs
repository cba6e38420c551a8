//! Going on with a run that has ended: what `resume` and `collect` have in common.

use crate::executions::Orchestrator;
use crate::failure::Failure;
use crate::follow::follow;
use crate::run::Run;
use crate::say::say;
use crate::stack::Stack;
use crate::standing::{number, open_jobs};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bedrock_batch_domain::layout::run_id;
use clap::Args;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::time::SystemTime;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The run's name
    run: String,
    /// Wait for the end, drawing progress; exit with 1 if it fails
    #[arg(long)]
    wait: bool,
}

/// What is done with the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoOn {
    /// Ask what is not answered yet.
    Resume,
    /// Join the answers that there are.
    Collect,
}

impl GoOn {
    fn word(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Collect => "collect",
        }
    }

    /// The execution input that asks for it.
    fn input(self, run: &str) -> Value {
        let field = format!("{}_run", self.word());
        Value::Object(Map::from_iter([(field, Value::from(run))]))
    }
}

/// Starts an execution that goes on with a run.
pub(crate) async fn go_on(stack: &Stack, arguments: &Arguments, how: GoOn) -> Result<(), Failure> {
    let run = &arguments.run;
    refuse_pipeline(stack, run, how).await?;
    check(stack, &stack.run(run).await?, how).await?;
    let name = execution_name(run, how, DateTime::from(SystemTime::now()));
    let arn = stack.start_execution(Orchestrator::Batch, &name, &how.input(run)).await?;
    eprintln!("execution {name} {}s run {run}", how.word());
    say!("{name}");
    if !arguments.wait {
        eprintln!("watch it with `bedrock-batch status {run}`");
        return Ok(());
    }
    follow(stack, run, &arn).await
}

/// A pipeline run is no run itself: its stages are.
async fn refuse_pipeline(stack: &Stack, name: &str, how: GoOn) -> Result<(), Failure> {
    let Some(pipeline) = stack.pipeline(name).await? else { return Ok(()) };
    let stages = pipeline.stages.iter().map(|stage| format!("{} ({})", stage.execution_name, stage.stage_name));
    let stages = stages.collect::<Vec<_>>().join(", ");
    let word = how.word();
    Err(Failure::Usage(format!("`{name}` is a pipeline run: {word} the run of one of its stages instead: {stages}")))
}

/// What the execution would fail with minutes later is told at once.
async fn check(stack: &Stack, run: &Run, how: GoOn) -> Result<(), Failure> {
    run.must_be_its_own()?;
    let name = &run.name;
    if let Some(execution) = run.running() {
        let advice = format!("wait for its end, or stop it first: `bedrock-batch stop {name}`");
        return Err(Failure::Usage(format!("run `{name}` still runs (execution {}): {advice}", execution.name())));
    }
    let Some(plan) = &run.plan else {
        let advice = "start it again with its own input: `bedrock-batch start`";
        return Err(Failure::Usage(format!("run `{name}` ended before it asked anything ({}): {advice}", run.end())));
    };
    if how == GoOn::Collect {
        let open = open_jobs(&stack.jobs(plan).await?) as u64;
        if open > 0 {
            let left = number(open, "job");
            let advice = "try again in a few minutes: stopped jobs still write the answers that they have";
            return Err(Failure::Usage(format!("run `{name}` has {left} that Bedrock has not ended yet: {advice}")));
        }
    }
    Ok(())
}

/// The most characters of an execution's name.
const LONGEST_NAME: usize = 80;

/// `<run>-resume-20261120T130507`. Within a second it is the same execution, so that nobody resumes a run twice by
/// pressing a key twice. A name that has to be cut gets a short hash of the whole.
fn execution_name(run: &str, how: GoOn, now: DateTime) -> String {
    let time = DateTime::from_secs(now.secs()).fmt(Format::DateTime).unwrap_or_default();
    let time: String = time.chars().filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    let end = format!("-{}-{time}", how.word());
    let clean = run_id(run);
    let room = LONGEST_NAME - end.len();
    if clean.len() <= room {
        return format!("{clean}{end}");
    }
    let hash = &hex::encode(Sha256::digest(run))[..4];
    let kept: String = clean.chars().take(room - hash.len() - 1).collect();
    format!("{kept}-{hash}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(run: &str) -> String {
        execution_name(run, GoOn::Resume, DateTime::from_secs_and_nanos(1_795_179_907, 5))
    }

    #[test]
    fn an_execution_is_named_after_its_run_and_the_time() {
        assert_eq!(name("tickets-1"), "tickets-1-resume-20261120T130507");
    }

    #[test]
    fn long_and_odd_names_are_cut_to_what_step_functions_takes_and_stay_apart() {
        let (a, b) = (format!("{}a", "r".repeat(79)), format!("{}b", "r".repeat(79)));
        assert_ne!(name(&a), name(&b));
        for run in [a.as_str(), "r", "a=b ü", "."] {
            let name = name(run);
            assert!(name.len() <= LONGEST_NAME, "{name}");
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{name}");
        }
    }

    #[test]
    fn the_input_names_the_run_alone() {
        assert_eq!(GoOn::Resume.input("a").to_string(), r#"{"resume_run":"a"}"#);
        assert_eq!(GoOn::Collect.input("a").to_string(), r#"{"collect_run":"a"}"#);
    }
}
