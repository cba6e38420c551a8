//! Copies of answered rows in a folder of the user's choice, with an S3 server in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::s3_server::S3Server;
use crate::test_stack::{BUCKET, bucket, job_table};
use axum::http::HeaderMap;
use bedrock_batch_domain::input::{RunRequest, StackLimits};
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_engine::copies::copy_answers;
use bedrock_batch_engine::finalize::Finalizer;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|file| format!("batch_output_parquet/p/r/{file:04}.csv")).collect()
}

fn copies(server: &S3Server) -> BTreeMap<String, Vec<u8>> {
    let world = server.world();
    let copies = world.objects.iter().filter(|((bucket, _), _)| bucket == "reports");
    copies.map(|((_, key), body)| (key.clone(), body.clone())).collect()
}

#[tokio::test]
async fn each_file_is_copied_under_its_name_and_a_repetition_changes_nothing() {
    let server = S3Server::default();
    let bucket = bucket(server.serve().await, BUCKET);
    let keys = keys(100);
    for key in &keys {
        server.put("our-bucket", key, key.as_bytes());
    }
    let folder = S3Uri::new("reports", "a/r/");
    assert_eq!(copy_answers(&bucket, keys.clone().into_iter(), &folder).await.unwrap(), 100);
    let first = copies(&server);
    assert_eq!(first.len(), 100);
    assert_eq!(first["a/r/0099.csv"], keys[99].as_bytes());
    copy_answers(&bucket, keys.into_iter(), &folder).await.unwrap();
    assert_eq!(copies(&server), first);
}

#[tokio::test]
async fn a_copy_that_is_denied_names_both_addresses_and_the_remedy() {
    let server = S3Server::default();
    let bucket = bucket(server.serve().await, BUCKET);
    server.put("our-bucket", &keys(1)[0], b"rows");
    server.world().faults.insert("reports/a/r/0000.csv".to_owned(), (403, "AccessDenied", u32::MAX));
    let error = copy_answers(&bucket, keys(1).into_iter(), &S3Uri::new("reports", "a/r/")).await.unwrap_err();
    assert_eq!(error.name(), "AccessDenied");
    let message = error.message();
    let expected = "cannot copy s3://our-bucket/batch_output_parquet/p/r/0000.csv to s3://reports/a/r/0000.csv (all answers \
        are kept: collect the run once it is possible): `s3:PutObject` is denied";
    assert!(message.starts_with(expected), "{message}");
}

#[tokio::test]
async fn a_file_that_is_missing_is_corrupt_and_not_left_out() {
    let server = S3Server::default();
    let bucket = bucket(server.serve().await, BUCKET);
    let error = copy_answers(&bucket, keys(1).into_iter(), &S3Uri::new("reports", "a/r/")).await.unwrap_err();
    assert_eq!(error.name(), "Corrupt");
}

const OWNER: &str = "arn:aws:states:eu-west-1:1:execution:o:r";

/// Creates a finalizer of a run of two chunks without jobs, which copies them to `s3://reports/a/r/`. The execution [`OWNER`] owns
/// the run for this number of looks at its owner.
async fn finalizer(server: &S3Server, owned_looks: usize) -> Finalizer {
    let item = |index: u32| {
        json!({"job_name": {"S": format!("p-{index:04}-x")}, "run_id": {"S": "r"}, "job_index": {"N": index.to_string()},
            "counts": {"S": "{\"rows\": 9, \"stamp\": \"\"}"}})
    };
    let found = json!({"Count": 2, "Items": [item(0), item(1)]}).to_string();
    let looks = Arc::new(AtomicUsize::new(0));
    let table = axum::Router::new().fallback(move |headers: HeaderMap| {
        let is_look = headers["x-amz-target"].to_str().unwrap().ends_with(".GetItem");
        let answer = if is_look {
            let is_owned = looks.fetch_add(1, Ordering::SeqCst) < owned_looks;
            let owner = if is_owned { OWNER.to_owned() } else { format!("{OWNER}-resumed") };
            json!({"Item": {"job_name": {"S": "run/r"}, "execution_arn": {"S": owner}, "stopped": {"BOOL": false}}})
                .to_string()
        } else {
            found.clone()
        };
        async move { ([("content-type", "application/x-amz-json-1.0")], answer) }
    });
    let request = json!({"job_name_prefix": "p", "model_id": "m", "s3_uri": "s3://inputs/a.csv", "output_formats": ["csv"],
        "output_uri": "s3://reports/a/"});
    let limits = StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 20 };
    let request = RunRequest::read(&request, limits).0.unwrap();
    let limits = json!({"min_records_per_job": 100, "max_records_per_job": 1000, "max_file_bytes": 1, "max_job_bytes": 1,
        "max_record_bytes": 1});
    let model =
        json!({"id": "m", "family": "nova", "limits": limits, "batch_price": null, "prices_as_of": "2026-01-01"});
    let plan = json!({"run_id": "r", "execution_arn": "arn:aws:states:eu-west-1:1:execution:o:r", "bucket": "our-bucket",
        "started_at": "2026-01-01T00:00:00Z", "task_table": "jobs", "request": request, "model": model, "sources": [],
        "columns": [], "prompts": {"choice": {"mode": "none"}, "prompts": []}, "on_demand": {"model": model, "fallback": null},
        "counts": {"rows": 18, "records": 18, "skipped": {}, "rejected": {}, "warnings": {}, "jobs": 2}});
    server.put("our-bucket", "runs/r/plan.json", plan.to_string().as_bytes());
    for key in keys(2) {
        server.put("our-bucket", &key, key.as_bytes());
    }
    Finalizer { bucket: bucket(server.serve().await, BUCKET), jobs: job_table(table).await, working_file_days: None }
}

#[tokio::test]
async fn a_summary_is_written_after_all_files_in_the_folder_and_then_in_the_bucket() {
    let server = S3Server::default();
    let finalizer = finalizer(&server, usize::MAX).await;
    let run = "r".parse().unwrap();
    let summary = ("our-bucket".to_owned(), "runs/r/summary.json".to_owned());
    server.world().faults.insert("reports/a/r/0001.csv".to_owned(), (403, "AccessDenied", 1));
    assert_eq!(finalizer.summarize(&run, None).await.unwrap_err().name(), "AccessDenied");
    assert!(!copies(&server).contains_key("a/r/summary.json"), "a folder with a summary is whole");
    assert!(!server.world().objects.contains_key(&summary), "a run with a summary has its copies");

    let output = finalizer.summarize(&run, None).await.unwrap();
    assert_eq!(output.copied_to.as_deref(), Some("s3://reports/a/r/"));
    let copied = copies(&server);
    assert_eq!(copied.keys().collect::<Vec<_>>(), ["a/r/0000.csv", "a/r/0001.csv", "a/r/summary.json"]);
    assert_eq!(copied["a/r/summary.json"], server.world().objects[&summary]);
}

#[tokio::test]
async fn a_late_finalize_replaces_no_summary_of_the_execution_that_continued_the_run() {
    // It is late from the start, after it has copied the files, or before it writes the summary of the run.
    for (owned_looks, copied_files, is_folder_summarized) in [(0, 0, false), (1, 2, false), (2, 2, true)] {
        let server = S3Server::default();
        let finalizer = finalizer(&server, owned_looks).await;
        let owner = OWNER.parse().unwrap();
        let late = finalizer.summarize(&"r".parse().unwrap(), Some(&owner)).await.unwrap_err();
        assert_eq!(late.name(), "Superseded");
        let copied = copies(&server);
        let files = copied.keys().filter(|key| **key != "a/r/summary.json").count();
        let is_summarized = copied.contains_key("a/r/summary.json");
        assert_eq!((files, is_summarized), (copied_files, is_folder_summarized), "{owned_looks}");
        let summary = ("our-bucket".to_owned(), "runs/r/summary.json".to_owned());
        assert!(!server.world().objects.contains_key(&summary), "{owned_looks}");
    }
}
