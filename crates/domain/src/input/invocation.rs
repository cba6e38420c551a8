//! Options for the invocation of models: lanes, retries and request limits.

use super::Fields;
use crate::ids::Arn;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// Lanes in which rows may be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProcessingMode {
    /// In batch if possible, else on demand.
    #[default]
    Auto,
    /// Only in batch: rows that a batch job cannot process remain unanswered.
    Batch,
    /// Only on demand.
    Realtime,
}

/// Reason for which a row without an answer is retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetryOn {
    /// The row has no answer.
    Missing,
    /// Bedrock returned an error that may be transient.
    Error,
    /// The answer could not be parsed.
    Unparsed,
}

/// Options for the invocation of models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvocationOptions {
    /// Lanes in which rows may be sent.
    pub processing_mode: ProcessingMode,
    /// In mode `auto`: minimum number of records for batch jobs; by default the model's minimum.
    pub batch_threshold: Option<u64>,
    /// In mode `auto`: maximum number of rows that may be sent on demand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_on_demand_rows: Option<u64>,
    /// In mode `auto`: maximum cost of the rows that may be sent on demand, in US dollars, by an estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_on_demand_usd: Option<f64>,
    /// Maximum number of retries of rows without an answer.
    pub max_retry_rounds: u32,
    /// Reasons for which rows are retried.
    pub retry_on: Vec<RetryOn>,
    /// Maximum number of concurrent requests on demand of the whole run.
    pub max_workers: u32,
    /// Maximum number of requests on demand per second of the whole run.
    pub requests_per_second: f64,
    /// Models that are invoked on demand through an inference profile, in place of the stack's list.
    pub inference_profile_required_models: Option<Vec<String>>,
    /// ARN of the inference profile to use.
    pub inference_profile_arn: Option<String>,
    /// If true, rows may be sent to any commercial region, through a global inference profile.
    pub allow_global: bool,
    /// Model that is invoked on demand if the first one is refused as unavailable or not permitted.
    pub fallback_model_id: Option<String>,
    /// If true, rows with the same model input are sent once.
    pub deduplicate: bool,
    /// If true, requests on demand have cache points where the model caches their prompts.
    pub prompt_caching: bool,
}

impl Default for InvocationOptions {
    fn default() -> Self {
        Self {
            processing_mode: ProcessingMode::Auto,
            batch_threshold: None,
            max_on_demand_rows: None,
            max_on_demand_usd: None,
            max_retry_rounds: 1,
            retry_on: vec![RetryOn::Missing, RetryOn::Error],
            max_workers: 5,
            requests_per_second: 5.0,
            inference_profile_required_models: None,
            inference_profile_arn: None,
            allow_global: false,
            fallback_model_id: None,
            deduplicate: true,
            prompt_caching: true,
        }
    }
}

/// Field that limits the rows that are sent on demand.
pub const MAX_ON_DEMAND_ROWS: &str = "max_on_demand_rows";
/// Field that limits what they cost, in US dollars.
pub const MAX_ON_DEMAND_USD: &str = "max_on_demand_usd";

impl InvocationOptions {
    /// Reads these options from the fields of an execution input.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let defaults = Self::default();
        let as_u32 = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let processing_mode = match fields.text("processing_mode") {
            None | Some("auto") => ProcessingMode::Auto,
            Some("batch") => ProcessingMode::Batch,
            Some("realtime") => ProcessingMode::Realtime,
            Some(other) => {
                fields.note(Problem::new(
                    fields.name("processing_mode"),
                    other,
                    "must be `auto`, `batch` or `realtime`",
                ));
                ProcessingMode::Auto
            }
        };
        let batch_threshold = fields.integer("batch_threshold", 1, 1_000_000_000);
        let max_on_demand_rows = fields.integer(MAX_ON_DEMAND_ROWS, 0, 1_000_000_000);
        let max_on_demand_usd = fields.number(MAX_ON_DEMAND_USD, 0.0, 1_000_000.0);
        for (name, is_set) in [
            ("batch_threshold", batch_threshold.is_some()),
            (MAX_ON_DEMAND_ROWS, max_on_demand_rows.is_some()),
            (MAX_ON_DEMAND_USD, max_on_demand_usd.is_some()),
        ] {
            if is_set && processing_mode != ProcessingMode::Auto {
                let rule = "is only allowed with processing_mode `auto`";
                fields.note(Problem::without_value(fields.name(name), rule).remedy("leave it out"));
            }
        }
        let max_retry_rounds = fields.integer("max_retry_rounds", 0, 10).map_or(defaults.max_retry_rounds, as_u32);
        let retry_on = read_retry_on(fields).unwrap_or(defaults.retry_on);
        let max_workers = fields.integer("max_workers", 1, 100).map_or(defaults.max_workers, as_u32);
        let requests_per_second =
            fields.number("requests_per_second", 0.1, 1000.0).unwrap_or(defaults.requests_per_second);
        let required = fields.texts("inference_profile_required_models");
        let inference_profile_arn = fields.text("inference_profile_arn");
        if let Some(arn) = inference_profile_arn.filter(|arn| !is_profile_arn(arn)) {
            let rule = "must look like `arn:aws:bedrock:<region>:<account>:inference-profile/<id>` (or \
                        application-inference-profile)";
            fields.note(Problem::new(fields.name("inference_profile_arn"), arn, rule));
        }
        let fallback_model_id = fields.text("fallback_model_id");
        if fallback_model_id.is_some() && processing_mode == ProcessingMode::Batch {
            let rule = "is only invoked on demand, but processing_mode is `batch`";
            fields.note(
                Problem::without_value(fields.name("fallback_model_id"), rule)
                    .remedy("leave it out, or use mode `auto`"),
            );
        }
        Self {
            processing_mode,
            batch_threshold,
            max_on_demand_rows,
            max_on_demand_usd,
            max_retry_rounds,
            retry_on,
            max_workers,
            requests_per_second,
            inference_profile_required_models: required.map(|ids| ids.into_iter().map(str::to_owned).collect()),
            inference_profile_arn: inference_profile_arn.map(str::to_owned),
            allow_global: fields.boolean("allow_global").unwrap_or(defaults.allow_global),
            fallback_model_id: fallback_model_id.map(str::to_owned),
            deduplicate: fields.boolean("deduplicate").unwrap_or(defaults.deduplicate),
            prompt_caching: fields.boolean("prompt_caching").unwrap_or(defaults.prompt_caching),
        }
    }
}

fn is_profile_arn(text: &str) -> bool {
    let kinds = ["inference-profile/", "application-inference-profile/"];
    text.len() <= 2048 && Arn::parse(text).is_some_and(|arn| kinds.iter().any(|kind| arn.resource.starts_with(kind)))
}

fn read_retry_on(fields: &mut Fields<'_>) -> Option<Vec<RetryOn>> {
    let mut reasons = Vec::new();
    for name in fields.texts("retry_on")? {
        let reason = match name {
            "missing" => RetryOn::Missing,
            "error" => RetryOn::Error,
            "unparsed" => RetryOn::Unparsed,
            other => {
                let rule = "may contain only `missing`, `error` and `unparsed`";
                fields.note(Problem::new(fields.name("retry_on"), other, rule));
                continue;
            }
        };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Some(reasons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn read(input: &Value) -> (InvocationOptions, Vec<String>) {
        let object = input.as_object().unwrap();
        let mut fields = Fields::new("", object);
        let options = InvocationOptions::read(&mut fields);
        (options, fields.finish().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn absent_fields_have_their_defaults() {
        assert_eq!(read(&json!({})), (InvocationOptions::default(), vec![]));
    }

    #[rstest]
    #[case(json!({"processing_mode": "fast"}), "processing_mode is `fast`: must be `auto`, `batch` or `realtime`")]
    #[case(json!({"batch_threshold": 5, "processing_mode": "batch"}), "batch_threshold: is only allowed with processing_mode `auto`")]
    #[case(json!({"max_on_demand_rows": 5, "processing_mode": "realtime"}), "max_on_demand_rows: is only allowed with processing_mode `auto`")]
    #[case(json!({"max_on_demand_usd": -1}), "max_on_demand_usd is `-1`: must be a number from 0 to 1000000")]
    #[case(json!({"max_retry_rounds": 11}), "max_retry_rounds is `11`: must be a whole number from 0 to 10")]
    #[case(json!({"max_workers": 0}), "max_workers is `0`: must be a whole number from 1 to 100")]
    #[case(json!({"requests_per_second": 0}), "requests_per_second is `0`: must be a number from 0.1 to 1000")]
    #[case(json!({"retry_on": ["never"]}), "retry_on is `never`: may contain only `missing`, `error` and `unparsed`")]
    #[case(json!({"inference_profile_arn": "us.x"}), "inference_profile_arn is `us.x`: must look like")]
    #[case(json!({"fallback_model_id": "m", "processing_mode": "batch"}), "fallback_model_id: is only invoked on demand")]
    #[case(json!({"deduplicate": "no"}), "deduplicate is `\"no\"`: must be true or false")]
    fn each_invalid_field_is_reported_with_its_rule(#[case] input: Value, #[case] expected: &str) {
        let (_, problems) = read(&input);
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{problems:?}");
    }

    #[test]
    fn valid_fields_are_read() {
        let input = json!({"processing_mode": "realtime", "max_retry_rounds": 3, "retry_on": ["unparsed", "unparsed"],
            "max_workers": 100, "requests_per_second": 0.5, "deduplicate": false,
            "inference_profile_arn": "arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc"});
        let (options, problems) = read(&input);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!((options.processing_mode, options.max_retry_rounds), (ProcessingMode::Realtime, 3));
        assert_eq!((options.retry_on, options.max_workers, options.deduplicate), (vec![RetryOn::Unparsed], 100, false));
    }
}
