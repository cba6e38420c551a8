//! Payloads that the state machines send, and results that they read, match the types of the functions.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot continue fails")]

use bedrock_batch_domain::contract::functions;
use bedrock_batch_domain::contract::payloads::{self, Payload, Returned};
use bedrock_batch_domain::ids::{ExecutionArn, RunId};
use bedrock_batch_domain::run::Step;
use bedrock_batch_engine::finalize::{Explanation, FinalizeInput};
use bedrock_batch_engine::invoke::{InvokeInput, Invoked};
use bedrock_batch_engine::notify::PipelineEnd;
use bedrock_batch_engine::postprocess::PostprocessInput;
use bedrock_batch_engine::submit::SubmitInput;
use bedrock_batch_engine::validate::{StageExecution, ValidPipeline, ValidateInput};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::fmt::Debug;

const EXECUTION: &str = "arn:aws:states:eu-west-1:123456789012:execution:bedrock-batch-orchestrator-123456789012:r";

/// Returns the value of a field in an event of the state machine.
fn value_of(field: &str) -> Value {
    let job = json!({"index": 0, "name": "j", "records": 100, "input_uri": "s3://b/i", "output_uri": "s3://b/o"});
    match field {
        "falls_back" => json!(false),
        "redrive_count" | "retry_count" => json!(1),
        "invocation_type" => json!("InvokeModel"),
        "job" => job,
        "chunk" => json!({"index": 0, "name": "j", "jobs": []}),
        "error" => json!({"Error": "States.Timeout", "Cause": ""}),
        "input" => json!({"s3_uri": "s3://b/k"}),
        "execution_arn" => json!(EXECUTION),
        _ => json!("text"),
    }
}

/// Returns a step in the format of preprocess.
fn step() -> Value {
    json!({"step": "process_jobs", "run_id": "r", "bucket": "b", "execution_arn": EXECUTION, "manifest_key": "k",
        "max_concurrency": 5, "model_id": "m", "invocation_type": "InvokeModel", "falls_back": true, "pass": 0,
        "round": 0, "last_round": 1, "mode": "run"})
}

/// Returns the payloads whose types are in this crate; those of preprocess are in its Lambda crate.
fn sent_payloads() -> impl Iterator<Item = &'static Payload> {
    payloads::ALL.iter().filter(|payload| payload.function != functions::PREPROCESS)
}

/// Returns the event of a payload.
fn event(payload: &Payload) -> Map<String, Value> {
    let fields = payload.fields.iter().map(|field| ((*field).to_owned(), value_of(field)));
    fields.chain(payload.action.map(|action| ("action".to_owned(), action.into()))).collect()
}

/// Returns the content that the function of a payload reads from an event, or `None` if it refuses the event.
fn read(payload: &Payload, event: Map<String, Value>) -> Option<String> {
    fn as_type<T: DeserializeOwned + Debug>(event: Map<String, Value>) -> Option<String> {
        serde_json::from_value::<T>(event.into()).ok().map(|input| format!("{input:?}"))
    }
    match payload.function {
        functions::SUBMIT => as_type::<SubmitInput>(event),
        functions::INVOKE => as_type::<InvokeInput>(event),
        functions::POSTPROCESS => as_type::<PostprocessInput>(event),
        functions::FINALIZE => as_type::<FinalizeInput>(event),
        functions::VALIDATE => as_type::<ValidateInput>(event),
        functions::NOTIFY => as_type::<PipelineEnd>(event),
        other => panic!("no type is known for the events of `{other}`"),
    }
}

#[test]
fn every_payload_is_read_by_its_function() {
    for payload in sent_payloads() {
        assert!(read(payload, event(payload)).is_some(), "{}", payload.name);
    }
}

#[test]
fn every_field_of_a_payload_is_read() {
    for payload in sent_payloads() {
        for field in event(payload).keys() {
            let mut without = event(payload);
            without.remove(field);
            assert_ne!(read(payload, without), read(payload, event(payload)), "`{field}` of {}", payload.name);
        }
    }
}

/// Returns the result that a state machine reads.
fn result(returned: &Returned) -> Value {
    fn written(result: impl Serialize) -> Value {
        serde_json::to_value(result).unwrap()
    }
    let stage = StageExecution {
        index: 0,
        stage_name: "s".to_owned(),
        execution_name: "e".to_owned(),
        input: json!({"config_s3_uri": "s3://b/k"}),
    };
    match returned.name {
        "step" => written(serde_json::from_value::<Step>(step()).unwrap()),
        "invoked" => written(Invoked { done: true }),
        "explanation" => written(Explanation { error: "JobFailed".to_owned(), cause: "c".to_owned() }),
        "stage" => written(stage),
        "pipeline" => written(ValidPipeline {
            pipeline_run_id: RunId::parse("p").unwrap(),
            bucket: "b".to_owned(),
            execution_arn: ExecutionArn::parse(EXECUTION).unwrap(),
            started_at: "t".to_owned(),
            stages: vec![stage],
        }),
        other => panic!("no type is known for the result `{other}`"),
    }
}

#[test]
fn every_field_that_a_state_machine_reads_is_in_the_result() {
    for returned in payloads::RESULTS {
        let result = result(returned);
        for field in returned.fields {
            assert!(result.get(field).is_some(), "`{field}` is not in the result {}", returned.name);
        }
    }
}
