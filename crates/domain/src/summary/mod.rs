//! Totals of a run: `runs/<run>/summary.json` and the output of its execution.

mod counts;
mod model_names;
mod totals;
mod value_counts;

use crate::ids::RunId;
use crate::input::InputType;
use crate::lane::Lane;
use crate::model::{CachedTokens, Model, Price};
use crate::plan::{Plan, PlanCounts};
use crate::row_error::RowErrorCode;
use counts::add_counts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use counts::{ChunkCounts, Tokens, Usage};
pub use model_names::ModelNames;
pub use totals::{JobFacts, Totals};
pub use value_counts::ValueCounts;

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
    /// Answers that were nearly JSON, and were repaired.
    #[serde(default)]
    pub repaired_answers: u64,
    /// For each field whose column is text because its values are of several kinds, their numbers by kind.
    #[serde(default)]
    pub mixed_types: BTreeMap<String, BTreeMap<String, u64>>,
    /// Cells of CSV files that were guarded because spreadsheets would take them for formulas.
    #[serde(default)]
    pub guarded_cells: u64,
    /// Names of the model; `None` in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<ModelNames>,
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
        let mut totals = Totals::default();
        for chunk in chunks {
            totals.add_chunk(chunk);
        }
        for job in jobs {
            totals.add_job(job);
        }
        Self::of(plan, totals)
    }

    /// Returns true if there were rows to answer, and none was answered: the cause is one of them all, such as a mistake in the
    /// prompt or a model that is not available, rather than a few difficult rows.
    pub fn has_no_answer(&self) -> bool {
        self.failed > 0 && self.answered == 0
    }

    /// Computes the totals of a run from its plan and the sums over its chunks and jobs.
    pub fn of(plan: &Plan, mut totals: Totals) -> Self {
        totals.used.usage.sort_by(|a, b| (a.lane, &a.model_id).cmp(&(b.lane, &b.model_id)));
        let (mut tokens, mut cached) = (Tokens::default(), CachedTokens::default());
        let mut is_exact = true;
        for usage in &totals.used.usage {
            is_exact &= tokens.add(usage.tokens);
            cached.add(usage.cached);
        }
        if !is_exact {
            totals.warn_of_maximum();
        }
        let prices = Prices { plan };
        let lanes = [Lane::Batch, Lane::OnDemand].into_iter();
        let lanes = lanes.filter_map(|lane| Some((lane, lane_totals(&totals, lane, &prices)?))).collect();
        let usage = || totals.used.usage.iter();
        let (cost_usd, on_demand_cost_usd) =
            (prices.cost(usage(), |lane| lane), prices.cost(usage(), |_| Lane::OnDemand));
        let prices = usage().filter_map(|usage| prices.used(usage)).collect();
        let mut warnings = plan.counts.warnings.clone();
        add_counts(&mut warnings, &totals.used.warnings);
        warnings.extend(totals.unknown_failures());
        let failed: u64 = totals.failed_reasons.values().sum();
        if let Some(max) = plan.max_on_demand_records.filter(|_| failed > 0) {
            let text = format!(
                "rows without an answer, for whatever reason, in a run of which at most {max} requests may be sent on demand \
                 (max_on_demand_rows, max_on_demand_usd)"
            );
            warnings.insert(text, failed);
        }
        let PlanCounts { rows, input_rows, skipped, skipped_codes, duplicates, .. } = &plan.counts;
        Self {
            records_in: *rows,
            input_rows: *input_rows,
            answered: totals.answered,
            failed,
            skipped: skipped.values().sum(),
            models: Some(ModelNames::of(plan)),
            jobs: totals.sent(Lane::Batch),
            failed_reasons: totals.failed_reasons,
            failed_codes: totals.failed_codes,
            skipped_reasons: skipped.clone(),
            skipped_codes: skipped_codes.clone(),
            warnings,
            repaired_answers: totals.used.repaired,
            mixed_types: mixed_types(plan, &totals.used.values),
            changed_values: totals.used.changed,
            guarded_cells: totals.guarded_cells,
            rounds: totals.last_round + 1,
            retried: totals.retried,
            duplicates: Duplicates {
                rows: *duplicates,
                input_tokens_saved: totals.used.saved.input,
                output_tokens_saved: totals.used.saved.output,
            },
            fell_back: totals.fell_back,
            input_tokens: tokens.input,
            output_tokens: tokens.output,
            cached,
            lanes,
            cost_usd,
            on_demand_cost_usd,
            prices,
        }
    }
}

/// Returns the values of the fields that have values of several kinds, by the name of the field.
fn mixed_types(plan: &Plan, values: &[ValueCounts]) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mixed: Vec<_> = values.iter().map(|counts| counts.mixed()).collect();
    if mixed.iter().all(BTreeMap::is_empty) {
        return BTreeMap::new();
    }
    // Prompts were checked when the plan was made.
    let names = plan.prompts.readers().map(|(_, names)| names).unwrap_or_default();
    names.into_iter().zip(mixed).filter(|(_, counts)| !counts.is_empty()).collect()
}

/// Returns the totals of a lane, if it was used.
fn lane_totals(totals: &Totals, lane: Lane, prices: &Prices<'_>) -> Option<LaneTotals> {
    let of_lane: Vec<&Usage> = totals.used.usage.iter().filter(|usage| usage.lane == lane).collect();
    let jobs = totals.sent(lane);
    if of_lane.is_empty() && jobs == 0 {
        return None;
    }
    let mut sums = LaneTotals { jobs, ..LaneTotals::default() };
    for usage in &of_lane {
        sums.answers = sums.answers.saturating_add(usage.answers);
        // If the sum is too low, so is that of all lanes, which is a warning.
        let _ = sums.tokens.add(usage.tokens);
        sums.cached.add(usage.cached);
    }
    sums.cost_usd = prices.cost(of_lane.iter().copied(), |lane| lane);
    Some(sums)
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
    /// Model that the request names; absent in summaries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// Validity of links to the files in days, if the request sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_days: Option<u32>,
    /// Totals.
    pub summary: Summary,
}

/// Maximum number of bytes of paths in the output of an execution, which is limited to 256 KiB in total.
const MAX_PATH_BYTES: usize = 150 * 1024;

impl RunOutput {
    /// Creates an output whose list of paths is truncated to what Step Functions accepts.
    pub fn new(
        run_id: RunId,
        output_prefix: String,
        paths: impl IntoIterator<Item = String>,
        summary: Summary,
    ) -> Self {
        let (mut output_paths, mut output_path_count) = (Vec::new(), 0);
        let mut room = MAX_PATH_BYTES;
        for path in paths {
            output_path_count += 1;
            let needed = path.len() + 3;
            if needed <= room {
                output_paths.push(path);
            }
            // After a path that does not fit, none does.
            room = room.saturating_sub(needed);
        }
        let status = if summary.failed == 0 { "completed" } else { "completed_with_errors" };
        let (status, copied_to, model_id, link_days) = (status.to_owned(), None, None, None);
        Self { run_id, status, output_prefix, output_paths, output_path_count, copied_to, model_id, link_days, summary }
    }
}

#[cfg(test)]
mod tests;
