//! Progress of a watched run: bars on a terminal, else one line per change.

use crate::executions::Execution;
use crate::failure::Failure;
use crate::run_progress::RunProgress;
use crate::stack::Stack;
use crate::terminal::{errln, shows_progress};
use bedrock_batch_domain::ids::ExecutionArn;
use bedrock_batch_domain::plan::Plan;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::time::Duration;

/// Waits until the execution that owns the run has ended, and shows the run's progress.
pub(crate) async fn watch(stack: &Stack, run: &str, execution_arn: &ExecutionArn) -> Result<Execution, Failure> {
    let mut watcher = RunWatcher::new(run, execution_arn);
    poll_until_ended(run, async || watcher.poll(stack).await).await
}

/// Polls until the execution has ended. `name` is the name of the run, for the messages.
pub(crate) async fn poll_until_ended(
    name: &str,
    mut poll: impl AsyncFnMut() -> Result<Execution, Failure>,
) -> Result<Execution, Failure> {
    let (mut pause, mut failures) = (MIN_PAUSE, 0);
    loop {
        match poll().await {
            Ok(execution) if !execution.is_running() => return Ok(execution),
            Ok(_) => failures = 0,
            // A failed poll says nothing about the run, which may take hours and continues without us.
            Err(Failure::Failed(reason)) if failures < MAX_CONSECUTIVE_FAILURES => {
                failures += 1;
                errln!("  cannot read the status of run {name} right now: {reason}");
            }
            Err(Failure::Failed(reason)) => {
                let advice = format!("the run itself continues; check it with `bedrock-batch status {name}`");
                return Err(Failure::Usage(format!("cannot read the status of run {name}: {reason}; {advice}")));
            }
            Err(usage) => return Err(usage),
        }
        tokio::time::sleep(pause).await;
        pause = pause.mul_f64(1.05).min(MAX_PAUSE);
    }
}

/// Pause between two polls: short runs are followed closely, long ones are not worth many requests.
const MIN_PAUSE: Duration = Duration::from_millis(500);
/// Pause that the polls of a long run end up with.
const MAX_PAUSE: Duration = Duration::from_secs(15);
/// Maximum number of consecutive polls that may fail.
const MAX_CONSECUTIVE_FAILURES: u32 = 20;

/// Watcher of one run.
pub(crate) struct RunWatcher {
    run: String,
    execution_arn: ExecutionArn,
    plan: Option<Plan>,
    view: View,
}

impl RunWatcher {
    pub(crate) fn new(run: &str, execution_arn: &ExecutionArn) -> Self {
        Self { run: run.to_owned(), execution_arn: execution_arn.clone(), plan: None, view: View::new() }
    }

    /// Shows the run's progress and returns its execution.
    pub(crate) async fn poll(&mut self, stack: &Stack) -> Result<Execution, Failure> {
        // Described before the jobs are read, so that the last progress shown is complete.
        let execution = stack.execution(&self.execution_arn).await?;
        // An execution that has only just been started may not be visible everywhere yet.
        let unknown = || Failure::Failed(format!("execution {} does not exist", self.execution_arn));
        let execution = execution.ok_or_else(unknown)?;
        if self.plan.is_none() {
            self.plan = stack.plan(&self.run).await?;
        }
        if let Some(plan) = &self.plan {
            self.view.draw(&RunProgress::of(plan, &stack.jobs(plan).await?));
        }
        if !execution.is_running() {
            self.view.finish();
        }
        Ok(execution)
    }
}

enum View {
    Bars { jobs: ProgressBar, records: ProgressBar },
    Lines(std::cell::RefCell<String>),
}

impl View {
    fn new() -> Self {
        if !shows_progress() {
            return Self::Lines(std::cell::RefCell::default());
        }
        let style = |template| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bars = MultiProgress::new();
        let jobs = bars.add(ProgressBar::new(0)).with_style(style("  jobs    [{bar:40}] {pos}/{len}  {msg}"));
        let records = bars.add(ProgressBar::new(0)).with_style(style("  records [{bar:40}] {human_pos}/{human_len}"));
        jobs.set_message("preparing");
        jobs.enable_steady_tick(Duration::from_millis(200));
        Self::Bars { jobs, records }
    }

    fn draw(&self, progress: &RunProgress) {
        match self {
            Self::Bars { jobs, records } => {
                jobs.set_length(progress.jobs);
                jobs.set_position(progress.done);
                jobs.set_message(format!("{} submitted, {} running", progress.submitted, progress.running));
                records.set_length(progress.records + progress.retried);
                records.set_position(progress.processed + progress.retried_processed);
            }
            Self::Lines(last) => {
                let line = progress.line();
                if *last.borrow() != line {
                    errln!("  {line}");
                    *last.borrow_mut() = line;
                }
            }
        }
    }

    fn finish(&self) {
        if let Self::Bars { jobs, records } = self {
            jobs.abandon();
            records.abandon();
        }
    }
}
