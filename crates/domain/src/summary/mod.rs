//! The totals of a run: `runs/<run>/summary.json` and the execution's output.

mod counts;

use crate::ids::RunId;
use crate::input::InputType;
use crate::lane::Lane;
use crate::model::{Model, Price};
use crate::plan::{Plan, PlanCounts};
use crate::row_error::RowErrorCode;
use counts::{add_counts, failed_codes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use counts::{JobCounts, Tokens, Usage};

/// What finalize knows of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFacts {
    /// Its lane.
    pub lane: Lane,
    /// Its round.
    pub round: u32,
    /// Its records.
    pub records: u64,
    /// Whether Bedrock ever took it.
    pub asked: bool,
    /// Why its rows were to be asked on demand instead.
    pub fell_back: Option<String>,
}

/// The totals of a run. `records_in` = `answered` + `failed` + `skipped`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Rows of the input; those that are asked several prompts count once for each.
    pub records_in: u64,
    /// Rows of the input.
    #[serde(default)]
    pub input_rows: u64,
    /// Rows with an answer.
    pub answered: u64,
    /// Rows that came out without an answer.
    pub failed: u64,
    /// Rows left out because a limit of the request says so.
    pub skipped: u64,
    /// Failed rows by the words for the reason.
    pub failed_reasons: BTreeMap<String, u64>,
    /// Failed rows by the code of the reason.
    #[serde(default)]
    pub failed_codes: BTreeMap<RowErrorCode, u64>,
    /// Skipped rows by the words for the reason.
    pub skipped_reasons: BTreeMap<String, u64>,
    /// Skipped rows by the code of the reason.
    #[serde(default)]
    pub skipped_codes: BTreeMap<RowErrorCode, u64>,
    /// Things a user may want to know, with how often.
    pub warnings: BTreeMap<String, u64>,
    /// Bedrock batch jobs.
    pub jobs: u32,
    /// Passes over the rows: 1, and one more for each time that rows without an answer were asked again.
    pub rounds: u32,
    /// Rows that were asked more than once.
    pub retried: u64,
    /// Rows that equal earlier rows and were answered with them.
    pub duplicates: Duplicates,
    /// Rows of jobs that Bedrock did not take in batch and that were asked on demand, at full price, by reason.
    pub fell_back: BTreeMap<String, u64>,
    /// Tokens read, as Bedrock reports them.
    pub input_tokens: u64,
    /// Tokens written, as Bedrock reports them.
    pub output_tokens: u64,
    /// By lane, as far as it was used.
    pub lanes: BTreeMap<Lane, LaneTotals>,
    /// US dollars; `null` where a model's price is unknown.
    pub cost_usd: Option<f64>,
    /// US dollars that the same tokens would have cost on demand; `null` where a model's price is unknown.
    pub on_demand_cost_usd: Option<f64>,
    /// The prices behind it and their dates.
    pub prices: Vec<PriceUsed>,
}

/// Rows that equal earlier rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicates {
    /// How many.
    pub rows: u64,
    /// Tokens that asking each of them would have read.
    pub input_tokens_saved: u64,
    /// Tokens that asking each of them would have written.
    pub output_tokens_saved: u64,
}

/// What one lane came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneTotals {
    /// Batch jobs, or files of records asked on demand.
    pub jobs: u32,
    /// Answers that came.
    pub answers: u64,
    /// Tokens.
    #[serde(flatten)]
    pub tokens: Tokens,
    /// US dollars; `null` where a model's price is unknown.
    pub cost_usd: Option<f64>,
}

/// A price that a cost was computed with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceUsed {
    /// The model.
    pub model_id: String,
    /// The lane.
    pub lane: Lane,
    /// US dollars per million tokens.
    #[serde(flatten)]
    pub usd_per_million_tokens: Price,
    /// The date of the table it is from.
    pub as_of: String,
}

impl Summary {
    /// The totals of a run from its plan, the counts of its chunks and its jobs.
    pub fn new(plan: &Plan, chunks: &[JobCounts], jobs: &[JobFacts]) -> Self {
        let mut failed_reasons = BTreeMap::new();
        let mut warnings = plan.counts.warnings.clone();
        let mut used = JobCounts::default();
        for chunk in chunks {
            add_counts(&mut failed_reasons, &chunk.failed);
            add_counts(&mut warnings, &chunk.warnings);
            used.saved.add(chunk.saved);
            for usage in &chunk.usage {
                used.add_usage(usage.lane, &usage.model_id, usage.answers, usage.tokens);
            }
        }
        used.usage.sort_by(|a, b| (a.lane, &a.model_id).cmp(&(b.lane, &b.model_id)));
        let total = |field: fn(&JobCounts) -> u64| chunks.iter().map(field).sum::<u64>();
        let mut tokens = Tokens::default();
        used.usage.iter().for_each(|usage| tokens.add(usage.tokens));
        let asked = |lane: Lane| jobs.iter().filter(|job| job.lane == lane && job.asked).count();
        let asked = |lane: Lane| u32::try_from(asked(lane)).unwrap_or(u32::MAX);
        let prices = Prices { plan };
        let lanes = [Lane::Batch, Lane::OnDemand].into_iter().filter_map(|lane| {
            let of_lane: Vec<&Usage> = used.usage.iter().filter(|usage| usage.lane == lane).collect();
            if of_lane.is_empty() && asked(lane) == 0 {
                return None;
            }
            let mut totals = LaneTotals { jobs: asked(lane), ..LaneTotals::default() };
            for usage in &of_lane {
                totals.answers += usage.answers;
                totals.tokens.add(usage.tokens);
            }
            totals.cost_usd = prices.cost(of_lane.iter().copied(), |lane| lane);
            Some((lane, totals))
        });
        let PlanCounts { rows, input_rows, skipped, skipped_codes, duplicates, .. } = &plan.counts;
        Self {
            records_in: *rows,
            input_rows: *input_rows,
            answered: total(|chunk| chunk.answered),
            failed: failed_reasons.values().sum(),
            skipped: skipped.values().sum(),
            failed_reasons,
            failed_codes: failed_codes(chunks),
            skipped_reasons: skipped.clone(),
            skipped_codes: skipped_codes.clone(),
            warnings,
            jobs: asked(Lane::Batch),
            rounds: jobs.iter().map(|job| job.round).max().unwrap_or(0) + 1,
            retried: total(|chunk| chunk.retried),
            duplicates: Duplicates {
                rows: *duplicates,
                input_tokens_saved: used.saved.input,
                output_tokens_saved: used.saved.output,
            },
            fell_back: fallen_back(jobs),
            input_tokens: tokens.input,
            output_tokens: tokens.output,
            lanes: lanes.collect(),
            cost_usd: prices.cost(used.usage.iter(), |lane| lane),
            on_demand_cost_usd: prices.cost(used.usage.iter(), |_| Lane::OnDemand),
            prices: used.usage.iter().filter_map(|usage| prices.used(usage)).collect(),
        }
    }
}

/// The most reasons that a summary names, and characters of each: they are Bedrock's words, and an execution's output
/// holds 256 KiB in all.
const MOST_REASONS: usize = 20;
const LONGEST_REASON: usize = 300;

/// Rows of jobs that were asked on demand instead, by reason.
fn fallen_back(jobs: &[JobFacts]) -> BTreeMap<String, u64> {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for job in jobs {
        let Some(reason) = &job.fell_back else { continue };
        let reason: String = reason.chars().take(LONGEST_REASON).collect();
        let known = reasons.len() < MOST_REASONS || reasons.contains_key(&reason);
        *reasons.entry(if known { reason } else { "other reasons".to_owned() }).or_default() += job.records;
    }
    reasons
}

/// The prices that a plan has frozen.
struct Prices<'a> {
    plan: &'a Plan,
}

impl Prices<'_> {
    fn model(&self, model_id: &str) -> Option<&Model> {
        let on_demand = &self.plan.on_demand;
        let known = [Some(&self.plan.model), Some(&on_demand.model), on_demand.fallback.as_ref()];
        known.into_iter().flatten().find(|model| model.id == model_id)
    }

    fn price(&self, model_id: &str, lane: Lane) -> Option<Price> {
        let model = self.model(model_id)?;
        match lane {
            Lane::Batch => model.batch_price,
            Lane::OnDemand => model.on_demand_price,
        }
    }

    fn used(&self, usage: &Usage) -> Option<PriceUsed> {
        Some(PriceUsed {
            model_id: usage.model_id.clone(),
            lane: usage.lane,
            usd_per_million_tokens: self.price(&usage.model_id, usage.lane)?,
            as_of: self.model(&usage.model_id)?.prices_as_of.clone(),
        })
    }

    /// What it all cost in the lane that `lane` says for each; one unknown price makes the sum unknown.
    fn cost<'u>(&self, usage: impl Iterator<Item = &'u Usage>, lane: impl Fn(Lane) -> Lane) -> Option<f64> {
        let mut costs = usage.map(|usage| {
            let price = self.price(&usage.model_id, lane(usage.lane))?;
            // A record holds one image, where records hold any.
            let images = match self.plan.request.rows.input_type {
                InputType::Image => usage.answers,
                InputType::Text => 0,
            };
            Some(price.cost_usd(usage.tokens.input, usage.tokens.output, images))
        });
        // Not `sum`, which makes -0.0 of nothing.
        costs.try_fold(0.0, |sum, cost| Some(sum + cost?))
    }
}

/// The execution's output, and the content of `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunOutput {
    /// The run.
    pub run_id: RunId,
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
    pub fn new(run_id: RunId, output_prefix: String, paths: Vec<String>, summary: Summary) -> Self {
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

#[cfg(test)]
mod tests;
