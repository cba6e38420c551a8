//! What a run came to: `runs/<run>/summary.json` and the execution's output.

use crate::model::Price;
use crate::plan::{Plan, PlanCounts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What postprocess counted of one job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCounts {
    /// Rows in the job's output file.
    pub rows: u64,
    /// Of these, rows with an answer.
    pub answered: u64,
    /// Rows without, by reason.
    pub failed: BTreeMap<String, u64>,
    /// Things a user may want to know, with how often: unreadable lines, repeated or unknown records.
    pub warnings: BTreeMap<String, u64>,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

/// Adds `more` to `counts`, reason by reason.
pub fn add_counts(counts: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (reason, count) in more {
        *counts.entry(reason.clone()).or_default() += count;
    }
}

/// The totals of a run. `records_in` = `answered` + `failed` + `skipped`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Rows of the input.
    pub records_in: u64,
    /// Rows with an answer.
    pub answered: u64,
    /// Rows that came out without an answer.
    pub failed: u64,
    /// Rows left out because a limit of the request says so.
    pub skipped: u64,
    /// Why, with how often.
    pub failed_reasons: BTreeMap<String, u64>,
    /// Why, with how often.
    pub skipped_reasons: BTreeMap<String, u64>,
    /// Things a user may want to know, with how often.
    pub warnings: BTreeMap<String, u64>,
    /// Bedrock jobs.
    pub jobs: u32,
    /// Passes over the rows.
    pub rounds: u32,
    /// Tokens read, as Bedrock reports them.
    pub input_tokens: u64,
    /// Tokens written, as Bedrock reports them.
    pub output_tokens: u64,
    /// US dollars; `null` where the model's price is unknown.
    pub cost_usd: Option<f64>,
    /// The price behind it and its date.
    pub price: Option<PriceUsed>,
}

/// The price that a cost was computed with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceUsed {
    /// US dollars per million tokens, batch.
    #[serde(flatten)]
    pub usd_per_million_tokens: Price,
    /// The date of the table it is from.
    pub as_of: String,
}

impl Summary {
    /// The totals of a run from its plan and the counts of its jobs.
    pub fn new(plan: &Plan, jobs: &[JobCounts]) -> Self {
        let mut failed_reasons = BTreeMap::new();
        let mut warnings = plan.counts.warnings.clone();
        for job in jobs {
            add_counts(&mut failed_reasons, &job.failed);
            add_counts(&mut warnings, &job.warnings);
        }
        let total = |field: fn(&JobCounts) -> u64| jobs.iter().map(field).sum::<u64>();
        let (input_tokens, output_tokens) = (total(|job| job.input_tokens), total(|job| job.output_tokens));
        let price = plan.model.batch_price;
        let PlanCounts { rows, skipped, .. } = &plan.counts;
        Self {
            records_in: *rows,
            answered: total(|job| job.answered),
            failed: failed_reasons.values().sum(),
            skipped: skipped.values().sum(),
            failed_reasons,
            skipped_reasons: skipped.clone(),
            warnings,
            jobs: plan.counts.jobs,
            rounds: 1,
            input_tokens,
            output_tokens,
            cost_usd: price.map(|price| price.cost_usd(input_tokens, output_tokens)),
            price: price
                .map(|price| PriceUsed { usd_per_million_tokens: price, as_of: plan.model.prices_as_of.clone() }),
        }
    }
}

/// The execution's output, and the content of `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunOutput {
    /// The run.
    pub run_id: String,
    /// `completed`: every row has an answer; `completed_with_errors`: some rows came out with `error`.
    pub status: String,
    /// Where the answered rows are.
    pub output_prefix: String,
    /// The files, in order; cut off where the list would get too long for Step Functions.
    pub output_paths: Vec<String>,
    /// How many files there are.
    pub output_path_count: u64,
    /// The totals.
    pub summary: Summary,
}

/// The most bytes of paths in an execution's output, which holds 256 KiB at most in all.
const MOST_PATH_BYTES: usize = 150 * 1024;

impl RunOutput {
    /// An output whose list of paths is cut to what Step Functions takes.
    pub fn new(run_id: String, output_prefix: String, paths: Vec<String>, summary: Summary) -> Self {
        let output_path_count = paths.len() as u64;
        let mut room = MOST_PATH_BYTES;
        let fits = |path: &String| {
            let needed = path.len() + 3;
            let fits = needed <= room;
            room = room.saturating_sub(needed);
            fits
        };
        let output_paths = paths.into_iter().take_while(fits).collect();
        let status = if summary.failed == 0 { "completed" } else { "completed_with_errors" };
        Self { run_id, status: status.to_owned(), output_prefix, output_paths, output_path_count, summary }
    }
}
