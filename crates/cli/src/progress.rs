//! Watching a run: bars on a terminal, a line per change elsewhere.

use crate::executions::Execution;
use crate::failure::Failure;
use crate::stack::Stack;
use crate::standing::Standing;
use bedrock_batch_domain::plan::Plan;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// Waits until the execution that has the run in hand is over, drawing how the run stands.
pub(crate) async fn watch(stack: &Stack, run: &str, execution_arn: &str) -> Result<Execution, Failure> {
    let mut watched = Watched::new(run, execution_arn);
    until_over(run, async || watched.look(stack).await).await
}

/// Looks again and again until what is looked at is over. `name` is that of the run, for advice.
pub(crate) async fn until_over(
    name: &str,
    mut look: impl AsyncFnMut() -> Result<Execution, Failure>,
) -> Result<Execution, Failure> {
    let (mut pause, mut failures) = (SHORTEST_PAUSE, 0);
    loop {
        match look().await {
            Ok(execution) if !execution.is_running() => return Ok(execution),
            Ok(_) => failures = 0,
            // A look that fails says nothing about the run, which may take hours and goes on without us.
            Err(Failure::Failed(why)) if failures < MOST_FAILURES => {
                failures += 1;
                eprintln!("  cannot see run {name} right now: {why}");
            }
            Err(Failure::Failed(why)) => {
                let advice = format!("the run goes on: `bedrock-batch status {name}`");
                return Err(Failure::Usage(format!("lost sight of run {name}: {why}; {advice}")));
            }
            Err(usage) => return Err(usage),
        }
        tokio::time::sleep(pause).await;
        pause = pause.mul_f64(1.05).min(LONGEST_PAUSE);
    }
}

/// Between two looks: short runs are followed closely, long ones are not worth many requests.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// Looks in a row that may fail.
const MOST_FAILURES: u32 = 20;

/// A run that is watched.
pub(crate) struct Watched {
    run: String,
    execution_arn: String,
    plan: Option<Plan>,
    view: View,
}

impl Watched {
    pub(crate) fn new(run: &str, execution_arn: &str) -> Self {
        Self { run: run.to_owned(), execution_arn: execution_arn.to_owned(), plan: None, view: View::new() }
    }

    /// Draws how the run stands.
    pub(crate) async fn look(&mut self, stack: &Stack) -> Result<Execution, Failure> {
        // Looked at before the jobs, so that the last picture is the whole one.
        let execution = stack.execution(&self.execution_arn).await?;
        // One that has only just been started may not be known everywhere.
        let unknown = || Failure::Failed(format!("there is no execution {}", self.execution_arn));
        let execution = execution.ok_or_else(unknown)?;
        if self.plan.is_none() {
            self.plan = stack.plan(&self.run).await?;
        }
        if let Some(plan) = &self.plan {
            self.view.draw(&Standing::of(plan, &stack.jobs(plan).await?));
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
        if !std::io::stderr().is_terminal() {
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

    fn draw(&self, standing: &Standing) {
        match self {
            Self::Bars { jobs, records } => {
                jobs.set_length(standing.jobs);
                jobs.set_position(standing.done);
                jobs.set_message(format!("{} submitted, {} running", standing.submitted, standing.running));
                records.set_length(standing.records + standing.records_again);
                records.set_position(standing.processed + standing.processed_again);
            }
            Self::Lines(last) => {
                let line = standing.line();
                if *last.borrow() != line {
                    eprintln!("  {line}");
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
