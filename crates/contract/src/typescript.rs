//! The names that the CDK app imports, as prettier formats them.

use crate::origin::{COMMAND, SOURCE};
use bedrock_batch_domain::contract::job_table::{self, Index};
use bedrock_batch_domain::contract::metrics::{self as all_metrics, Metric};
use bedrock_batch_domain::contract::payloads::{self, Payload, Returned};
use bedrock_batch_domain::contract::quota_wait::{BACKOFF_PERCENT, FIRST_SECONDS, MAX_SECONDS};
use bedrock_batch_domain::contract::{
    Entry, environment as variables, functions as lambdas, prefixes, steps as run_steps,
};
use bedrock_batch_domain::error_name::ErrorName;

/// The print width of prettier in infra/.
const WIDTH: usize = 120;

/// Returns the environment variables of the functions.
pub(crate) fn environment() -> String {
    let doc = "Environment variables of the functions.";
    file(&[object("ENVIRONMENT", doc, &entries(variables::ALL))])
}

/// Returns the names of errors, and those that a retry cannot fix.
pub(crate) fn error_names() -> String {
    let member = |name: &ErrorName| {
        let retried = if name.is_retried() { "" } else { " Never retried." };
        let doc = comment("  ", &format!("{}{retried}", name.meaning()));
        format!("{doc}  {}: {},\n", lower_first(name.as_str()), quoted(name.as_str()))
    };
    let members = ErrorName::ALL.iter().map(member).collect::<Vec<_>>().concat();
    let never = ErrorName::ALL.iter().filter(|name| !name.is_retried());
    let never = never.map(|name| format!("ERROR_NAMES.{}", lower_first(name.as_str()))).collect::<Vec<_>>();
    let never = array("", "export const NEVER_RETRIED = ", &never, " as const;\n");
    file(&[
        object("ERROR_NAMES", "Errors of the functions, as Retry and Catch match them.", &members),
        format!("{}{never}", comment("", "Errors that a retry cannot fix.")),
    ])
}

/// Returns the version of this project.
pub(crate) fn version() -> String {
    let doc = comment("", "Version of the functions and of the command line.");
    file(&[format!("{doc}export const VERSION = {};\n", quoted(env!("CARGO_PKG_VERSION")))])
}

/// Returns the names of the functions.
pub(crate) fn functions() -> String {
    let item = |function: &Entry| [comment("  ", function.doc.trim()), format!("  {},\n", quoted(function.value))];
    let names = [
        comment("", "Functions of the stack, by the names of their folders under lambdas/."),
        "export const FUNCTION_NAMES = [\n".to_owned(),
        lambdas::ALL.iter().flat_map(item).collect(),
        "] as const;\n".to_owned(),
    ];
    let prefix = format!(
        "{}export const FUNCTION_NAME_PREFIX = {};\n",
        comment("", "Comes before the name of a function in the account."),
        quoted(lambdas::NAME_PREFIX)
    );
    file(&[names.concat(), prefix])
}

/// Returns the keys and indexes of the job table.
pub(crate) fn job_table() -> String {
    let members = [
        format!("  partitionKey: {},\n", quoted(job_table::PARTITION_KEY)),
        format!("  timeToLive: {},\n", quoted(job_table::TIME_TO_LIVE)),
        format!("  uploadSlots: {},\n", quoted(job_table::UPLOAD_SLOTS)),
        index("runIndex", &job_table::RUN_INDEX),
        index("openIndex", &job_table::OPEN_INDEX),
    ];
    file(&[object("JOB_TABLE", "Names in the job table that both the stack and the functions use.", &members.concat())])
}

/// Returns the payloads of functions, and the fields of their results.
pub(crate) fn payloads() -> String {
    let sent = payloads::ALL.iter().map(payload).collect::<String>();
    let read = payloads::RESULTS.iter().map(returned).collect::<String>();
    file(&[
        object("PAYLOADS", "Events that the state machines hand to functions.", &sent),
        object("RESULTS", "Fields of the functions' results that the state machines read.", &read),
    ])
}

/// Returns the metrics of runs.
pub(crate) fn metrics() -> String {
    let member = |metric: &Metric| {
        let doc = comment("  ", metric.doc);
        let dimension = metric.dimension.map_or_else(|| "undefined".to_owned(), quoted);
        let (key, name, unit) = (lower_first(metric.name), quoted(metric.name), quoted(metric.unit));
        format!("{doc}  {key}: {{ name: {name}, unit: {unit}, dimension: {dimension} }},\n")
    };
    let members = all_metrics::ALL.iter().map(member).collect::<String>();
    file(&[object("METRICS", "Metrics that functions write to their logs.", &members)])
}

/// Returns the waits of the state machine for room at Bedrock.
pub(crate) fn quota_wait() -> String {
    let rate = f64::from(BACKOFF_PERCENT) / 100.0;
    let members = [
        (
            "Maximum seconds before the first retry. Each wait is a random part of its maximum.",
            format!("firstSeconds: {FIRST_SECONDS}"),
        ),
        ("Maximum of each further wait, as a multiple of the one before.", format!("backoffRate: {rate}")),
        ("Maximum seconds of all waits.", format!("maxSeconds: {MAX_SECONDS}")),
    ];
    let members = members.map(|(doc, member)| format!("{}  {member},\n", comment("  ", doc)));
    let doc =
        "Waits of the state machine for room at Bedrock, by which the functions know when a waiting run comes back.";
    file(&[object("QUOTA_WAIT", doc, &members.concat())])
}

/// Returns the steps of a run.
pub(crate) fn steps() -> String {
    let doc = "Steps of a run, as `step` names them in the result of preprocess.";
    file(&[object("STEPS", doc, &entries(&run_steps::ALL.map(run_steps::entry)))])
}

/// Returns the prefixes of the bucket.
pub(crate) fn storage_prefixes() -> String {
    let doc = "Prefixes of the bucket: the first part of every key that a function writes.";
    file(&[object("PREFIXES", doc, &entries(prefixes::ALL))])
}

fn file(declarations: &[String]) -> String {
    format!("// Written by `{COMMAND}` from {SOURCE}.\n\n{}", declarations.join("\n"))
}

fn object(name: &str, doc: &str, members: &str) -> String {
    format!("{}export const {name} = {{\n{members}}} as const;\n", comment("", doc))
}

fn entries(entries: &[Entry]) -> String {
    let member = |entry: &Entry| {
        let doc = comment("  ", entry.doc.trim());
        format!("{doc}  {}: {},\n", camel_case(entry.constant), quoted(entry.value))
    };
    entries.iter().map(member).collect()
}

fn index(name: &str, index: &Index) -> String {
    let Index { name: index_name, partition_key, sort_key, doc } = *index;
    let [index_name, partition_key, sort_key] = [index_name, partition_key, sort_key].map(quoted);
    let doc = comment("  ", doc);
    format!("{doc}  {name}: {{ name: {index_name}, partitionKey: {partition_key}, sortKey: {sort_key} }},\n")
}

fn payload(payload: &Payload) -> String {
    let doc = comment("  ", &format!("{}: {}", payload.function, payload.doc));
    let action = payload.action.map_or_else(|| "undefined".to_owned(), quoted);
    let fields = array("    ", "fields: ", &payload.fields.iter().copied().map(quoted).collect::<Vec<_>>(), ",\n");
    format!("{doc}  {}: {{\n    action: {action},\n{fields}  }},\n", payload.name)
}

fn returned(result: &Returned) -> String {
    let fields = result.fields.iter().copied().map(quoted).collect::<Vec<_>>();
    let member = array("  ", &format!("{}: ", result.name), &fields, ",\n");
    format!("{}{member}", comment("  ", result.doc))
}

/// Writes an array on one line if it fits, else with an item per line.
fn array(indent: &str, before: &str, items: &[String], after: &str) -> String {
    let line = format!("{indent}{before}[{}]{after}", items.join(", "));
    if line.trim_end().len() <= WIDTH {
        return line;
    }
    let items: Vec<String> = items.iter().map(|item| format!("{indent}  {item},\n")).collect();
    format!("{indent}{before}[\n{}{indent}]{after}", items.concat())
}

/// Writes a doc comment on one line if it fits, else wrapped.
fn comment(indent: &str, text: &str) -> String {
    let line = format!("{indent}/** {text} */\n");
    if line.trim_end().len() <= WIDTH {
        return line;
    }
    let start = format!("{indent} *");
    let mut lines = vec![format!("{indent}/**"), start.clone()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => *line = format!("{line} {word}"),
            _ => lines.push(format!("{start} {word}")),
        }
    }
    lines.push(format!("{indent} */\n"));
    lines.join("\n")
}

/// Turns `BUCKET_NAME` into `bucketName`.
fn camel_case(constant: &str) -> String {
    let mut words = constant.split('_').map(str::to_ascii_lowercase);
    let first = words.next().unwrap_or_default();
    let rest = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]);
    std::iter::once(first).chain(rest).collect()
}

/// Turns `InvalidInput` into `invalidInput`.
fn lower_first(name: &str) -> String {
    name[..1].to_ascii_lowercase() + &name[1..]
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}
