//! The names that Python reads, as JSON.

use crate::origin::{COMMAND, SOURCE};
use bedrock_batch_domain::contract::job_table::{self, Index};
use bedrock_batch_domain::contract::metrics::{self, Metric};
use bedrock_batch_domain::contract::payloads::{self, Payload};
use bedrock_batch_domain::contract::{Entry, environment, functions, prefixes, steps};
use bedrock_batch_domain::error_name::ErrorName;
use serde_json::{Map, Value, json};

/// Returns the whole contract but for the results of functions, which Python does not name.
pub(crate) fn contract() -> String {
    let contract = json!({
        "written_by": format!("{COMMAND}, from {SOURCE}"),
        "functions": functions::ALL.iter().map(|function| function.value).collect::<Vec<_>>(),
        "function_name_prefix": functions::NAME_PREFIX,
        "environment": by_constant(environment::ALL),
        "error_names": ErrorName::ALL.iter().map(|name| (name.to_string(), error(*name))).collect::<Map<_, _>>(),
        "steps": by_constant(&steps::ALL.map(steps::entry)),
        "prefixes": by_constant(prefixes::ALL),
        "payloads": payloads::ALL.iter().map(payload).collect::<Map<_, _>>(),
        "metrics": metrics::ALL.iter().map(metric).collect::<Map<_, _>>(),
        "job_table": {
            "partition_key": job_table::PARTITION_KEY,
            "time_to_live": job_table::TIME_TO_LIVE,
            "upload_slots": job_table::UPLOAD_SLOTS,
            "job_places_prefix": job_table::JOB_PLACES_PREFIX,
            "run_index": index(&job_table::RUN_INDEX),
            "open_index": index(&job_table::OPEN_INDEX),
        },
    });
    format!("{contract:#}\n")
}

/// The names under those of their constants.
fn by_constant(entries: &[Entry]) -> Map<String, Value> {
    entries.iter().map(|entry| (entry.constant.to_owned(), entry.value.into())).collect()
}

fn error(name: ErrorName) -> Value {
    json!({"meaning": name.meaning(), "retried": name.is_retried()})
}

fn metric(metric: &Metric) -> (String, Value) {
    let Metric { name, unit, dimension, doc } = *metric;
    (name.to_owned(), json!({"unit": unit, "dimension": dimension, "doc": doc}))
}

fn payload(payload: &Payload) -> (String, Value) {
    let Payload { name, function, action, fields, .. } = *payload;
    (name.to_owned(), json!({"function": function, "action": action, "fields": fields}))
}

fn index(index: &Index) -> Value {
    json!({"name": index.name, "partition_key": index.partition_key, "sort_key": index.sort_key})
}
