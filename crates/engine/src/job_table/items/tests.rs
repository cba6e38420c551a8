//! Items stored by earlier versions, and corrupt items.

use super::*;
use aws_sdk_dynamodb::types::AttributeValue;
use rstest::rstest;
use serde_json::{Value, json};

/// Creates an item from DynamoDB's JSON.
fn item(json: &Value) -> Item {
    let value = |value: &Value| {
        let (kind, value) = value.as_object().and_then(|object| object.iter().next()).expect("one type");
        match kind.as_str() {
            "S" => AttributeValue::S(value.as_str().expect("text").to_owned()),
            "N" => AttributeValue::N(value.as_str().expect("a number as text").to_owned()),
            "BOOL" => AttributeValue::Bool(value.as_bool().expect("a flag")),
            _ => AttributeValue::Null(true),
        }
    };
    json.as_object().expect("an object").iter().map(|(name, json)| (name.clone(), value(json))).collect()
}

fn read(json: &Value) -> Result<StoredItem, EngineError> {
    StoredItem::read(&item(json))
}

/// Returns a batch job that has ended and whose chunk was joined, in the format of 2026-11-30.
fn batch_job() -> Value {
    json!({
        "job_name": {"S": "tickets-20261130-0000-003"},
        "run_id": {"S": "tickets-2026-11-30T05-08-48-3f9a"},
        "job_index": {"N": "3"},
        "model_id": {"S": "us.anthropic.claude-haiku-4-5-20251001-v1:0"},
        "records": {"N": "1200"},
        "round": {"N": "0"},
        "lane": {"S": "batch"},
        "execution_arn": {"S": "arn:aws:states:eu-west-1:1:execution:bedrock-batch-orchestrator-1:tickets"},
        "may_fall_back": {"BOOL": true},
        "input_uri": {"S": "s3://b/batch_inputs_json/tickets/r/0003.jsonl"},
        "output_uri": {"S": "s3://b/batch_outputs_json/tickets/r/0003/"},
        "created_at": {"S": "2026-11-30T05:08:48Z"},
        "updated_at": {"S": "2026-11-30T06:08:48Z"},
        "expires_at": {"N": "1803700000"},
        "task_token": {"S": "AQ"},
        "answered": {"BOOL": true},
        "job_arn": {"S": "arn:aws:bedrock:eu-west-1:1:model-invocation-job/abc"},
        "status": {"S": "Completed"},
        "status_rank": {"N": "6"},
        "message": {"NULL": true},
        "processed_records": {"N": "1200"},
        "counts": {"S": "{\"rows\":1200,\"answered\":1199,\"failed\":{\"the model returned no answer\":1},\"unanswered\":1,\
                         \"retried\":0,\"warnings\":{},\"usage\":[{\"lane\":\"batch\",\"model_id\":\"m\",\"answers\":1199,\
                         \"input_tokens\":10,\"output_tokens\":20}],\"saved\":{\"input_tokens\":0,\"output_tokens\":0},\
                         \"kinds\":[],\"types\":[],\"stamp\":\"\"}"},
    })
}

#[test]
fn cells_that_a_pivot_guarded_are_counted_with_its_chunk() {
    let item = with(batch_job(), "guarded_cells", json!({"N": "7"}));
    let guarded = |item: &Value| read(item).unwrap().pivot_guarded_cells();
    assert_eq!((guarded(&item), guarded(&batch_job())), (Some(7), None));
}

fn with(mut item: Value, attribute: &str, value: Value) -> Value {
    item[attribute] = value;
    item
}

fn without(mut item: Value, attribute: &str) -> Value {
    item.as_object_mut().unwrap().remove(attribute);
    item
}

#[test]
fn a_batch_job_of_the_previous_version_is_read() {
    let StoredItem::Job(job) = read(&batch_job()).unwrap() else { panic!("a job") };
    assert_eq!((job.index, job.records, job.round, job.lane), (3, 1200, 0, Lane::Batch));
    assert_eq!((job.status, job.processed, job.message.as_deref()), (Some(JobStatus::Completed), Some(1200), None));
    assert!(job.is_over() && job.was_sent() && job.on_demand_allowed && job.answered);
    assert_eq!((job.unanswered_token(), &job.fallback, &job.failure), (None, &None, &None));
    let counts = job.counts.unwrap();
    assert_eq!((counts.rows, counts.unanswered, counts.usage[0].answers), (1200, 1, 1199));
}

#[test]
fn an_on_demand_job_of_the_previous_version_is_read() {
    let json = json!({
        "job_name": {"S": "tickets-20261130-0001-007"}, "run_id": {"S": "r"}, "job_index": {"N": "7"},
        "model_id": {"S": "m"}, "records": {"N": "57"}, "round": {"N": "1"}, "lane": {"S": "on_demand"},
        "execution_arn": {"S": "arn:aws:states:eu-west-1:1:execution:o:tickets"}, "may_fall_back": {"BOOL": false}, "input_uri": {"S": "s3://b/i"},
        "output_uri": {"S": "s3://b/o"}, "created_at": {"S": "2026-11-30T05:08:48Z"},
        "status": {"S": "InProgress"}, "status_rank": {"N": "3"}, "message": {"NULL": true},
        "processed_records": {"NULL": true}, "asking_by": {"S": "arn 00ff"}, "asking_until": {"N": "1796029999"},
        "answered": {"BOOL": false},
    });
    let StoredItem::Job(job) = read(&json).unwrap() else { panic!("a job") };
    assert_eq!((job.lane, job.leased_until, job.processed), (Lane::OnDemand, 1_796_029_999, None));
    assert!(job.was_sent() && !job.is_over() && job.unanswered_token().is_none());
}

#[test]
fn fallbacks_are_read_with_and_without_the_attribute_refused() {
    let refused = with(batch_job(), "fell_back", json!({"S": "no batch for it"}));
    let refused = with(refused, "refused", json!({"BOOL": true}));
    let fallback = |json: &Value| read(json).unwrap().into_job().unwrap().fallback.unwrap();
    assert_eq!(fallback(&refused), Fallback { reason: "no batch for it".to_owned(), refused: true });
    assert!(!read(&refused).unwrap().into_job().unwrap().was_sent());
    assert!(!fallback(&without(refused, "refused")).refused);
}

#[test]
fn counts_of_a_chunk_without_a_job_and_of_a_file_of_duplicates_are_read() {
    let counts = json!({"S": r#"{"rows": 9, "stamp": "tickets-2 4"}"#});
    let json = json!({
        "job_name": {"S": "tickets-20261130-0000-002"}, "run_id": {"S": "r"}, "job_index": {"N": "2"},
        "counts": counts, "updated_at": {"S": "2026-11-30T06:08:48Z"}, "expires_at": {"N": "1803700000"},
    });
    let chunk = read(&json).unwrap();
    assert!(
        matches!(&chunk, StoredItem::Chunk(name, file) if name.as_str() == "tickets-20261130-0000-002" && file.index == 2)
    );
    assert_eq!((chunk.counts().unwrap().rows, chunk.job()), (9, None));
    let duplicates = read(&with(json, "job_name", json!({"S": "duplicates/r/0002"}))).unwrap();
    assert!(matches!(&duplicates, StoredItem::Duplicates(name, _) if name.as_str() == "duplicates/r/0002"));
}

#[test]
fn the_error_that_failed_a_run_is_read_from_every_item() {
    let failed = with(batch_job(), "failure_error", json!({"S": "JobFailed"}));
    let failed = with(failed, "failure_cause", json!({"S": "no access"}));
    let failure = StoredFailure { error: "JobFailed".to_owned(), cause: "no access".to_owned() };
    assert_eq!(read(&failed).unwrap().failure(), Some(&failure));
    assert_eq!(read(&without(failed, "lane")).unwrap().failure(), Some(&failure));
}

#[rstest]
#[case("records", json!({"S": "many"}), "attribute `records` is `many`, and must be a number of type u64")]
#[case("records", json!({"N": "-1"}), "attribute `records` is `-1`, and must be a number of type u64")]
#[case("job_index", json!({"N": "4294967296"}), "attribute `job_index` is `4294967296`, and must be a number of type u32")]
#[case("round", json!({"NULL": true}), "attribute `round` is missing, and must be a number")]
#[case("lane", json!({"S": "express"}), "attribute `lane` is `express`, and must be `batch` or `on_demand`")]
#[case("status", json!({"S": "Perhaps"}), "attribute `status` is `Perhaps`, and must be the status of a job")]
#[case("answered", json!({"S": "yes"}), "attribute `answered` is `yes`, and must be true or false")]
#[case("processed_records", json!({"BOOL": true}), "attribute `processed_records` is `true`, and must be a number")]
#[case("counts", json!({"S": "{\"rows\": -1}"}), "attribute `counts` is `{\"rows\": -1}`, and must be JSON of this version")]
#[case("counts", json!({"S": "{"}), "attribute `counts` is `{`, and must be JSON of this version")]
#[case("failure_error", json!({"S": "JobFailed"}), "attribute `failure_cause` is missing, and must be text")]
#[case("run_id", json!({"S": "a b"}), "attribute `run_id` is `a b`, and must be the id of a run")]
#[case("execution_arn", json!({"S": "arn"}), "attribute `execution_arn` is `arn`, and must be the ARN of an execution")]
#[case("job_arn", json!({"S": "abc"}), "attribute `job_arn` is `abc`, and must be the ARN of a batch job")]
fn a_corrupt_attribute_is_an_error_that_names_item_attribute_and_value(
    #[case] attribute: &str,
    #[case] value: Value,
    #[case] expected: &str,
) {
    let error = read(&with(batch_job(), attribute, value)).unwrap_err();
    let message = error.message();
    assert_eq!(error.name(), "Corrupt", "{message}");
    assert!(message.starts_with("item `tickets-20261130-0000-003` of the job table: "), "{message}");
    assert!(message.contains(expected), "{message}");
}

#[rstest]
#[case(batch_job(), "and must be the name of a job")]
#[case(without(batch_job(), "lane"), "and must be the name of a job or of a file of duplicates")]
fn an_item_with_a_name_of_another_form_is_corrupt(#[case] item: Value, #[case] expected: &str) {
    for name in ["run/r", "duplicates/r", "a b"] {
        let error = read(&with(item.clone(), "job_name", json!({"S": name}))).unwrap_err();
        assert_eq!(error.name(), "Corrupt");
        assert!(error.message().contains(&format!("attribute `job_name` is `{name}`, {expected}")), "{error:#}");
    }
}

#[rstest]
#[case("job_name")]
#[case("run_id")]
#[case("job_index")]
#[case("records")]
#[case("round")]
#[case("execution_arn")]
#[case("may_fall_back")]
fn a_job_without_a_required_attribute_is_corrupt(#[case] attribute: &str) {
    let error = read(&without(batch_job(), attribute)).unwrap_err();
    assert_eq!(error.name(), "Corrupt");
    assert!(error.message().contains(&format!("attribute `{attribute}` is missing")), "{error:#}");
}
