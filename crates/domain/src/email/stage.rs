//! What one stage, or a run of its own, came to.

use super::figures::{grouped, number, reasons, shortened, usd};
use crate::lane::Lane;
use crate::summary::{RunOutput, Summary};
use std::collections::BTreeSet;

/// A stage that is complete.
#[derive(Debug, Clone, PartialEq)]
pub struct StageReport {
    /// Its name; a run of its own has none.
    pub stage_name: Option<String>,
    /// The model, as the user names it; empty where that is not known.
    pub model_id: String,
    /// What its run came to.
    pub output: RunOutput,
}

/// What a cost that is not known is called, everywhere.
const UNKNOWN: &str = "unknown (no price of its model is known: infra/model-overrides.toml)";

impl StageReport {
    /// Its name, or its run's.
    pub(super) fn name(&self) -> String {
        shortened(self.stage_name.as_deref().unwrap_or(&self.output.run_id))
    }

    /// All that it came to, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let summary = &self.output.summary;
        let mut lines = Vec::new();
        if self.stage_name.is_some() {
            lines.push(line("run", &self.output.run_id));
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
        lines.extend(block("warnings", &reasons(&summary.warnings)));
        lines
    }
}

/// Batch jobs, rounds, and how often rows were asked again.
fn jobs(summary: &Summary) -> String {
    let jobs = number(u64::from(summary.jobs), "batch job");
    let rounds = number(u64::from(summary.rounds), "round");
    match summary.retried {
        0 => format!("{jobs}, {rounds}"),
        rows => format!("{jobs}, {rounds}; {} asked again", number(rows, "row")),
    }
}

/// What was asked on demand, what that cost, and why rows that were meant for batch were.
fn full_price(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(lane) = summary.lanes.get(&Lane::OnDemand) {
        let cost = lane.cost_usd.map_or_else(|| format!("cost {UNKNOWN}"), usd);
        lines.push(format!("{} asked on demand: {cost} of the cost above", number(lane.answers, "answer")));
    }
    lines.extend(reasons(&summary.fell_back).iter().map(|reason| format!("fell back from batch: {reason}")));
    lines
}

/// What all of these cost, with the dates of the prices; one unknown price makes the sum unknown.
pub(super) fn total_cost(stages: &[StageReport]) -> String {
    let known = |stage: &&StageReport| stage.output.summary.cost_usd.is_some();
    let costs = stages.iter().filter_map(|stage| stage.output.summary.cost_usd);
    // Not `sum`, which makes -0.0 of nothing.
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
    format!("unknown: no price is known for {}; all else cost {}{dates}", unknown.join(", "), usd(sum))
}

/// A line of a report: label and text.
pub(super) fn line(label: &str, text: &str) -> String {
    format!("  {label:<10}  {text}").trim_end().to_owned()
}

/// Several lines under one label.
fn block(label: &str, texts: &[String]) -> Vec<String> {
    texts.iter().enumerate().map(|(at, text)| line(if at == 0 { label } else { "" }, text)).collect()
}
