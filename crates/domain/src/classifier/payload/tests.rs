//! Payloads, right and wrong.

use super::*;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

fn defaults() -> ClassifierDefaults {
    ClassifierDefaults { model_id: "default-model".to_owned(), batch_size: 1000, max_workers: 5, rate_limit: 5.0 }
}

/// Returns the payload of the Python guide, with changes.
fn payload(changes: &Value) -> Value {
    let mut payload = json!({"input_bucket": "lake", "input_key": "mdr/reports.csv", "output_bucket": "results",
        "output_prefix": "imdrf/2026", "model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0", "problem_type": "product",
        "batch_size": 100, "max_workers": 10, "rate_limit": 2.5, "imdrf_bucket": "codes", "imdrf_key": "annex-a.csv"});
    payload.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    payload
}

fn read_for(payload: &Value, request_id: &str) -> Result<Classification, Vec<String>> {
    let (input, output) = (["lake", "codes"].map(str::to_owned), ["results".to_owned()]);
    let buckets = ReachableBuckets { own: "our-bucket", input: &input, output: &output };
    let read = Classification::read(payload, request_id, &defaults(), Some(buckets));
    read.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn read(changes: &Value) -> Result<Classification, Vec<String>> {
    read_for(&payload(changes), "request-1")
}

#[test]
fn the_payload_of_the_guide_is_accepted_as_it_is() {
    let read = read(&json!({})).unwrap();
    assert_eq!(read.reports.to_string(), "s3://lake/mdr/reports.csv");
    assert_eq!(read.reference.to_string(), "s3://codes/annex-a.csv");
    assert_eq!(read.output.to_string(), "s3://results/imdrf/2026/");
    assert_eq!((read.problem_type, read.batch_size, read.max_workers), (ProblemType::Product, 100, 10));
    assert!(read.execution_name.starts_with("imdrf-product-") && read.execution_name.len() == 30);
    assert_eq!(read.run_id().as_str(), read.execution_name, "the id of the run is the name as it is");
}

#[test]
fn absent_fields_have_the_defaults_of_the_stack() {
    let absent = json!({"model_id": null, "batch_size": null, "max_workers": null, "rate_limit": null,
        "imdrf_bucket": null, "output_prefix": null});
    let read = read(&absent).unwrap();
    assert_eq!((read.model_id.as_str(), read.batch_size, read.max_workers), ("default-model", 1000, 5));
    assert!((read.rate_limit - 5.0).abs() < f64::EPSILON);
    assert_eq!(read.reference.to_string(), "s3://lake/annex-a.csv", "in the bucket of the reports");
    assert_eq!(read.output.to_string(), "s3://results/");
}

#[rstest]
#[case(json!({"problem_type": "device"}), "problem_type is `device`: must be `product` or `patient`")]
#[case(json!({"problem_type": null}), "problem_type: is required")]
#[case(json!({"input_bucket": "theirs"}), "input_bucket is `theirs`: the stack may read the buckets our-bucket, lake, codes only; copy the data, or add the bucket to the context key `inputBuckets`")]
#[case(json!({"imdrf_bucket": "theirs"}), "imdrf_bucket is `theirs`: the stack may read the buckets")]
#[case(json!({"output_bucket": "theirs"}), "output_bucket is `theirs`: the stack may write to the buckets our-bucket, results only; choose one of them, or add the bucket to the context key `outputBuckets`")]
#[case(json!({"output_bucket": "our-bucket", "output_prefix": "runs/x"}), "output_prefix is `runs/x`: `runs/` in the bucket of the stack is for its own files")]
#[case(json!({"output_bucket": "s3://results"}), "output_bucket is `s3://results`: must be the name of a bucket, without `s3://`")]
#[case(json!({"input_bucket": null, "imdrf_bucket": null}), "input_bucket: is required")]
#[case(json!({"input_bucket": 7, "imdrf_bucket": null}), "input_bucket is `7`: must be a text")]
#[case(json!({"output_prefix": "../x"}), "output_prefix is `../x`: must not have `.` or `..`")]
#[case(json!({"input_bucket": "lake/mdr"}), "input_bucket is `lake/mdr`: must be the name of a bucket")]
#[case(json!({"input_bucket": "bucket-YOUR_ACCOUNT_ID"}), "input_bucket is `bucket-YOUR_ACCOUNT_ID`: still contains the placeholder YOUR_ACCOUNT_ID; replace it")]
#[case(json!({"input_key": "mdr/"}), "input_key is `mdr/`: must be the key of one object")]
#[case(json!({"input_key": null}), "input_key: is required")]
#[case(json!({"imdrf_key": "annex-a.xlsx"}), "imdrf_key is `annex-a.xlsx`: must end in `.csv` or `.json`")]
#[case(json!({"model_id": ""}), "model_id: is required and must not be empty")]
#[case(json!({"batch_size": 0}), "batch_size is `0`: must be a whole number from 1 to 100000")]
#[case(json!({"max_workers": "10"}), "max_workers is `\"10\"`: must be a whole number from 1 to 100")]
#[case(json!({"rate_limit": 0}), "rate_limit is `0`: must be a number from 0.1 to 1000")]
#[case(json!({"processing_mode": "batch"}), "processing_mode is `batch`: must be `auto` or `realtime`")]
#[case(json!({"csv_byte_order_mark": 1}), "csv_byte_order_mark is `1`: must be true or false")]
#[case(json!({"csv_safe_cells": "yes"}), "csv_safe_cells is `\"yes\"`: must be true or false")]
#[case(json!({"client_token": ""}), "client_token: is required and must not be empty")]
#[case(json!({"max_worker": 5}), "max_worker: is not a field of this input; did you mean `max_workers`?")]
fn each_invalid_field_is_reported_with_its_rule(#[case] changes: Value, #[case] expected: &str) {
    let problems = read(&changes).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with(expected), "{problems:?}");
}

#[test]
fn all_problems_are_reported_at_once() {
    let wrong = json!({"input_bucket": "theirs", "input_key": "mdr/", "output_bucket": "theirs", "imdrf_bucket": null, "imdrf_key": "a.txt",
        "problem_type": "x", "batch_size": -1, "region": "eu-west-1"});
    let problems = read(&wrong).unwrap_err();
    let fields: Vec<&str> = problems.iter().filter_map(|problem| problem.split([' ', ':']).next()).collect();
    assert_eq!(
        fields,
        ["problem_type", "input_key", "input_bucket", "output_bucket", "imdrf_key", "batch_size", "region"]
    );
    assert!(read_for(&json!([]), "r").unwrap_err()[0].starts_with("the payload: must be a JSON object"));
}

#[test]
fn where_the_buckets_of_the_stack_are_unknown_only_their_names_are_checked() {
    let read = |changes: Value| Classification::read(&payload(&changes), "", &defaults(), None);
    assert!(read(json!({"input_bucket": "any", "output_bucket": "any-other"})).is_ok());
    assert_eq!(read(json!({"input_bucket": "A", "output_bucket": "b"})).unwrap_err().len(), 2);
}

#[test]
fn a_repeated_invocation_has_the_name_of_the_first() {
    let name = |changes: &Value, request_id: &str| read_for(&payload(changes), request_id).unwrap().execution_name;
    let plain = json!({});
    assert_eq!(name(&plain, "request-1"), name(&plain, "request-1"), "Lambda repeats an invocation under its id");
    assert_eq!(name(&json!({"client_token": null}), "request-1"), name(&plain, "request-1"));
    assert_ne!(name(&plain, "request-1"), name(&plain, "request-2"), "a new invocation is a new run");
    assert_ne!(name(&plain, "request-1"), name(&json!({"batch_size": 200}), "request-1"));
    let token = json!({"client_token": "nightly"});
    assert_eq!(name(&token, "request-1"), name(&token, "request-2"), "the token stands for the invocation");
    assert_ne!(name(&token, "request-1"), name(&json!({"client_token": "weekly"}), "request-1"));
}

proptest! {
    #[test]
    fn no_payload_panics_and_every_name_is_valid(field in "[a-z_]{1,20}", text in "\\PC{0,40}", request_id in "\\PC{0,40}") {
        for value in [json!(text), json!([text]), json!({"a": text})] {
            if let Ok(read) = read_for(&payload(&json!({field.as_str(): value})), &request_id) {
                let run_id = read.run_id();
                prop_assert_eq!(run_id.as_str(), read.execution_name.as_str());
            }
        }
    }
}
