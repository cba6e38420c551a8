//! Inputs that were overwritten or deleted after their execution was started for them.

use super::s3_server::etag;
use super::stack::{BUCKET, Stack, pipeline_over, run_over};
use serde_json::{Value, json};

const TABLE: &str = "trigger/c/rows.csv";
const FIRST: &[u8] = b"text\nfirst\n";
const SECOND: &[u8] = b"text\nsecond\n";
/// A picture of one pixel.
const IMAGE: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// As an event has it, without quotes.
fn etag_of_event(content: &[u8]) -> Value {
    etag(content).trim_matches('"').into()
}

fn of_first() -> Value {
    json!({"s3_etag": etag_of_event(FIRST)})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_with_the_content_of_its_upload_is_read() {
    let stack = Stack::new().await;
    stack.put(TABLE, FIRST);
    let plan = stack.run("r", run_over(TABLE, &of_first())).await.unwrap();
    assert_eq!(plan.sources[0].etag, etag(FIRST));
    assert_eq!(serde_json::to_value(&plan.request).unwrap()["s3_etag"], etag_of_event(FIRST));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overwritten_table_is_refused_and_the_newer_upload_goes_its_own_way() {
    let stack = Stack::new().await;
    stack.put(TABLE, SECOND);
    let problem = stack.refused("older", run_over(TABLE, &of_first())).await;
    let expected = "s3_uri is `s3://our-bucket/trigger/c/rows.csv`: was overwritten before it was read";
    assert!(problem.starts_with(expected), "{problem}");
    assert!(problem.contains("upload the older content again under another name"), "{problem}");
    let newer = json!({"s3_etag": etag_of_event(SECOND)});
    stack.run("newer", run_over(TABLE, &newer)).await.unwrap();
    let records = stack.object("batch_inputs_json/p/newer/0000.jsonl").unwrap();
    assert!(String::from_utf8(records).unwrap().contains("second"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_table_is_refused() {
    let stack = Stack::new().await;
    let problem = stack.refused("r", run_over(TABLE, &of_first())).await;
    assert!(problem.contains("was deleted before it was read") && problem.contains("upload it again"), "{problem}");
    // Nor is the folder of its name read in its place.
    stack.put(&format!("{TABLE}/other.csv"), SECOND);
    assert!(stack.refused("r", run_over(TABLE, &of_first())).await.contains("was deleted before it was read"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overwritten_image_is_refused() {
    let stack = Stack::new().await;
    let key = "trigger/c/photo.gif";
    stack.put(key, b"another");
    let input = run_over(
        key,
        &json!({"input_type": "image", "s3_etag": etag_of_event(IMAGE),
        "prompt": {"description": "d", "template": "What is it?"}}),
    );
    assert!(stack.refused("r", input.clone()).await.contains("was overwritten before it was read"));
    stack.put(key, IMAGE);
    let plan = stack.run("r", input).await.unwrap();
    assert_eq!((plan.sources[0].etag.as_str(), plan.counts.records), (etag(IMAGE).as_str(), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overwritten_input_by_its_address_is_refused() {
    let stack = Stack::new().await;
    stack.put(TABLE, FIRST);
    let (older, newer) = (run_over(TABLE, &json!({})), run_over(TABLE, &json!({"max_records_total": 1})));
    let of = |input: &Value| {
        json!({"config_s3_uri": format!("s3://{BUCKET}/trigger/run.json"),
            "config_s3_etag": etag_of_event(input.to_string().as_bytes())})
    };
    stack.put("trigger/run.json", newer.to_string().as_bytes());
    let problem = stack.refused("older", of(&older)).await;
    let expected = "config_s3_uri is `s3://our-bucket/trigger/run.json`: was overwritten before it was read";
    assert!(problem.starts_with(expected), "{problem}");
    assert_eq!(stack.run("newer", of(&newer)).await.unwrap().request.max_records_total, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipeline_reads_what_it_was_started_for_when_it_is_checked_and_when_its_stage_starts() {
    let stack = Stack::new().await;
    stack.put(TABLE, FIRST);
    let input = pipeline_over(TABLE, &json!({"input_s3_etag": etag_of_event(FIRST)}));
    stack.pipeline("whole", input.clone()).await.unwrap();
    stack.put(TABLE, SECOND);
    let problem = stack.refused("late", input).await;
    assert!(problem.starts_with("stages[0].input_s3_uri is ") && problem.contains("was overwritten"), "{problem}");
    let stage: Value = serde_json::from_slice(&stack.object("runs/whole/stages/0.json").unwrap()).unwrap();
    assert!(stack.refused("stage", stage).await.contains("was overwritten before it was read"));
}
