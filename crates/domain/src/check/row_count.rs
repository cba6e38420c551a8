//! Number of rows of an input: whether they are enough for a batch job.

use crate::input::{ProcessingMode, PromptConfig, RunRequest};
use crate::problem::Problem;

/// Returns in words how `rows` rows of `input` are sent with a model whose batch jobs have at least `minimum` records.
///
/// # Errors
/// Returns a problem if they are sent in batch only, and are too few for a job. Rows that equal others or are blank may make
/// them fewer.
pub fn row_count(request: &RunRequest, minimum: u32, input: &str, rows: u64) -> Result<String, Problem> {
    let used = rows.min(request.max_records_total.unwrap_or(u64::MAX));
    let requests = used.div_ceil(u64::from(request.rows_per_request()));
    // Only the rows determine how many records they become.
    let expands = matches!(request.prompt_config, PromptConfig::Expanded { .. });
    let has = format!("{input} has {rows} {}", if rows == 1 { "row" } else { "rows" });
    let sent = match (used == rows, requests == used) {
        (true, true) => has,
        (false, true) => format!("{has}, of which the first {used} are used"),
        (_, false) => format!("{has}, which make at least {requests} requests"),
    };
    let least = request.invocation.batch_threshold.unwrap_or(0).max(u64::from(minimum));
    match request.invocation.processing_mode {
        ProcessingMode::Batch if !expands && requests < u64::from(minimum) => {
            let rule = format!("{sent}, and a batch job needs at least {minimum} records");
            Err(Problem::new("processing_mode", "batch", rule).remedy("use `auto` or `realtime`, or add rows"))
        }
        ProcessingMode::Auto if !expands && requests < least => {
            Ok(format!("{sent}: fewer than {least}, so that they are sent on demand, at the full price"))
        }
        ProcessingMode::Auto | ProcessingMode::Batch | ProcessingMode::Realtime => Ok(sent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::test_requests::request_of_prompt;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[rstest]
    #[case(json!({}), 100, Ok("the input has 100 rows"))]
    #[case(json!({}), 1, Ok("the input has 1 row: fewer than 100, so that they are sent on demand, at the full price"))]
    #[case(json!({"batch_threshold": 500}), 499, Ok("the input has 499 rows: fewer than 500, so that"))]
    #[case(json!({"processing_mode": "batch"}), 99,
        Err("processing_mode is `batch`: the input has 99 rows, and a batch job needs at least 100 records; use `auto`"))]
    #[case(json!({"processing_mode": "batch", "max_records_total": 50}), 200,
        Err("processing_mode is `batch`: the input has 200 rows, of which the first 50 are used, and a batch job needs"))]
    #[case(json!({"processing_mode": "batch", "rows_per_request": 10}), 990,
        Err("processing_mode is `batch`: the input has 990 rows, which make at least 99 requests, and a batch"))]
    #[case(json!({"processing_mode": "realtime"}), 5, Ok("the input has 5 rows"))]
    #[case(json!({"prompt_id": null, "prompt_config": {"mode": "expanded", "category_column": "c", "expansion_mapping": {"a": "b"}},
        "processing_mode": "batch"}), 50, Ok("the input has 50 rows"))]
    fn rows_of_an_input_are_compared_with_the_minimum(
        #[case] more: Value,
        #[case] rows: u64,
        #[case] expected: Result<&str, &str>,
    ) {
        let found = row_count(&request_of_prompt(&more), 100, "the input", rows);
        let found = found.map_err(|problem| problem.to_string());
        assert_eq!(found.is_ok(), expected.is_ok(), "{found:?}");
        let (found, expected) = (found.unwrap_or_else(|error| error), expected.unwrap_or_else(|error| error));
        assert!(found.starts_with(expected), "{found}");
    }
}
