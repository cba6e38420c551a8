//! Metrics: events of the log that a function writes in CloudWatch's embedded format, from which CloudWatch makes metrics.

use bedrock_batch_domain::contract::metrics::{Metric, TARGET};
use bedrock_batch_domain::figures::Figure;

/// Records a value of a metric; `of` is the value of its dimension, if it has one.
pub fn record(metric: &Metric, of: &str, value: f64) {
    let Metric { name, unit, dimension, .. } = *metric;
    tracing::info!(target: TARGET, name, unit, dimension = dimension.unwrap_or_default(), of, value);
}

/// Records figures of a run.
pub(crate) fn record_all(figures: &[Figure]) {
    for Figure { metric, of, value } in figures {
        record(metric, of, *value);
    }
}
