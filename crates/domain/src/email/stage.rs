//! Totals of one stage or of a standalone run.

use super::figures::{grouped, number, reasons, shortened, usd};
use crate::lane::Lane;
use crate::summary::{RunOutput, Summary};
use std::collections::BTreeSet;

/// Completed stage.
#[derive(Debug, Clone, PartialEq)]
pub struct StageReport {
    /// Name of the stage; `None` for a standalone run.
    pub stage_name: Option<String>,
    /// Model, as the user named it; empty if unknown.
    pub model_id: String,
    /// Output of its run.
    pub output: RunOutput,
}

/// Text for an unknown cost.
const UNKNOWN: &str = "unknown (the price of its model is not known: add it to infra/model-overrides.toml)";

impl StageReport {
    /// Returns its name, or that of its run.
    pub(super) fn name(&self) -> String {
        shortened(self.stage_name.as_deref().unwrap_or(self.output.run_id.as_str()))
    }

    /// Formats all totals, one per line.
    pub(super) fn lines(&self) -> Vec<String> {
        let summary = &self.output.summary;
        let mut lines = Vec::new();
        if self.stage_name.is_some() {
            lines.push(line("run", self.output.run_id.as_str()));
        }
        if !self.model_id.is_empty() {
            lines.push(line("model", &shortened(&self.model_id)));
        }
        let [records, answered, failed, skipped] =
            [summary.records_in, summary.answered, summary.failed, summary.skipped].map(grouped);
        lines.push(line("rows", &format!("{records} in, {answered} answered, {failed} failed, {skipped} skipped")));
        lines.extend(block("failed", &reasons(&summary.failed_reasons)));
        lines.extend(block("skipped", &reasons(&summary.skipped_reasons)));
        lines.push(line("jobs", &jobs(summary)));
        if summary.duplicates.rows > 0 {
            let rows = number(summary.duplicates.rows, "row");
            lines.push(line("duplicates", &format!("{rows} answered with the answers of equal rows")));
        }
        lines.push(line(
            "tokens",
            &format!("{} in, {} out", grouped(summary.input_tokens), grouped(summary.output_tokens)),
        ));
        lines.push(line("cost", &summary.cost_usd.map_or_else(|| UNKNOWN.to_owned(), usd)));
        lines.extend(block("full price", &full_price(summary)));
        lines.extend(self.output.copied_to.iter().map(|folder| line("copied to", folder)));
        lines.extend(block("warnings", &reasons(&summary.warnings)));
        lines.extend(block("notes", &notes(summary)));
        lines
    }
}

/// Maximum number of columns that are named.
const MAX_COLUMNS: usize = 5;

/// Formats what was read in another way than it was written.
fn notes(summary: &Summary) -> Vec<String> {
    let repaired = (summary.repaired_answers > 0)
        .then(|| format!("{} nearly JSON, and read as what they mean", number(summary.repaired_answers, "answer")));
    let mixed = summary.mixed_types.iter().take(MAX_COLUMNS).map(|(field, counts)| {
        let counts: Vec<String> = counts.iter().map(|(kind, count)| number(*count, kind)).collect();
        format!("the column {} is text: it has {}", shortened(field), counts.join(" and "))
    });
    let others = summary.mixed_types.len().saturating_sub(MAX_COLUMNS) as u64;
    let others = (others > 0).then(|| format!("{} of that kind, see summary.json", number(others, "other column")));
    repaired.into_iter().chain(mixed).chain(others).collect()
}

/// Formats the numbers of batch jobs, rounds and retried rows.
fn jobs(summary: &Summary) -> String {
    let jobs = number(u64::from(summary.jobs), "batch job");
    let rounds = number(u64::from(summary.rounds), "round");
    match summary.retried {
        0 => format!("{jobs}, {rounds}"),
        rows => format!("{jobs}, {rounds}; {} retried", number(rows, "row")),
    }
}

/// Formats the answers that were obtained on demand, their cost, and why rows fell back from batch.
fn full_price(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(lane) = summary.lanes.get(&Lane::OnDemand) {
        let cost = lane.cost_usd.map_or_else(|| format!("cost {UNKNOWN}"), usd);
        lines.push(format!("{} on demand: {cost} of the cost above", number(lane.answers, "answer")));
    }
    lines.extend(reasons(&summary.fell_back).iter().map(|reason| format!("fell back from batch: {reason}")));
    lines
}

/// Formats the total cost of the stages, with the dates of the prices; one unknown cost makes the total unknown.
pub(super) fn total_cost(stages: &[StageReport]) -> String {
    let known = |stage: &&StageReport| stage.output.summary.cost_usd.is_some();
    let costs = stages.iter().filter_map(|stage| stage.output.summary.cost_usd);
    // Not `sum`, which returns -0.0 for an empty iterator.
    let sum = costs.fold(0.0, |sum, cost| sum + cost);
    let unknown: Vec<String> = stages.iter().filter(|stage| !known(stage)).map(StageReport::name).collect();
    let prices = stages.iter().flat_map(|stage| &stage.output.summary.prices);
    let dates: BTreeSet<&str> = prices.map(|price| price.as_of.as_str()).filter(|date| !date.is_empty()).collect();
    let dates = dates.into_iter().collect::<Vec<_>>().join(" and ");
    let dates = if dates.is_empty() { String::new() } else { format!(" (prices of {dates})") };
    if unknown.is_empty() {
        return format!("{}{dates}", usd(sum));
    }
    if unknown.len() == stages.len() {
        return UNKNOWN.to_owned();
    }
    format!("unknown: the cost of {} is not known; the others cost {}{dates}", unknown.join(", "), usd(sum))
}

/// Formats a line with a label and a text.
pub(super) fn line(label: &str, text: &str) -> String {
    format!("  {label:<10}  {text}").trim_end().to_owned()
}

/// Formats several lines under one label.
fn block(label: &str, texts: &[String]) -> Vec<String> {
    texts.iter().enumerate().map(|(at, text)| line(if at == 0 { label } else { "" }, text)).collect()
}
