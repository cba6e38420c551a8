//! Lines of the totals.

use super::unpriced::Unpriced;
use crate::run_progress::{lane_name, quantity};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::printable;
use bedrock_batch_domain::summary::{LaneTotals, RunOutput, Summary};
use indicatif::HumanCount;
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of reasons of one kind that are named, and of characters of each.
const MAX_REASONS: usize = 50;
const MAX_REASON_CHARS: usize = 500;

/// Formats the totals of a run so that they can be read at a glance.
pub(super) fn lines(output: &RunOutput, unpriced: &Unpriced) -> Vec<String> {
    let summary = &output.summary;
    let mut lines = vec![format!("run {}: {}", output.run_id, output.status)];
    let (records_in, answered) = (HumanCount(summary.records_in), HumanCount(summary.answered));
    let (failed, skipped) = (HumanCount(summary.failed), HumanCount(summary.skipped));
    lines.push(line("records", &format!("{records_in} in, {answered} answered, {failed} failed, {skipped} skipped")));
    lines.extend(reasons("failed", &summary.failed_reasons));
    lines.extend(reasons("skipped", &summary.skipped_reasons));
    lines.extend(reasons("note", &summary.warnings));
    for (field, values) in &summary.changed_values {
        let values = quantity(*values, "value");
        lines.push(line("", &format!("note: {values} of `{field}` replaced by the allowed value meant")));
    }
    if summary.repaired_answers > 0 {
        let answers = quantity(summary.repaired_answers, "answer");
        lines.push(line("", &format!("note: {answers} nearly JSON, and read as what they mean")));
    }
    lines.extend(mixed_types(&summary.mixed_types));
    if summary.guarded_cells > 0 {
        let cells = quantity(summary.guarded_cells, "cell");
        lines
            .push(line("", &format!("note: {cells} of CSV files guarded, which spreadsheets would take for formulas")));
    }
    if summary.retried > 0 || summary.rounds > 1 {
        let rounds = quantity(u64::from(summary.rounds), "round");
        lines.push(line("retried", &format!("{}; {rounds} in total", quantity(summary.retried, "row"))));
    }
    if summary.duplicates.rows > 0 {
        lines.push(line("duplicates", &duplicates(summary)));
    }
    for (reason, rows) in &summary.fell_back {
        let rows = quantity(*rows, "row");
        let reason = printable::shortened(reason, MAX_REASON_CHARS);
        lines.push(line("fallback", &format!("{rows} sent on demand, which costs the full price: {reason}")));
    }
    lines.push(line("jobs", &HumanCount(u64::from(summary.jobs)).to_string()));
    for (lane, totals) in &summary.lanes {
        lines.push(line(lane_name(*lane), &of_lane(totals)));
    }
    if summary.cached.total() > 0 {
        let (read, written) = (HumanCount(summary.cached.read), HumanCount(summary.cached.written));
        lines.push(line("cache", &format!("{read} of the tokens in were read from it, {written} written")));
    }
    lines.push(line("cost", &cost(summary, unpriced)));
    if summary.lanes.contains_key(&Lane::Batch) {
        let on_demand = summary.on_demand_cost_usd.map_or_else(|| unpriced.reason([Lane::OnDemand]), usd);
        lines.push(line("", &format!("the same tokens on demand: {on_demand}")));
    }
    lines.push(line("files", &format!("{} under {}", HumanCount(output.output_path_count), output.output_prefix)));
    lines.extend(output.copied_to.iter().map(|folder| line("copied to", folder)));
    lines
}

fn line(label: &str, text: &str) -> String {
    format!("  {label:<11}  {text}")
}

fn reasons(kind: &str, reasons: &BTreeMap<String, u64>) -> Vec<String> {
    let of_reason = |(reason, count): (&String, &u64)| {
        let reason = printable::shortened(reason, MAX_REASON_CHARS);
        line("", &format!("{kind}: {} × {reason}", HumanCount(*count)))
    };
    let mut lines: Vec<String> = reasons.iter().take(MAX_REASONS).map(of_reason).collect();
    let others = reasons.len().saturating_sub(MAX_REASONS) as u64;
    if others > 0 {
        let rows = HumanCount(reasons.values().skip(MAX_REASONS).sum());
        lines.push(line("", &format!("{kind}: {rows} × {}, see summary.json", quantity(others, "other reason"))));
    }
    lines
}

/// Names the columns that are text, with the numbers of their values by kind.
fn mixed_types(columns: &BTreeMap<String, BTreeMap<String, u64>>) -> Vec<String> {
    let of_column = |(field, counts): (&String, &BTreeMap<String, u64>)| {
        let field = printable::shortened(field, MAX_REASON_CHARS);
        let kinds: Vec<String> = counts.iter().map(|(kind, count)| quantity(*count, kind)).collect();
        line("", &format!("note: the column `{field}` is text: it has {}", kinds.join(" and ")))
    };
    let mut lines: Vec<String> = columns.iter().take(MAX_REASONS).map(of_column).collect();
    let others = columns.len().saturating_sub(MAX_REASONS) as u64;
    if others > 0 {
        let others = quantity(others, "other column");
        lines.push(line("", &format!("note: {others} of values of several kinds, see summary.json")));
    }
    lines
}

fn duplicates(summary: &Summary) -> String {
    let duplicates = &summary.duplicates;
    let rows = format!("{} answered with the answers of equal rows", quantity(duplicates.rows, "row"));
    match (duplicates.input_tokens_saved, duplicates.output_tokens_saved) {
        (0, 0) => rows,
        (input, output) => format!("{rows}: {} saved", tokens(input, output)),
    }
}

fn of_lane(totals: &LaneTotals) -> String {
    let cost = totals.cost_usd.map_or_else(|| "cost unknown".to_owned(), usd);
    let answers = quantity(totals.answers, "answer");
    format!("{answers}, {}: {cost}", tokens(totals.tokens.input, totals.tokens.output))
}

fn tokens(input: u64, output: u64) -> String {
    format!("{} tokens in, {} out", HumanCount(input), HumanCount(output))
}

fn cost(summary: &Summary, unpriced: &Unpriced) -> String {
    let Some(cost) = summary.cost_usd else {
        let unknown = summary.lanes.iter().filter(|(_, totals)| totals.cost_usd.is_none());
        return unpriced.reason(unknown.map(|(lane, _)| *lane));
    };
    let dates: BTreeSet<&str> = summary.prices.iter().map(|price| price.as_of.as_str()).collect();
    let dates = dates.into_iter().collect::<Vec<_>>().join(" and ");
    if dates.is_empty() { usd(cost) } else { format!("{} (prices of {dates})", usd(cost)) }
}

/// Smallest cost in US dollars that is shown as a figure.
const MIN_SHOWN_USD: f64 = 0.0001;

/// Formats a cost in US dollars. A cost above zero is never shown as zero.
pub(crate) fn usd(cost: f64) -> String {
    if cost > 0.0 && cost < MIN_SHOWN_USD { format!("under ${MIN_SHOWN_USD}") } else { format!("${cost:.4}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::ids::RunId;
    use bedrock_batch_domain::model::{CachedTokens, Price};
    use bedrock_batch_domain::summary::{Duplicates, PriceUsed, Tokens};

    fn lane(answers: u64, input: u64, output: u64, cost_usd: Option<f64>) -> LaneTotals {
        LaneTotals { jobs: 1, answers, tokens: Tokens { input, output }, cost_usd, ..LaneTotals::default() }
    }

    fn output() -> RunOutput {
        let price = Price::of_tokens(0.125, 0.625);
        let price = PriceUsed {
            model_id: "claude".to_owned(),
            lane: Lane::Batch,
            usd_per_million_tokens: price,
            as_of: "2026-11-20".to_owned(),
        };
        let summary = Summary {
            records_in: 2050,
            input_rows: 2050,
            answered: 2050,
            failed: 0,
            skipped: 0,
            failed_reasons: BTreeMap::new(),
            failed_codes: BTreeMap::new(),
            skipped_reasons: BTreeMap::new(),
            skipped_codes: BTreeMap::new(),
            warnings: BTreeMap::new(),
            changed_values: BTreeMap::new(),
            repaired_answers: 0,
            mixed_types: BTreeMap::new(),
            guarded_cells: 0,
            models: None,
            jobs: 3,
            rounds: 1,
            retried: 0,
            duplicates: Duplicates::default(),
            fell_back: BTreeMap::new(),
            input_tokens: 462_656,
            output_tokens: 4100,
            cached: CachedTokens::default(),
            lanes: BTreeMap::from([(Lane::Batch, lane(2050, 462_656, 4100, Some(0.0604)))]),
            cost_usd: Some(0.0604),
            on_demand_cost_usd: Some(0.1208),
            prices: vec![price],
        };
        RunOutput::new(
            RunId::of_execution("a"),
            "s3://b/o/".to_owned(),
            vec!["s3://b/o/0000.parquet".to_owned()],
            summary,
        )
    }

    fn formatted(summary: impl FnOnce(&mut Summary)) -> String {
        let mut output = output();
        summary(&mut output.summary);
        let on_demand = BTreeSet::from(["nova".to_owned()]);
        let unpriced = Unpriced { batch: BTreeSet::from(["claude".to_owned()]), on_demand };
        lines(&output, &unpriced).join("\n")
    }

    #[test]
    fn the_totals_of_a_run_without_problems_are_short() {
        let expected = "\
run a: completed
  records      2,050 in, 2,050 answered, 0 failed, 0 skipped
  jobs         3
  batch        2,050 answers, 462,656 tokens in, 4,100 out: $0.0604
  cost         $0.0604 (prices of 2026-11-20)
               the same tokens on demand: $0.1208
  files        1 under s3://b/o/";
        assert_eq!(formatted(|_| {}), expected);
    }

    #[test]
    fn failures_retries_duplicates_and_fallbacks_are_listed() {
        let expected = "\
run a: completed
  records      2,050 in, 2,048 answered, 1 failed, 1 skipped
               failed: 1 × no answer
               skipped: 1 × max_records_total
               note: 2 × empty cell
               note: 3 answers nearly JSON, and read as what they mean
               note: the column `score` is text: it has 2,047 numbers and 1 text
  retried      57 rows; 2 rounds in total
  duplicates   120 rows answered with the answers of equal rows: 24,000 tokens in, 1,200 out saved
  fallback     40 rows sent on demand, which costs the full price: no batch for it
  jobs         3
  batch        2,000 answers, 400,000 tokens in, 4,000 out: $0.0500
  on demand    48 answers, 9,600 tokens in, 96 out: $0.0025
  cost         $0.0525 (prices of 2026-11-20)
               the same tokens on demand: $0.1025
  files        1 under s3://b/o/";
        let actual = formatted(|summary| {
            (summary.answered, summary.failed, summary.skipped) = (2048, 1, 1);
            summary.failed_reasons.insert("no answer".to_owned(), 1);
            summary.skipped_reasons.insert("max_records_total".to_owned(), 1);
            summary.warnings.insert("empty cell".to_owned(), 2);
            summary.repaired_answers = 3;
            let kinds = BTreeMap::from([("number".to_owned(), 2047), ("text".to_owned(), 1)]);
            summary.mixed_types.insert("score".to_owned(), kinds);
            (summary.retried, summary.rounds) = (57, 2);
            summary.duplicates = Duplicates { rows: 120, input_tokens_saved: 24_000, output_tokens_saved: 1200 };
            summary.fell_back.insert("no batch for it".to_owned(), 40);
            summary.lanes.insert(Lane::Batch, lane(2000, 400_000, 4000, Some(0.05)));
            summary.lanes.insert(Lane::OnDemand, lane(48, 9600, 96, Some(0.0025)));
            (summary.cost_usd, summary.on_demand_cost_usd) = (Some(0.0525), Some(0.1025));
        });
        assert_eq!(actual, expected);
    }

    #[test]
    fn an_unknown_price_is_never_shown_as_a_cost_of_zero() {
        let text = formatted(|summary| {
            summary.lanes.insert(Lane::Batch, lane(2050, 462_656, 4100, None));
            (summary.cost_usd, summary.on_demand_cost_usd) = (None, None);
            summary.prices.clear();
        });
        assert!(text.contains("4,100 out: cost unknown"), "{text}");
        assert!(
            text.contains(
                "  cost         unknown: the price of claude is not known (add it to infra/model-overrides.toml)"
            ),
            "{text}"
        );
        assert!(text.contains("the same tokens on demand: unknown: the price of nova is not known"), "{text}");
        assert!(!text.contains('$'), "{text}");
    }

    #[test]
    fn a_run_on_demand_is_not_compared_with_itself() {
        let text = formatted(|summary| {
            summary.lanes = BTreeMap::from([(Lane::OnDemand, lane(5, 10, 10, Some(0.000_001)))]);
            summary.cost_usd = Some(0.000_001);
        });
        assert!(!text.contains("the same tokens"), "{text}");
        assert!(text.contains("cost         under $0.0001 (prices of"), "{text}");
    }

    #[test]
    fn columns_that_are_not_named_are_counted() {
        let text = formatted(|summary| {
            let kinds = BTreeMap::from([("number".to_owned(), 9), ("text".to_owned(), 1)]);
            summary.mixed_types = (0..52).map(|at| (format!("score_{at:02}"), kinds.clone())).collect();
        });
        assert!(text.contains("note: the column `score_49` is text: it has 9 numbers and 1 text\n"), "{text}");
        assert!(text.contains("note: 2 other columns of values of several kinds, see summary.json"), "{text}");
        assert!(!text.contains("score_50"), "{text}");
    }
}
