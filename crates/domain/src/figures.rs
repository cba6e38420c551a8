//! Figures of a run for the metrics of its stack.

use crate::contract::metrics::{COST_USD, INPUT_TOKENS, Metric, OUTPUT_TOKENS, ROWS_ANSWERED, ROWS_FAILED};
use crate::row_error::RowErrorCode;
use crate::summary::RunOutput;

/// Figure of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The metric.
    pub metric: Metric,
    /// Value of its dimension; empty if it has none.
    pub of: String,
    /// Value.
    pub value: f64,
}

/// Name of the model in figures of a run of an earlier version, whose output names none.
const UNKNOWN_MODEL: &str = "unknown";

/// Returns what a run adds to the figures. `earlier` is its output if it has ended before: a summary that is written again adds
/// nothing, and that of a run that was continued adds what came since. Rows that have got an answer since were counted as
/// failed before, and stay so.
pub fn figures(earlier: Option<&RunOutput>, output: &RunOutput) -> Vec<Figure> {
    let now = &output.summary;
    let before = earlier.map(|output| &output.summary);
    let model = output.model_id.as_deref().unwrap_or(UNKNOWN_MODEL);
    let mut figures = Vec::new();
    let mut add = |metric: Metric, of: &str, value: f64, before: f64| {
        if value > before {
            figures.push(Figure { metric, of: of.to_owned(), value: value - before });
        }
    };
    add(ROWS_ANSWERED, "", number(now.answered), number(before.map_or(0, |before| before.answered)));
    for (code, rows) in &now.failed_codes {
        let earlier = before.and_then(|before| before.failed_codes.get(code)).copied().unwrap_or_default();
        add(ROWS_FAILED, &name_of(*code), number(*rows), number(earlier));
    }
    add(INPUT_TOKENS, model, number(now.input_tokens), number(before.map_or(0, |before| before.input_tokens)));
    add(OUTPUT_TOKENS, model, number(now.output_tokens), number(before.map_or(0, |before| before.output_tokens)));
    if let Some(cost) = now.cost_usd {
        add(COST_USD, model, cost, before.and_then(|before| before.cost_usd).unwrap_or_default());
    }
    figures
}

/// Returns the name of a code in summaries.
fn name_of(code: RowErrorCode) -> String {
    serde_json::to_value(code).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// CloudWatch has all values as floating-point numbers.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn output(answered: u64, failed: &serde_json::Value, tokens: u64, cost: Option<f64>) -> RunOutput {
        let summary = json!({"records_in": 10, "answered": answered, "failed": 0, "skipped": 0, "failed_reasons": {},
            "failed_codes": failed, "skipped_reasons": {}, "warnings": {}, "jobs": 1, "rounds": 1, "retried": 0,
            "duplicates": {"rows": 0, "input_tokens_saved": 0, "output_tokens_saved": 0}, "fell_back": {},
            "input_tokens": tokens, "output_tokens": 2 * tokens, "cache_read_tokens": 0, "cache_write_tokens": 0,
            "lanes": {}, "cost_usd": cost, "on_demand_cost_usd": null, "prices": []});
        serde_json::from_value(json!({"run_id": "r", "status": "completed", "output_prefix": "p", "output_paths": [],
            "output_path_count": 0, "model_id": "m", "summary": summary}))
        .unwrap()
    }

    fn plain(figures: &[Figure]) -> Vec<(&str, &str, f64)> {
        figures.iter().map(|figure| (figure.metric.name, figure.of.as_str(), figure.value)).collect()
    }

    #[test]
    fn a_run_has_its_rows_reasons_tokens_and_cost() {
        let output = output(8, &json!({"empty_answer": 1, "no_answer": 1}), 5, Some(0.25));
        let expected = [
            ("RowsAnswered", "", 8.0),
            ("RowsFailed", "no_answer", 1.0),
            ("RowsFailed", "empty_answer", 1.0),
            ("InputTokens", "m", 5.0),
            ("OutputTokens", "m", 10.0),
            ("CostUsd", "m", 0.25),
        ];
        assert_eq!(plain(&figures(None, &output)), expected);
    }

    #[test]
    fn a_summary_that_is_written_again_adds_nothing() {
        let output = output(8, &json!({"empty_answer": 2}), 5, Some(0.25));
        assert_eq!(figures(Some(&output), &output), []);
    }

    #[test]
    fn a_run_that_was_continued_adds_what_came_since() {
        let before = output(8, &json!({"empty_answer": 2}), 5, Some(0.25));
        let now = output(9, &json!({"empty_answer": 1, "no_answer": 1}), 6, Some(0.75));
        let expected = [
            ("RowsAnswered", "", 1.0),
            ("RowsFailed", "no_answer", 1.0),
            ("InputTokens", "m", 1.0),
            ("OutputTokens", "m", 2.0),
            ("CostUsd", "m", 0.5),
        ];
        assert_eq!(plain(&figures(Some(&before), &now)), expected);
    }

    #[test]
    fn without_a_price_there_is_no_cost() {
        let names: Vec<&str> = figures(None, &output(1, &json!({}), 0, None)).iter().map(|f| f.metric.name).collect();
        assert_eq!(names, ["RowsAnswered"]);
    }
}
