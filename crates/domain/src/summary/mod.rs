//! Totals of a run: `runs/<run>/summary.json` and the output of its execution.

mod counts;

use crate::ids::RunId;
use crate::input::InputType;
use crate::lane::Lane;
use crate::model::{CachedTokens, Model, Price};
use crate::plan::{Plan, PlanCounts};
use crate::printable;
use crate::row_error::RowErrorCode;
use counts::{add_counts, failed_codes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use counts::{ChunkCounts, Tokens, Usage};

/// Facts about one job that the totals of its run need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFacts {
    /// Lane of the job.
    pub lane: Lane,
    /// Round of the job.
    pub round: u32,
    /// Number of its records.
    pub records: u64,
    /// If true, its records were sent to the model.
    pub sent: bool,
    /// Reason why its rows were sent on demand instead, if they were.
    pub fallback: Option<String>,
}

/// Totals of a run. `records_in` = `answered` + `failed` + `skipped`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Rows of the input; those with several prompts count once per prompt.
    pub records_in: u64,
    /// Rows of the input.
    #[serde(default)]
    pub input_rows: u64,
    /// Rows with an answer.
    pub answered: u64,
    /// Rows in the output without an answer.
    pub failed: u64,
    /// Rows that were omitted because of a limit of the request.
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
    /// Warnings with their number of occurrences.
    pub warnings: BTreeMap<String, u64>,
    /// By field, values in the output that were changed to the allowed value that they stand for.
    #[serde(default)]
    pub changed_values: BTreeMap<String, u64>,
    /// Number of Bedrock batch jobs.
    pub jobs: u32,
    /// Number of passes over the rows: 1, and one more each time that rows without an answer were sent again.
    pub rounds: u32,
    /// Rows that were sent more than once.
    pub retried: u64,
    /// Rows that equal earlier rows and got the same answers.
    pub duplicates: Duplicates,
    /// Rows of batch jobs that were sent on demand instead, at full price, by reason.
    pub fell_back: BTreeMap<String, u64>,
    /// Input tokens, as reported by Bedrock.
    pub input_tokens: u64,
    /// Output tokens, as reported by Bedrock.
    pub output_tokens: u64,
    /// Those of the input tokens that were read from the cache of prompts or written to it.
    #[serde(flatten)]
    pub cached: CachedTokens,
    /// Totals of each lane that was used.
    pub lanes: BTreeMap<Lane, LaneTotals>,
    /// Cost in US dollars; `null` if the price of a model is unknown.
    pub cost_usd: Option<f64>,
    /// Cost of the same tokens on demand in US dollars; `null` if the price of a model is unknown.
    pub on_demand_cost_usd: Option<f64>,
    /// Prices that the cost was computed with.
    pub prices: Vec<PriceUsed>,
}

/// Rows that equal earlier rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicates {
    /// Number of rows.
    pub rows: u64,
    /// Input tokens that sending each of them would have cost.
    pub input_tokens_saved: u64,
    /// Output tokens that sending each of them would have cost.
    pub output_tokens_saved: u64,
}

/// Totals of one lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneTotals {
    /// Number of batch jobs, or of files of records that were sent on demand.
    pub jobs: u32,
    /// Number of answers.
    pub answers: u64,
    /// Tokens of those answers.
    #[serde(flatten)]
    pub tokens: Tokens,
    /// Those of the input tokens that were read from the cache of prompts or written to it.
    #[serde(flatten)]
    pub cached: CachedTokens,
    /// Cost in US dollars; `null` if the price of a model is unknown.
    pub cost_usd: Option<f64>,
}

/// Price that a cost was computed with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceUsed {
    /// Model.
    pub model_id: String,
    /// Lane.
    pub lane: Lane,
    /// Price in US dollars per million tokens.
    #[serde(flatten)]
    pub usd_per_million_tokens: Price,
    /// Date of the price table.
    pub as_of: String,
}

impl Summary {
    /// Computes the totals of a run from its plan, the counts of its chunks and its jobs.
    pub fn new(plan: &Plan, chunks: &[ChunkCounts], jobs: &[JobFacts]) -> Self {
        let mut failed_reasons = BTreeMap::new();
        let mut warnings = plan.counts.warnings.clone();
        let mut used = ChunkCounts::default();
        for chunk in chunks {
            add_counts(&mut used.changed, &chunk.changed);
            add_counts(&mut failed_reasons, &chunk.failed);
            add_counts(&mut warnings, &chunk.warnings);
            used.saved.add(chunk.saved);
            for usage in &chunk.usage {
                used.add_usage(usage.lane, &usage.model_id, usage.answers, usage.tokens);
                used.add_cached(usage.lane, &usage.model_id, usage.cached);
            }
        }
        used.usage.sort_by(|a, b| (a.lane, &a.model_id).cmp(&(b.lane, &b.model_id)));
        let total = |field: fn(&ChunkCounts) -> u64| chunks.iter().map(field).sum::<u64>();
        let (mut tokens, mut cached) = (Tokens::default(), CachedTokens::default());
        for usage in &used.usage {
            tokens.add(usage.tokens);
            cached.add(usage.cached);
        }
        let sent = |lane: Lane| jobs.iter().filter(|job| job.lane == lane && job.sent).map(|_| 1).sum::<u32>();
        let prices = Prices { plan };
        let lanes = [Lane::Batch, Lane::OnDemand].into_iter().filter_map(|lane| {
            let of_lane: Vec<&Usage> = used.usage.iter().filter(|usage| usage.lane == lane).collect();
            if of_lane.is_empty() && sent(lane) == 0 {
                return None;
            }
            let mut totals = LaneTotals { jobs: sent(lane), ..LaneTotals::default() };
            for usage in &of_lane {
                totals.answers += usage.answers;
                totals.tokens.add(usage.tokens);
                totals.cached.add(usage.cached);
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
            changed_values: used.changed.clone(),
            jobs: sent(Lane::Batch),
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
            cached,
            lanes: lanes.collect(),
            cost_usd: prices.cost(used.usage.iter(), |lane| lane),
            on_demand_cost_usd: prices.cost(used.usage.iter(), |_| Lane::OnDemand),
            prices: used.usage.iter().filter_map(|usage| prices.used(usage)).collect(),
        }
    }
}

/// Maximum number of reasons that a summary names, and of characters of each, besides the count of what is cut. They are quoted
/// from Bedrock, and the output of an execution is limited to 256 KiB.
const MAX_REASONS: usize = 20;
const MAX_REASON_CHARS: usize = 260;

/// Returns the rows of jobs that were sent on demand instead, by reason.
fn fallen_back(jobs: &[JobFacts]) -> BTreeMap<String, u64> {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for job in jobs {
        let Some(reason) = &job.fallback else { continue };
        let reason = printable::shortened(reason, MAX_REASON_CHARS);
        let known = reasons.len() < MAX_REASONS || reasons.contains_key(&reason);
        *reasons.entry(if known { reason } else { "other reasons".to_owned() }).or_default() += job.records;
    }
    reasons
}

/// Prices that a plan has frozen.
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

    /// Returns the total cost, with each usage priced in the lane that `lane` returns for it; one unknown price makes
    /// the total unknown.
    fn cost<'u>(&self, usage: impl Iterator<Item = &'u Usage>, lane: impl Fn(Lane) -> Lane) -> Option<f64> {
        let mut costs = usage.map(|usage| {
            let price = self.price(&usage.model_id, lane(usage.lane))?;
            // Records have one image each, or none.
            let images = match self.plan.request.rows.input_type {
                InputType::Image => usage.answers,
                InputType::Text => 0,
            };
            let cost = price.cost_usd(usage.tokens.input, usage.tokens.output, images);
            Some(cost + price.cache_difference_usd(usage.cached))
        });
        // Not `sum`, which returns -0.0 for an empty iterator.
        costs.try_fold(0.0, |sum, cost| Some(sum + cost?))
    }
}

/// Output of an execution, and the content of `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunOutput {
    /// The run.
    pub run_id: RunId,
    /// `completed` if every row has an answer, `completed_with_errors` if some rows have an `error`.
    pub status: String,
    /// Address of the answered rows.
    pub output_prefix: String,
    /// Files, in order; truncated if the list would be too long for Step Functions.
    pub output_paths: Vec<String>,
    /// Number of files.
    pub output_path_count: u64,
    /// Folder of the run's copies of these files and of this summary, if the request asks for copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_to: Option<String>,
    /// Totals.
    pub summary: Summary,
}

/// Maximum number of bytes of paths in the output of an execution, which is limited to 256 KiB in total.
const MAX_PATH_BYTES: usize = 150 * 1024;

impl RunOutput {
    /// Creates an output whose list of paths is truncated to what Step Functions accepts.
    pub fn new(run_id: RunId, output_prefix: String, paths: Vec<String>, summary: Summary) -> Self {
        let output_path_count = paths.len() as u64;
        let mut room = MAX_PATH_BYTES;
        let fits = |path: &String| {
            let needed = path.len() + 3;
            let fits = needed <= room;
            room = room.saturating_sub(needed);
            fits
        };
        let output_paths = paths.into_iter().take_while(fits).collect();
        let status = if summary.failed == 0 { "completed" } else { "completed_with_errors" };
        let (status, copied_to) = (status.to_owned(), None);
        Self { run_id, status, output_prefix, output_paths, output_path_count, copied_to, summary }
    }
}

#[cfg(test)]
mod tests;
