//! Datasets read from a Hub in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::hub_server::{COMMIT, Fault, HubServer, LATER};
use crate::s3_server::S3Server;
use crate::test_stack::{BUCKET, STARTED_AT, bucket, credentials, deployment, preprocessor, serve, start_of};
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, StructArray};
use arrow_schema::{DataType, Field};
use aws_sdk_s3::config::{BehaviorVersion, Region};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bedrock_batch_domain::hub::DatasetSource;
use bedrock_batch_domain::input::RunRequest;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::prompt::PromptLibrary;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::deployment::Deployment;
use bedrock_batch_engine::hub::{Dataset, Hub, RetryPolicy, TokenSecret};
use bedrock_batch_engine::preprocess::{InputReader, Preprocessor};
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

const ID: &str = "acme/rows";
const TOKEN: &str = "hf_very_secret";

fn policy() -> RetryPolicy {
    RetryPolicy {
        connect_timeout: Duration::from_secs(2),
        read_timeout: Duration::from_millis(400),
        attempt_timeout: Duration::from_millis(600),
        first_delay: Duration::from_millis(2),
        max_attempts: 4,
        max_total_delay: Duration::from_secs(3),
    }
}

fn source() -> DatasetSource {
    DatasetSource {
        dataset_id: ID.to_owned(),
        split: "train".to_owned(),
        config: None,
        revision: None,
        allow_partial: false,
    }
}

/// A Parquet file of the rows `from` on.
fn parquet(from: usize, count: usize) -> Vec<u8> {
    let numbers: Vec<i64> = (from..from + count).map(|number| i64::try_from(number).unwrap()).collect();
    let texts = numbers.iter().map(|number| format!("text {number}")).collect::<Vec<_>>();
    let columns: [(&str, ArrayRef); 2] =
        [("number", Arc::new(Int64Array::from(numbers))), ("source", Arc::new(StringArray::from(texts)))];
    written(&RecordBatch::try_from_iter(columns).unwrap())
}

fn written(batch: &RecordBatch) -> Vec<u8> {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(1_000)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

/// A server with a dataset of two files, and a Hub for it.
async fn hub() -> (HubServer, Hub) {
    let server = HubServer::default();
    server.put_converted(ID, "default/train/0000.parquet", &parquet(0, 3_000));
    server.put_converted(ID, "default/train/0001.parquet", &parquet(3_000, 500));
    server.put_converted(ID, "default/test/0000.parquet", &parquet(9_000, 10));
    let endpoint = server.serve().await;
    (server, Hub::new(format!("{endpoint}/").parse().unwrap(), None).with_policy(policy()))
}

/// A Secrets Manager whose every secret is this text.
async fn secrets(secret: &'static str) -> aws_sdk_secretsmanager::Client {
    let answer = move || async move { json!({"Name": "s", "SecretString": secret}).to_string() };
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
        .endpoint_url(serve(axum::Router::new().fallback(answer)).await)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    aws_sdk_secretsmanager::Client::from_conf(config.build())
}

async fn hub_with_token() -> (HubServer, Hub) {
    let server = hub().await.0;
    let endpoint = server.serve().await;
    let token = TokenSecret::new(secrets(TOKEN).await, "hf".to_owned());
    (server, Hub::new(endpoint.parse().unwrap(), Some(token)).with_policy(policy()))
}

/// The numbers of all rows, in order.
async fn rows(dataset: Dataset) -> Result<Vec<i64>, EngineError> {
    let runtime = Handle::current();
    let read = move || {
        let mut numbers = Vec::new();
        for file in &dataset.files {
            let (_, rows) = ParquetRows::open(dataset.reader(&runtime, file)?, &file.name, None)?;
            for batch in rows {
                let batch = batch?;
                let column = batch.column_by_name("number").unwrap().clone();
                numbers.extend_from_slice(column.as_primitive::<arrow_array::types::Int64Type>().values());
            }
        }
        Ok(numbers)
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

async fn refused(hub: &Hub, source: &DatasetSource) -> String {
    let error = hub.find(source, None).await.unwrap_err();
    assert_eq!(error.name(), "InvalidInput", "{error:#}");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_come_in_order_pinned_to_a_commit() {
    let (server, hub) = hub().await;
    let dataset = hub.find(&source(), None).await.unwrap();
    assert_eq!(dataset.commit, COMMIT);
    let names: Vec<&str> = dataset.files.iter().map(|file| file.name.as_str()).collect();
    let expected = |file: &str| format!("hf://datasets/{ID}@{COMMIT}/default/train/{file}");
    assert_eq!(names, [expected("0000.parquet"), expected("0001.parquet")]);
    assert_eq!(dataset.files[0].content_id, "sha-of-default/train/0000.parquet");
    // The branch moves on while the rows are read.
    server.put(ID, "refs/convert/parquet", LATER, "default/train/0000.parquet", &parquet(0, 1));
    assert_eq!(rows(dataset).await.unwrap(), (0..3_500).collect::<Vec<_>>());
    let world = server.world();
    assert!(
        world.seen.iter().filter(|seen| seen.target.contains("/resolve/")).all(|seen| seen.target.contains(COMMIT))
    );
    let of_files = || world.seen.iter().filter(|seen| seen.range.is_some());
    assert!(of_files().any(|seen| !seen.is_of_hub) && of_files().all(|seen| seen.token.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_earlier_commit_can_be_read_again() {
    let (server, hub) = hub().await;
    server.put(ID, "refs/convert/parquet", LATER, "default/train/0000.parquet", &parquet(0, 1));
    assert_eq!(hub.find(&source(), None).await.unwrap().commit, LATER);
    let pinned = hub.find(&source(), Some(COMMIT)).await.unwrap();
    assert_eq!(rows(pinned).await.unwrap().len(), 3_500);
    let gone = hub.find(&source(), Some("3333333333333333333333333333333333333333")).await.unwrap_err();
    assert!(gone.to_string().contains("was converted again while it was read; start the run again"), "{gone:#}");
}

#[tokio::test]
async fn files_of_a_revision_are_its_own() {
    let (server, hub) = hub().await;
    server.put(ID, "refs/pr/1", LATER, "README.md", b"no table");
    server.put(ID, "refs/pr/1", LATER, "data/train-00000-of-00001.parquet", &parquet(0, 7));
    let own = DatasetSource { revision: Some("refs/pr/1".to_owned()), ..source() };
    let dataset = hub.find(&own, None).await.unwrap();
    assert_eq!(dataset.commit, LATER);
    assert_eq!(dataset.files[0].name, format!("hf://datasets/{ID}@{LATER}/data/train-00000-of-00001.parquet"));
    let missing = DatasetSource { revision: Some("v9".to_owned()), ..source() };
    assert!(refused(&hub, &missing).await.starts_with("revision is `v9`: the dataset acme/rows has no such branch"));
}

#[tokio::test]
async fn listings_are_read_to_their_last_page_at_the_same_endpoint() {
    let (server, hub) = hub().await;
    for number in 2..25 {
        server.put_converted(ID, &format!("default/train/{number:04}.parquet"), b"x");
    }
    server.world().page = 4;
    assert_eq!(hub.find(&source(), None).await.unwrap().files.len(), 25);
}

#[tokio::test]
async fn configurations_and_splits_that_are_not_clear_are_listed() {
    let (server, hub) = hub().await;
    let split = DatasetSource { split: "dev".to_owned(), ..source() };
    assert!(refused(&hub, &split).await.contains("the dataset has `test`, `train`"));
    server.put_converted(ID, "other/train/0000.parquet", b"x");
    assert!(refused(&hub, &source()).await.contains("has 2 configurations; name one of `default`, `other`"));
    let unknown = DatasetSource { config: Some("othr".to_owned()), ..source() };
    assert!(refused(&hub, &unknown).await.contains("did you mean `other`"));
    let named = DatasetSource { config: Some("other".to_owned()), ..source() };
    assert_eq!(hub.find(&named, None).await.unwrap().files.len(), 1);
}

#[tokio::test]
async fn a_partial_conversion_is_read_only_on_request() {
    let (server, hub) = hub().await;
    server.put_converted("acme/large", "default/partial-train/0000.parquet", &parquet(0, 5));
    let large = DatasetSource { dataset_id: "acme/large".to_owned(), ..source() };
    assert!(refused(&hub, &large).await.contains("set allow_partial to true"));
    let allowed = DatasetSource { allow_partial: true, ..large };
    let dataset = hub.find(&allowed, None).await.unwrap();
    assert!(dataset.is_partial && dataset.files.len() == 1);
}

#[tokio::test]
async fn refusals_of_the_hub_say_what_to_do() {
    let (server, hub) = hub().await;
    let (with_token, hub_with_token) = hub_with_token().await;
    let coded = |status, code: &str| Fault::Status(status, vec![("x-error-code", code.to_owned())]);
    let disabled = Fault::Status(403, vec![("x-error-message", "Access to this resource is disabled.".to_owned())]);
    for (fault, says) in [
        (coded(401, "GatedRepo"), "is gated"),
        (coded(404, "RevisionNotFound"), "has not converted this dataset to Parquet"),
        (disabled, "has disabled this dataset"),
        (Fault::Status(403, Vec::new()), "denies access without a token"),
    ] {
        server.fault("/revision/", fault);
        let text = refused(&hub, &source()).await;
        assert!(text.starts_with("dataset_id is `acme/rows`") && text.contains(says), "{text}");
    }
    with_token.fault("/revision/", coded(403, "GatedRepo"));
    assert!(refused(&hub_with_token, &source()).await.contains("the account of the stack's token has no access"));
    let missing = DatasetSource { dataset_id: "acme/nothing".to_owned(), ..source() };
    assert!(refused(&hub, &missing).await.contains("does not exist, or is private; check the id"));
    assert!(refused(&hub_with_token, &missing).await.contains("the stack's token may not read it"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_goes_to_the_hub_alone_and_into_no_message() {
    let (server, hub) = hub_with_token().await;
    let dataset = hub.find(&source(), None).await.unwrap();
    assert!(!format!("{hub:?} {dataset:?}").contains(TOKEN));
    assert_eq!(rows(dataset.clone()).await.unwrap().len(), 3_500);
    {
        let world = server.world();
        let expected = format!("Bearer {TOKEN}");
        for seen in &world.seen {
            assert_eq!(seen.token.as_deref(), seen.is_of_hub.then_some(expected.as_str()), "{seen:?}");
        }
        assert!(world.seen.iter().any(|seen| !seen.is_of_hub));
    }
    for _ in 0..10 {
        server.fault("/blob/", Fault::Status(500, Vec::new()));
    }
    let error = rows(dataset).await.unwrap_err().message();
    assert!(!error.contains(TOKEN) && !error.contains("signature"), "{error}");
}

#[tokio::test]
async fn a_token_is_not_sent_without_tls() {
    let token = TokenSecret::new(secrets(TOKEN).await, "hf".to_owned());
    let hub = Hub::new("http://hub.example".parse().unwrap(), Some(token));
    let error = hub.find(&source(), None).await.unwrap_err();
    assert!(error.name() == "Internal" && error.to_string().contains("has no TLS"), "{error}");
}

#[tokio::test]
async fn rate_limits_delay_a_run() {
    let (server, hub) = hub().await;
    server.fault("/revision/", Fault::Status(429, vec![("retry-after", "1".to_owned())]));
    server.fault("/tree/", Fault::Status(429, vec![("ratelimit", "\"api\";r=0;t=1".to_owned())]));
    server.fault("/tree/", Fault::Status(503, Vec::new()));
    let begun = Instant::now();
    assert_eq!(hub.find(&source(), None).await.unwrap().files.len(), 2);
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_delay_that_is_too_long_ends_the_step() {
    let (server, hub) = hub().await;
    server.fault("/revision/", Fault::Status(429, vec![("retry-after", "300".to_owned())]));
    let begun = Instant::now();
    let error = hub.find(&source(), None).await.unwrap_err();
    assert!(error.name() == "Throttled" && begun.elapsed() < Duration::from_mins(2), "{error:#}");
    for _ in 0..4 {
        server.fault("/revision/", Fault::Status(502, Vec::new()));
    }
    assert_eq!(hub.find(&source(), None).await.unwrap_err().name(), "Transient");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_breaks_off_resumes_at_its_byte() {
    let (server, hub) = hub().await;
    for after in [0, 1, 1_000, 5_000] {
        server.fault("/blob/", Fault::Cut(after));
    }
    server.fault("/revision/", Fault::Cut(10));
    let dataset = hub.find(&source(), None).await.unwrap();
    assert_eq!(rows(dataset).await.unwrap(), (0..3_500).collect::<Vec<_>>());
    let world = server.world();
    let ranges: Vec<&str> =
        world.seen.iter().filter_map(|seen| seen.range.as_deref().filter(|_| !seen.is_of_hub)).collect();
    assert!(ranges[2].starts_with("bytes=1-") && ranges[3].starts_with("bytes=1001-"), "{ranges:?}");
    assert!(ranges[4].starts_with("bytes=6001-"), "{ranges:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_address_of_the_storage_is_requested_again() {
    let (server, hub) = hub().await;
    let dataset = hub.find(&source(), None).await.unwrap();
    let resolved = || server.world().seen.iter().filter(|seen| seen.target.contains("/resolve/")).count();
    for _ in 0..2 {
        assert_eq!(rows(dataset.clone()).await.unwrap().len(), 3_500);
        assert_eq!(resolved(), 2, "one request per file, however often it is read");
    }
    // The address of the first file expires; then the storage at its new address does not respond.
    server.fault("/blob/", Fault::Status(403, Vec::new()));
    server.fault("/blob/", Fault::Silence);
    assert_eq!(rows(dataset).await.unwrap().len(), 3_500);
    assert_eq!(resolved(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_sends_byte_by_byte_ends_the_step() {
    let (server, hub) = hub().await;
    let dataset = hub.find(&source(), None).await.unwrap();
    let drip = || Fault::Drip(Duration::from_millis(50));
    for _ in 0..10 {
        server.fault("/revision/", drip());
    }
    let begun = Instant::now();
    let error = hub.find(&source(), None).await.unwrap_err();
    assert!(error.name() == "Transient" && error.to_string().contains("was not complete within 0.6 s"), "{error:#}");
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
    // Each attempt on a file makes progress, and keeps its bytes, but all of them together are limited.
    for _ in 0..200 {
        server.fault("/blob/", drip());
    }
    let begun = Instant::now();
    let error = rows(dataset).await.unwrap_err();
    assert_eq!(error.name(), "Transient", "{error:#}");
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
    let world = server.world();
    let ranges = world.seen.iter().filter_map(|seen| seen.range.as_deref().filter(|_| !seen.is_of_hub));
    let from = |range: &str| range.strip_prefix("bytes=")?.split('-').next()?.parse().ok();
    let starts: Vec<u64> = ranges.map(|range| from(range).unwrap()).collect();
    assert!(starts.len() > 2 && starts.is_sorted_by(|earlier, later| earlier < later), "{starts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_that_cannot_be_used_is_quoted_in_few_words() {
    let (server, hub) = hub().await;
    let dataset = hub.find(&source(), None).await.unwrap();
    let range = format!("bytes 0-{}", "9".repeat(10_000));
    server.fault("/blob/", Fault::Status(206, vec![("content-range", range)]));
    let error = rows(dataset).await.unwrap_err();
    assert!(error.to_string().contains("the server sent `bytes 0-99") && error.message().len() < 1_000, "{error:#}");
    let without_query = "<https://hub.example/x>; rel=\"next\"".to_owned();
    server.fault("/tree/", Fault::Status(200, vec![("link", without_query)]));
    let error = hub.find(&source(), None).await.unwrap_err();
    assert!(
        error.name() == "Internal" && error.to_string().contains("next page of the response, has no query"),
        "{error:#}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_sends_whole_files_or_leads_in_circles_is_refused() {
    let (server, hub) = hub().await;
    server.world().ignores_ranges = true;
    let small = hub.find(&source(), None).await.unwrap();
    server.fault("/blob/", Fault::Cut(500));
    assert_eq!(rows(small).await.unwrap().len(), 3_500, "a small file may come whole");
    server.put_converted("acme/large", "default/train/0000.parquet", &vec![0; 5 << 20]);
    let large = DatasetSource { dataset_id: "acme/large".to_owned(), ..source() };
    let error = rows(hub.find(&large, None).await.unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("does not support requests for a range"), "{error}");
    for _ in 0..6 {
        server.fault(
            "/revision/",
            Fault::Status(307, vec![("location", "/api/datasets/acme/rows/revision/x".to_owned())]),
        );
    }
    let error = hub.find(&source(), None).await.unwrap_err();
    assert!(error.to_string().contains("consecutive redirects"), "{error}");
}

struct Stack {
    s3: S3Server,
    preprocessor: Preprocessor,
}

/// Preprocess over this Hub, with a bucket and a table in this process.
async fn stack(hub: Hub) -> Stack {
    let s3 = S3Server::default();
    let bucket = bucket(s3.serve().await, BUCKET);
    let mut prompts = PromptLibrary::default();
    prompts.add("ask", "description = \"d\"\ntemplate = \"{source}\"").unwrap();
    prompts.add("look", "description = \"d\"\ntemplate = \"What is in the image?\"").unwrap();
    let deployment = Deployment { output_buckets: vec!["reports".to_owned()], ..deployment(prompts) };
    let inputs = InputReader { bucket, input_buckets: Vec::new(), input_prefixes: Vec::new(), hub };
    let preprocessor = preprocessor(inputs, Arc::new(deployment)).await;
    Stack { s3, preprocessor }
}

impl Stack {
    async fn start(&self, more: &Value) -> Result<Plan, EngineError> {
        let mut input = json!({"dataset_id": ID, "job_name_prefix": "qa", "prompt_id": "ask",
            "model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Box::pin(self.preprocessor.run(&start_of("qa", input))).await?;
        let plan = self.object("runs/qa/plan.json");
        Ok(serde_json::from_slice(&plan).unwrap())
    }

    fn object(&self, key: &str) -> Vec<u8> {
        self.s3.world().objects[&(BUCKET.to_owned(), key.to_owned())].clone()
    }

    fn records(&self) -> Vec<Value> {
        let lines = String::from_utf8(self.object("batch_inputs_json/qa/qa/0000.jsonl")).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_reads_as_many_files_as_its_limits_need_and_freezes_the_commit() {
    let (server, hub) = hub().await;
    let stack = stack(hub).await;
    let limits = json!({"max_num_jobs": 1, "max_records_total": 100});
    let plan = stack.start(&limits).await.unwrap();
    assert_eq!(plan.dataset_commit.as_deref(), Some(COMMIT));
    let sources: Vec<&str> = plan.sources.iter().map(|source| source.uri.as_str()).collect();
    assert_eq!(sources, [format!("hf://datasets/{ID}@{COMMIT}/default/train/0000.parquet")]);
    assert_eq!((plan.counts.records, plan.counts.input_rows), (100, 3_000));
    assert!(
        plan.counts.warnings.iter().any(|(words, count)| words.contains("dataset files not opened") && *count == 1)
    );
    let records = stack.records();
    assert_eq!(records.len(), 100);
    assert!(records[99].to_string().contains("text 99"));
    assert!(!server.world().seen.iter().any(|seen| seen.target.contains("0001.parquet")), "it is not needed");
    // A repetition of this start finds the rows as they were, even if the dataset has moved on.
    server.put(ID, "refs/convert/parquet", LATER, "default/train/0000.parquet", &parquet(5_000, 200));
    let requests = server.world().seen.len();
    let again = stack.start(&limits).await.unwrap();
    assert_eq!(again, plan);
    assert_eq!(stack.records(), records);
    assert_eq!(server.world().seen.len(), requests, "a start that has finished is not done again");
    // So does one after an attempt that ended before it had a plan.
    stack.s3.world().objects.remove(&(BUCKET.to_owned(), "runs/qa/plan.json".to_owned()));
    let again = stack.start(&limits).await.unwrap();
    assert_eq!(again, plan);
    assert_eq!(stack.records(), records);
    let all = stack.object("runs/qa/plan.json");
    assert!(!String::from_utf8(all).unwrap().contains("signature"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_attempts_of_a_start_at_once_read_one_commit() {
    let (server, hub) = hub().await;
    let stack = stack(hub).await;
    let pin = |commit: &str| json!({"started_at": STARTED_AT, "commit": commit}).to_string();
    let key = "runs/qa/dataset.json";
    server.fault("/revision/", Fault::Status(429, vec![("retry-after", "1".to_owned())]));
    // While this attempt searches for the dataset, another one begins to write the rows of another commit.
    let other = async {
        while server.world().seen.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stack.s3.put(BUCKET, key, pin(LATER).as_bytes());
    };
    let input = json!({});
    let (error, ()) = tokio::join!(stack.start(&input), other);
    let error = error.unwrap_err();
    assert!(error.name() == "Transient" && error.to_string().contains("another attempt of this start"), "{error:#}");
    assert_eq!(stack.s3.world().objects.len(), 2, "the claim of the name and the commit, but no row");
    server.put(ID, "refs/convert/parquet", LATER, "default/train/0000.parquet", &parquet(5_000, 200));
    assert_eq!(stack.start(&input).await.unwrap().dataset_commit.as_deref(), Some(LATER));
    // What an earlier run of this name has left, which ended before it had a plan, does not count.
    stack.s3.world().objects.remove(&(BUCKET.to_owned(), "runs/qa/plan.json".to_owned()));
    let earlier = pin(COMMIT).replace(STARTED_AT, "2026-01-01T00:00:00.000Z");
    stack.s3.put(BUCKET, key, earlier.as_bytes());
    assert_eq!(stack.start(&input).await.unwrap().dataset_commit.as_deref(), Some(LATER));
    let stored: Value = serde_json::from_slice(&stack.object(key)).unwrap();
    assert_eq!(stored, json!({"started_at": STARTED_AT, "commit": LATER}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_without_rows_are_read_and_files_with_other_columns_are_one_table() {
    let (server, hub) = hub().await;
    let stack = stack(hub).await;
    let of = |id: &str| json!({"dataset_id": id});
    for number in 0..2 {
        server.put_converted("acme/empty", &format!("default/train/{number:04}.parquet"), &parquet(0, 0));
    }
    let error = stack.start(&of("acme/empty")).await.unwrap_err();
    assert!(error.name() == "InvalidInput" && error.to_string().contains("has no rows in this split"), "{error:#}");
    let column: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let other = written(&RecordBatch::try_from_iter([("source", column)]).unwrap());
    server.put_converted("acme/mixed", "default/train/0000.parquet", &parquet(0, 150));
    server.put_converted("acme/mixed", "default/train/0001.parquet", &other);
    let strict = json!({"dataset_id": "acme/mixed", "on_missing_columns": "error"});
    let error = stack.start(&strict).await.unwrap_err();
    let says = "column `number`: is in 1 of 2 files with rows, and not in ";
    assert!(error.name() == "InvalidInput" && error.to_string().contains(says), "{error:#}");
    assert!(stack.s3.world().objects.is_empty());
    let plan = stack.start(&of("acme/mixed")).await.unwrap();
    let warned = "files without the column `number`, which is null in their rows";
    assert_eq!((plan.counts.input_rows, plan.counts.warnings.get(warned)), (152, Some(&1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_a_dataset_without_rows_are_passed_over() {
    let (server, hub) = hub().await;
    let stack = stack(hub).await;
    for (number, body) in [parquet(0, 0), parquet(0, 150)].iter().enumerate() {
        server.put_converted("acme/good", &format!("default/train/{number:04}.parquet"), body);
    }
    let plan = stack.start(&json!({"dataset_id": "acme/good"})).await.unwrap();
    assert_eq!((plan.counts.input_rows, plan.sources.len()), (150, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_columns_of_a_dataset_are_those_of_its_first_file() {
    let (server, hub) = hub().await;
    let stack = stack(hub).await;
    let input = json!({"dataset_id": ID, "job_name_prefix": "qa", "prompt_id": "ask",
        "model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0"});
    let (request, problems) = RunRequest::read(&input, stack.preprocessor.deployment.limits);
    assert_eq!(problems, []);
    let summary = stack.preprocessor.inputs.inspect(&request.unwrap()).await.unwrap();
    assert_eq!(summary.columns, ["number", "source"]);
    assert!(!server.world().seen.iter().any(|seen| seen.target.contains("0001.parquet")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_would_open_too_many_files_is_refused_with_a_limit_that_suffices() {
    let (server, hub) = hub().await;
    let body = parquet(0, 5);
    for number in 0..1_001 {
        server.put_converted("acme/many", &format!("default/train/{number:04}.parquet"), &body);
    }
    let stack = stack(hub).await;
    let error = stack.start(&json!({"dataset_id": "acme/many"})).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("has 1001 files in this split; a run opens at most 1000"), "{text}");
    assert!(text.contains("set max_records_total to at most 5000"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dataset_that_cannot_be_read_is_reported_with_all_other_problems() {
    let stack = stack(hub().await.1).await;
    let error = stack.start(&json!({"split": "dev", "prompt_id": "aks"})).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("2 problems") && text.contains("split is `dev`") && text.contains("prompt_id is `aks`"),
        "{text}"
    );
    assert!(stack.s3.world().objects.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gated_dataset_whose_listing_is_public_is_refused_at_its_first_file() {
    let (server, hub) = hub().await;
    server.fault("/resolve/", Fault::Status(401, vec![("x-error-code", "GatedRepo".to_owned())]));
    let stack = stack(hub).await;
    let error = stack.start(&json!({})).await.unwrap_err();
    assert!(error.name() == "InvalidInput" && error.to_string().contains("is gated"), "{error:#}");
    assert!(stack.s3.world().objects.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_in_datasets_are_sent_with_their_rows() {
    let (server, hub) = hub().await;
    let png = |seed: u8| {
        let chunk = |kind: &[u8], data: &[u8]| {
            [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], kind, data, b"sum!"].concat()
        };
        let header = [&10_u32.to_be_bytes()[..], &[0, 0, 0, 1, 8, 2, 0, 0, 0]].concat();
        let parts = [chunk(b"IHDR", &header), chunk(b"IDAT", &[seed; 20]), chunk(b"IEND", b"")];
        [&b"\x89PNG\r\n\x1a\n"[..], &parts.concat()].concat()
    };
    let images: Vec<Option<Vec<u8>>> =
        (0..120).map(|n| (n != 7).then(|| if n == 9 { b"no image".to_vec() } else { png(n) })).collect();
    let paths: Vec<Option<String>> = (0..120).map(|n| (n != 7).then(|| format!("{n}.png"))).collect();
    let bytes: ArrayRef = Arc::new(images.iter().map(Option::as_deref).collect::<BinaryArray>());
    let paths: ArrayRef = Arc::new(StringArray::from(paths));
    let field = |name: &str, kind| Field::new(name, kind, true);
    let fields = vec![field("bytes", DataType::Binary), field("path", DataType::Utf8)];
    let column: ArrayRef = Arc::new(StructArray::new(fields.into(), vec![bytes, paths], None));
    let batch = RecordBatch::try_from_iter([("image", column)]).unwrap();
    server.put_converted("acme/photos", "default/train/0000.parquet", &written(&batch));
    let stack = stack(hub).await;
    let input =
        json!({"dataset_id": "acme/photos", "prompt_id": "look", "input_type": "image", "image_column": "image"});
    let plan = stack.start(&input).await.unwrap();
    assert_eq!((plan.counts.records, plan.counts.rejected.values().sum::<u64>()), (118, 2));
    assert!(plan.counts.rejected.contains_key("no image named"), "{:?}", plan.counts.rejected);
    let records = stack.records();
    let first = &records[0]["modelInput"]["messages"][0]["content"][0]["source"];
    assert_eq!(first["media_type"], "image/png");
    let expected = STANDARD.encode(images[0].as_ref().unwrap());
    assert_eq!(first["data"], expected);
}
