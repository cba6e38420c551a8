//! Lines in CloudWatch's embedded format: JSON in a log from which CloudWatch makes metrics, without a request and without a right.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use bedrock_batch_domain::contract::metrics::TARGET;
use serde_json::{Map, Value, json};
use std::fmt::Debug;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Maximum length of the value of a dimension.
const MAX_DIMENSION_CHARS: usize = 1024;

/// Layer that writes the events of metrics.
#[derive(Debug)]
pub(crate) struct MetricLines<M> {
    namespace: String,
    make_writer: M,
}

impl<M> MetricLines<M> {
    /// Creates a layer that writes to what `make_writer` returns.
    pub(crate) fn new(namespace: String, make_writer: M) -> Self {
        Self { namespace, make_writer }
    }
}

/// Returns true for events that are metrics.
pub(crate) fn is_metric(metadata: &Metadata<'_>) -> bool {
    metadata.target() == TARGET
}

impl<S: Subscriber, W: Write, M: Fn() -> W + 'static> Layer<S> for MetricLines<M> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !is_metric(event.metadata()) {
            return;
        }
        let mut datum = Datum::default();
        event.record(&mut datum);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = format!("{}\n", datum.line(&self.namespace, now.as_millis()));
        // A figure that is lost fails no run.
        let _ = (self.make_writer)().write_all(line.as_bytes());
    }
}

/// Value of a metric, as an event has it.
#[derive(Debug, Default)]
struct Datum {
    name: String,
    unit: String,
    dimension: String,
    of: String,
    value: f64,
}

impl Datum {
    fn line(&self, namespace: &str, millis: u128) -> Value {
        let dimensions: Vec<&str> = Some(self.dimension.as_str()).filter(|name| !name.is_empty()).into_iter().collect();
        let mut line = Map::new();
        let metrics = json!([{"Name": self.name, "Unit": self.unit}]);
        let directive = json!({"Namespace": namespace, "Dimensions": [dimensions], "Metrics": metrics});
        line.insert(
            "_aws".to_owned(),
            json!({"Timestamp": u64::try_from(millis).unwrap_or_default(), "CloudWatchMetrics": [directive]}),
        );
        for name in dimensions {
            line.insert(name.to_owned(), dimension_value(&self.of).into());
        }
        line.insert(self.name.clone(), self.value.into());
        line.into()
    }
}

/// Returns a value that CloudWatch accepts: visible ASCII characters, at least one.
fn dimension_value(text: &str) -> String {
    let visible = |c: char| if c.is_ascii_graphic() { c } else { '_' };
    let value: String = text.chars().take(MAX_DIMENSION_CHARS).map(visible).collect();
    if value.is_empty() { "none".to_owned() } else { value }
}

impl Visit for Datum {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "value" {
            self.value = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = match field.name() {
            "name" => &mut self.name,
            "unit" => &mut self.unit,
            "dimension" => &mut self.dimension,
            "of" => &mut self.of,
            _ => return,
        };
        value.clone_into(text);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory_writer::MemoryWriter;
    use bedrock_batch_domain::contract::metrics;
    use bedrock_batch_engine::metrics::record;
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn each_value_is_a_line_in_embedded_format() {
        let memory = MemoryWriter::default();
        let out = memory.clone();
        let layer = MetricLines::new("BedrockBatch".to_owned(), move || out.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            record(&metrics::ROWS_FAILED, "empty_answer", 7.0);
            record(&metrics::ROWS_ANSWERED, "", 2.5);
            record(&metrics::INPUT_TOKENS, "mödel\n\u{1b}[31m", 1.0);
            record(&metrics::JOBS_ENDED, "", 1.0);
            tracing::info!(name = "no metric", value = 1.0, "an_event");
        });
        let text = memory.text();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 4, "{text}");
        let directive = json!([{"Namespace": "BedrockBatch", "Dimensions": [["Reason"]],
            "Metrics": [{"Name": "RowsFailed", "Unit": "Count"}]}]);
        assert_eq!(lines[0]["_aws"]["CloudWatchMetrics"], directive);
        assert!(lines[0]["_aws"]["Timestamp"].as_u64().unwrap() > 1_700_000_000_000);
        assert_eq!((&lines[0]["Reason"], &lines[0]["RowsFailed"]), (&json!("empty_answer"), &json!(7.0)));
        assert_eq!(lines[1]["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        assert_eq!(lines[1]["RowsAnswered"], 2.5);
        assert_eq!(lines[2]["Model"], "m_del__[31m");
        assert_eq!(lines[3]["Status"], "none");
    }
}
