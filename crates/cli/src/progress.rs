//! Watching a run: bars on a terminal, a line per change elsewhere.

use crate::failure::Failure;
use crate::stack::{Execution, Stack};
use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_engine::job_table::StoredJob;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// How a run stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    jobs: u64,
    submitted: u64,
    running: u64,
    done: u64,
    records: u64,
    processed: u64,
}

impl Standing {
    pub(crate) fn of(plan: &Plan, jobs: &[StoredJob]) -> Self {
        let status = |job: &StoredJob| job.status.unwrap_or(JobStatus::Submitted);
        let over = |job: &&StoredJob| job.counts.is_some();
        let running = |job: &&StoredJob| job.counts.is_none() && status(job).rank() > JobStatus::Submitted.rank();
        let processed = |job: &StoredJob| if job.counts.is_some() { job.records } else { job.processed.unwrap_or(0) };
        Self {
            jobs: u64::from(plan.counts.jobs),
            submitted: jobs.iter().filter(|job| job.job_arn.is_some()).count() as u64,
            running: jobs.iter().filter(running).count() as u64,
            done: jobs.iter().filter(over).count() as u64,
            records: plan.counts.records,
            processed: jobs.iter().map(processed).sum(),
        }
    }

    pub(crate) fn line(&self) -> String {
        format!(
            "jobs: {} submitted, {} running, {} done of {}; records: {} of {}",
            self.submitted, self.running, self.done, self.jobs, self.processed, self.records
        )
    }
}

/// Waits until the run is over, drawing how it stands.
pub(crate) async fn watch(stack: &Stack, run: &str) -> Result<Execution, Failure> {
    let view = View::new();
    let mut plan = None;
    let (mut pause, mut failures) = (SHORTEST_PAUSE, 0);
    loop {
        match look(stack, run, &mut plan, &view).await {
            Ok(execution) if execution.status != "RUNNING" => {
                view.finish();
                return Ok(execution);
            }
            Ok(_) => failures = 0,
            // A look that fails says nothing about the run, which may take hours and goes on without us.
            Err(Failure::Failed(why)) if failures < MOST_FAILURES => {
                failures += 1;
                eprintln!("  cannot see run {run} right now: {why}");
            }
            Err(Failure::Failed(why)) => {
                let advice = format!("the run goes on: `bedrock-batch status {run}`");
                return Err(Failure::Usage(format!("lost sight of run {run}: {why}; {advice}")));
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

async fn look(stack: &Stack, run: &str, plan: &mut Option<Plan>, view: &View) -> Result<Execution, Failure> {
    // Looked at before the jobs, so that the last picture is the whole one.
    let execution = stack.execution(run).await?;
    if plan.is_none() {
        *plan = stack.plan(run).await?;
    }
    if let Some(plan) = plan {
        view.draw(&Standing::of(plan, &stack.jobs(plan).await?));
    }
    Ok(execution)
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
                records.set_length(standing.records);
                records.set_position(standing.processed);
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
