//! The invocations of preprocess.

use bedrock_batch_engine::TimedStep;
use bedrock_batch_engine::preprocess::StartInput;
use serde::Deserialize;

/// The payload of an invocation.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Action {
    /// An execution begins.
    Start(StartInput),
    /// A step is done.
    NextStep { state: TimedStep },
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::contract::functions;
    use bedrock_batch_domain::contract::payloads::{self, Payload};
    use serde_json::{Map, Value, json};

    fn event(payload: &Payload) -> Map<String, Value> {
        let execution = "arn:aws:states:eu-west-1:123456789012:execution:o:r";
        let value = |field: &str| match field {
            "execution_arn" => json!(execution),
            "input" => json!({"s3_uri": "s3://b/k"}),
            "state" => json!({"step": "process_jobs", "run_id": "r", "bucket": "b", "execution_arn": execution,
                "manifest_key": "k", "max_concurrency": 5, "model_id": "m", "invocation_type": "InvokeModel",
                "falls_back": true, "pass": 0, "round": 0, "last_round": 1, "mode": "run"}),
            _ => json!("text"),
        };
        let fields = payload.fields.iter().map(|field| ((*field).to_owned(), value(field)));
        fields.chain(payload.action.map(|action| ("action".to_owned(), action.into()))).collect()
    }

    fn is_read(event: Map<String, Value>) -> bool {
        serde_json::from_value::<Action>(event.into()).is_ok()
    }

    #[test]
    fn the_payloads_of_the_contract_are_read_with_all_their_fields() {
        for payload in payloads::ALL.iter().filter(|payload| payload.function == functions::PREPROCESS) {
            assert!(is_read(event(payload)), "{}", payload.name);
            for field in event(payload).keys() {
                let mut without = event(payload);
                without.remove(field);
                assert!(!is_read(without), "`{field}` of {}", payload.name);
            }
        }
    }
}
