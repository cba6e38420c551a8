//! Metrics of runs, in one table: functions write them, the dashboard shows them, and docs/metrics.md describes them.

/// Target of the log events that are metrics, and no lines of the log.
pub const TARGET: &str = "bedrock_batch::metric";

/// Metric of CloudWatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Name.
    pub name: &'static str,
    /// Unit, as CloudWatch names it.
    pub unit: &'static str,
    /// Name of its dimension, if it has one.
    pub dimension: Option<&'static str>,
    /// Meaning of a value.
    pub doc: &'static str,
}

const fn metric(name: &'static str, unit: &'static str, dimension: Option<&'static str>, doc: &'static str) -> Metric {
    Metric { name, unit, dimension, doc }
}

/// Rows with an answer.
pub const ROWS_ANSWERED: Metric =
    metric("RowsAnswered", "Count", None, "Rows of a run that have an answer, at its end.");
/// Rows without an answer.
pub const ROWS_FAILED: Metric =
    metric("RowsFailed", "Count", Some("Reason"), "Rows of a run that have none, by the code of their reason.");
/// Input tokens.
pub const INPUT_TOKENS: Metric = metric("InputTokens", "Count", Some("Model"), "Input tokens of a run, by its model.");
/// Output tokens.
pub const OUTPUT_TOKENS: Metric =
    metric("OutputTokens", "Count", Some("Model"), "Output tokens of a run, by its model.");
/// Cost.
pub const COST_USD: Metric = metric(
    "CostUsd",
    "None",
    Some("Model"),
    "Cost of the tokens of a run in US dollars, by its model. None if a price is not known.",
);
/// Ends of jobs.
pub const JOBS_ENDED: Metric =
    metric("JobsEnded", "Count", Some("Status"), "Batch jobs that have ended, by their last status at Bedrock.");
/// Time of a step.
pub const STEP_SECONDS: Metric = metric(
    "StepSeconds",
    "Seconds",
    Some("Step"),
    "Time that a step of a run took, with all its jobs, by its name: `preprocess`, or `step` in the state machine.",
);
/// Time of a run.
pub const RUN_SECONDS: Metric = metric(
    "RunSeconds",
    "Seconds",
    None,
    "Time from the start of a run to its summary. None for a run that was continued.",
);

/// All metrics, in the order of their documentation.
pub const ALL: [Metric; 8] =
    [ROWS_ANSWERED, ROWS_FAILED, INPUT_TOKENS, OUTPUT_TOKENS, COST_USD, JOBS_ENDED, STEP_SECONDS, RUN_SECONDS];
