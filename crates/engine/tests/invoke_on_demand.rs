//! The on-demand lane against S3, DynamoDB and Bedrock in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::invoke_aws::Aws;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use bedrock_batch_aws::TimeLimits;
use bedrock_batch_domain::input::{Inference, RunRequest, StackLimits};
use bedrock_batch_domain::model::{Family, RecordOptions};
use bedrock_batch_domain::plan::JobItem;
use bedrock_batch_domain::prompt::{NamedPrompt, Prompt, PromptPlan};
use bedrock_batch_domain::record_line::split_line;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::invoke::{InvokeInput, Invoked, Invoker, Times};
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::objects::Bucket;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

const RECORDS: &str = "batch_inputs_json/p/r/0000.jsonl";
const ANSWERS: &str = "batch_outputs_json/p/r/0000/on-demand/";
const DONE: Invoked = Invoked { done: true };
const INCOMPLETE: Invoked = Invoked { done: false };

/// Run whose records have certain cases.
struct Run {
    aws: Aws,
    invoker: Invoker,
    input: InvokeInput,
}

struct Settings<'a> {
    models: &'a [&'a str],
    family: &'a str,
    rate: f64,
    workers: u32,
    round: u32,
    impatience: u32,
    /// The time limits of models are divided by it, those of the table by `impatience`.
    model_impatience: u32,
}

const EXECUTION: &str = "arn:aws:states:eu-west-1:123456789012:execution:bedrock-batch-orchestrator-123456789012:r";

const USUAL: Settings<'static> = Settings {
    models: &["m-v1:0"],
    family: "anthropic-messages",
    rate: 100.0,
    workers: 5,
    round: 0,
    impatience: 1,
    model_impatience: 1,
};

fn model(id: &str, family: &str) -> Value {
    let limits = json!({"min_records_per_job": 100, "max_records_per_job": 1000, "max_file_bytes": 1, "max_job_bytes": 1,
        "max_record_bytes": 1});
    json!({"id": id, "family": family, "limits": limits, "batch_price": null, "prices_as_of": "2026-01-01"})
}

impl Run {
    async fn new(cases: &[&str], settings: Settings<'_>) -> Self {
        let Settings { models, family, rate, workers, round, impatience, model_impatience } = settings;
        let aws = Aws::default();
        let endpoint = aws.serve().await;
        let request = json!({"job_name_prefix": "p", "model_id": "m", "s3_uri": "s3://inputs/a.csv",
            "max_workers": workers, "requests_per_second": rate});
        let stack = StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 20 };
        let (request, problems) = RunRequest::read(&request, stack);
        assert!(problems.is_empty(), "{problems:?}");
        let plan = json!({"run_id": "r", "execution_arn": EXECUTION, "started_at": "2026-01-01T00:00:00Z",
            "bucket": "bucket", "task_table": "jobs", "request": request.unwrap(), "prompts": {"choice": {"mode": "none"}, "prompts": []},
            "model": model("m", family), "sources": [], "columns": [],
            "on_demand": {"model": model(models[0], family), "fallback": models.get(1).map(|id| model(id, family))},
            "counts": {"rows": 1, "records": 1, "skipped": {}, "rejected": {}, "warnings": {}, "jobs": 1}});
        let record = |(number, case): (usize, &&str)| {
            let id = format!("r{number}");
            format!("{}\n", json!({"recordId": id, "modelInput": {"record": id, "case": case}}))
        };
        let records = cases.iter().enumerate().map(record).collect::<Vec<_>>().concat();
        {
            let mut world = aws.world();
            world.objects.insert("runs/r/plan.json".to_owned(), plan.to_string().into_bytes());
            world.objects.insert(RECORDS.to_owned(), records.into_bytes());
            let run =
                json!({"job_name": {"S": "run/r"}, "execution_arn": {"S": EXECUTION}, "stopped": {"BOOL": false}});
            world.items.insert("run/r".to_owned(), run);
        }
        let job = JobItem {
            index: 0,
            name: "p-0000-x".parse().unwrap(),
            records: u32::try_from(cases.len()).unwrap(),
            input_uri: format!("s3://bucket/{RECORDS}"),
            output_uri: "s3://bucket/batch_outputs_json/p/r/0000/".to_owned(),
            round,
            lane: bedrock_batch_domain::lane::Lane::OnDemand,
            is_remainder: false,
        };
        let input = InvokeInput { run_id: "r".parse().unwrap(), execution_arn: None, job };
        Self { aws, invoker: invoker(&endpoint, (impatience, model_impatience)), input }
    }

    async fn invoke(&self, sending: Duration) -> Result<Invoked, EngineError> {
        let now = Instant::now();
        self.invoker.run(&self.input, Times { send_until: now + sending, wait_until: now + sending * 2 }).await
    }

    /// Invokes the function until all records have a line. Returns the number of invocations that wrote lines.
    ///
    /// On a busy machine an invocation may end before its first request is answered: the state machine repeats it.
    async fn invoke_until_done(&self, sending: Duration) -> usize {
        let (mut productive, mut all) = (0, 0);
        loop {
            match self.invoke(sending).await {
                Ok(DONE) => return productive + 1,
                Ok(_) => productive += 1,
                Err(error) => assert_eq!(error.name(), "Transient"),
            }
            all += 1;
            assert!(all < 100, "not done after {all} invocations");
        }
    }

    /// Returns all lines of all parts, by record.
    fn lines(&self) -> BTreeMap<String, Value> {
        let world = self.aws.world();
        let parts = world.objects.iter().filter(|(key, _)| key.starts_with(ANSWERS));
        let mut lines = BTreeMap::new();
        for line in parts.flat_map(|(_, part)| part.split(|byte| *byte == b'\n')).filter(|line| !line.is_empty()) {
            let (id, _) = split_line(line).unwrap();
            let twice = lines.insert(id.into_owned(), serde_json::from_slice(line).unwrap());
            assert!(twice.is_none(), "two lines for one record");
        }
        lines
    }

    /// Returns the number of times that each record was sent.
    fn times_sent(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        let world = self.aws.world();
        world.requests.iter().for_each(|request| *counts.entry(request.record.clone()).or_default() += 1);
        counts
    }

    fn update_with(&self, words: &str) -> Option<Value> {
        let world = self.aws.world();
        world.updates.iter().rev().find(|(_, set, _)| set.contains(words)).map(|(_, _, values)| values.clone())
    }
}

/// Creates an invoker with clients of the server at `endpoint`, independent of the environment.
/// The time limits of the table and of models are those of the functions, divided by these numbers.
fn invoker(endpoint: &str, (impatience, model_impatience): (u32, u32)) -> Invoker {
    let of_table = TimeLimits::SHORT.divided_by(impatience);
    // Models respond within 20 ms here.
    let of_models = TimeLimits::INFERENCE.divided_by(model_impatience);
    let (credentials, region) =
        (Credentials::new("key", crate::signature::SECRET, None, None, "test"), Region::new("us-east-1"));
    let http = aws_smithy_http_client::Builder::new().build_http();
    let s3 = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http.clone())
        .endpoint_url(endpoint)
        .region(region.clone())
        .credentials_provider(credentials.clone())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .force_path_style(true);
    let dynamodb = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http.clone())
        .endpoint_url(endpoint)
        .region(region.clone())
        .timeout_config(of_table.into())
        .credentials_provider(credentials.clone());
    let bedrock = aws_sdk_bedrockruntime::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(endpoint)
        .region(region)
        .credentials_provider(credentials)
        .timeout_config(of_models.into())
        .retry_config(RetryConfig::disabled());
    Invoker {
        bucket: Bucket::new(aws_sdk_s3::Client::from_conf(s3.build()), "bucket"),
        jobs: JobTable::new(aws_sdk_dynamodb::Client::from_conf(dynamodb.build()), "jobs".to_owned()),
        bedrock: aws_sdk_bedrockruntime::Client::from_conf(bedrock.build()),
    }
}

/// Longer than any of these tests takes, even on a busy machine.
const LONG: Duration = Duration::from_mins(2);

#[tokio::test]
async fn every_record_gets_its_line_and_failures_affect_one_record() {
    let run = Run::new(&["ok", "invalid", "throttled", "text", "ok"], USUAL).await;
    assert_eq!(run.invoke(LONG).await.unwrap(), DONE);
    let lines = run.lines();
    assert_eq!(lines.len(), 5);
    for id in ["r0", "r2", "r4"] {
        assert_eq!(lines[id]["modelOutput"]["answers"], id);
        assert_eq!(lines[id]["modelInput"]["record"], id);
        assert_eq!(lines[id]["modelId"], "m-v1:0");
        assert!(lines[id].get("error").is_none());
    }
    assert_eq!((&lines["r1"]["error"]["errorCode"], &lines["r1"]["error"]["retryable"]), (&json!(400), &json!(false)));
    assert_eq!((&lines["r3"]["error"]["errorCode"], &lines["r3"]["error"]["retryable"]), (&json!(500), &json!(true)));
    assert_eq!(run.times_sent().values().copied().collect::<Vec<_>>(), [1, 1, 2, 1, 1]);
    {
        let world = run.aws.world();
        assert!(world.requests.iter().all(|request| request.is_signed && request.operation == "invoke"));
        let throttled: Vec<_> =
            world.requests.iter().filter(|request| request.record == "r2").map(|request| request.at).collect();
        assert!(throttled[1] - throttled[0] >= Duration::from_secs(2), "Retry-After is the minimum wait");
        assert_eq!(world.items["p-0000-x"]["lane"]["S"], "on_demand");
    }
    assert_eq!(run.update_with("status_rank").unwrap()[":status"]["S"], "Completed");
    assert_eq!(run.update_with("SET processed_records").unwrap()[":processed"]["N"], "5");
    // Again: nothing is sent, whether or not the job is over in the table.
    assert_eq!(run.invoke(LONG).await.unwrap(), DONE);
    assert_eq!(run.times_sent().values().sum::<usize>(), 6);
}

#[tokio::test]
async fn the_next_invocation_continues_and_sends_nothing_again() {
    let run = Run::new(&["ok"; 40], Settings { rate: 10.0, workers: 3, ..USUAL }).await;
    let begun = std::time::Instant::now();
    let invocations = run.invoke_until_done(Duration::from_millis(1_500)).await;
    assert!(invocations > 2, "{invocations}");
    assert_eq!(run.lines().len(), 40);
    assert!(run.times_sent().values().all(|times| *times == 1), "{:?}", run.times_sent());
    let world = run.aws.world();
    let parts: Vec<&String> = world.objects.keys().filter(|key| key.starts_with(ANSWERS)).collect();
    assert_eq!(parts.len(), invocations, "{parts:?}");
    assert!(parts[0].ends_with("/00000.jsonl.out") && parts[1].ends_with("/00001.jsonl.out"));
    assert!(world.most_in_flight <= 3);
    // A busy machine may delay any request, but never sends one early.
    let seconds = (world.requests[39].at - begun).as_secs_f64();
    assert!(seconds >= 40.0 / 10.0, "40 requests at 10 per second: {seconds}");
}

#[tokio::test]
async fn an_existing_part_is_kept() {
    let run = Run::new(&["ok", "ok"], USUAL).await;
    let line = json!({"recordId": "r0", "modelInput": {}, "modelOutput": {"answers": "r0"}}).to_string();
    run.aws.world().objects.insert(format!("{ANSWERS}00007.jsonl.out"), line.into_bytes());
    assert_eq!(run.invoke(LONG).await.unwrap(), DONE);
    assert_eq!(run.times_sent().keys().collect::<Vec<_>>(), ["r1"]);
    assert!(run.aws.world().objects.contains_key(&format!("{ANSWERS}00008.jsonl.out")));
    assert_eq!(run.lines().len(), 2);
}

#[tokio::test]
async fn the_fallback_model_answers_if_the_first_one_is_refused() {
    for refused in ["denied-v1:0", "profile-only-v1:0"] {
        let run = Run::new(&["ok"; 12], Settings { models: &[refused, "fallback-v1:0"], ..USUAL }).await;
        assert_eq!(run.invoke(LONG).await.unwrap(), DONE);
        let lines = run.lines();
        assert!(lines.values().all(|line| line["modelId"] == "fallback-v1:0" && line.get("error").is_none()));
        assert_eq!(lines.len(), 12);
        let world = run.aws.world();
        let first_model = world.requests.iter().filter(|request| request.model == refused).count();
        assert!((1..=5).contains(&first_model), "at most the concurrent requests: {first_model}");
    }
}

#[tokio::test]
async fn without_a_fallback_model_only_the_first_round_fails() {
    let models: &[&str] = &["denied-v1:0", "denied-too-v1:0"];
    let first = Run::new(&["ok"; 3], Settings { models, ..USUAL }).await;
    let error = first.invoke(LONG).await.unwrap_err();
    assert_eq!(error.name(), "JobFailed");
    let why = error.to_string();
    for part in ["denied-v1:0", "denied-too-v1:0", "don't have access", "inference_profile_arn", "fallback_model_id"] {
        assert!(why.contains(part), "{why}");
    }
    let noted = first.update_with("failure_cause").unwrap();
    assert_eq!((&noted[":error"]["S"], &noted[":cause"]["S"]), (&json!("JobFailed"), &json!(why)));

    let later = Run::new(&["ok"; 30], Settings { models, round: 1, ..USUAL }).await;
    assert_eq!(later.invoke(LONG).await.unwrap(), DONE);
    let lines = later.lines();
    assert_eq!(lines.len(), 30);
    assert!(lines.values().all(|line| line["error"]["errorCode"] == 403 && line["error"]["retryable"] == true));
    assert!(later.aws.world().requests.len() <= 10, "refused models are not invoked again");
}

#[tokio::test]
async fn converse_records_are_sent_as_they_are_and_signed_for_their_path() {
    let run = Run::new(&["ok", "invalid", "throttled"], Settings { family: "converse", ..USUAL }).await;
    assert_eq!(run.invoke(LONG).await.unwrap(), DONE);
    let lines = run.lines();
    assert_eq!(lines["r0"]["modelOutput"], json!({"answers": "r0", "pretty": [1, 2]}));
    assert_eq!(lines["r1"]["error"]["errorCode"], 400);
    let world = run.aws.world();
    let operations: BTreeSet<(&str, &str, bool)> =
        world.requests.iter().map(|r| (r.model.as_str(), r.operation.as_str(), r.is_signed)).collect();
    assert_eq!(operations, BTreeSet::from([("m-v1:0", "converse", true)]));
}

#[tokio::test]
async fn an_invocation_without_answers_leaves_failures_and_no_endless_loop() {
    let run = Run::new(&["broken"; 4], Settings { workers: 2, ..USUAL }).await;
    assert!(run.invoke_until_done(Duration::from_millis(1_500)).await <= 4);
    let lines = run.lines();
    assert_eq!(lines.len(), 4);
    assert!(lines.values().all(|line| line["error"]["errorCode"] == 503 && line["error"]["retryable"] == true));
    let none = Run::new(&["ok"], USUAL).await.invoke(Duration::ZERO).await.unwrap_err();
    assert_eq!(none.name(), "Transient");
}

#[tokio::test]
async fn no_more_records_of_a_stopped_run_are_sent() {
    let mut cases = vec!["stops the run"];
    // At 100 per second, the last one would be sent after 20 seconds.
    cases.resize(2_000, "ok");
    let run = Run::new(&cases, Settings { workers: 2, ..USUAL }).await;
    assert_eq!(run.invoke(LONG).await.unwrap(), INCOMPLETE);
    let sent = run.times_sent().len();
    assert!(sent < 2_000, "{sent}");
    assert_eq!(run.lines().len(), sent, "answers are kept");
    assert_eq!(run.invoke(LONG).await.unwrap_err().name(), "Superseded");
    assert!(run.update_with("failure_cause").is_none(), "a superseded invocation does not explain a failure");
    assert_eq!(run.times_sent().len(), sent);
}

#[tokio::test]
async fn a_job_table_that_hangs_costs_no_answer() {
    // The first answer is stored at once, and the table hangs when that is recorded; the other answers arrive meanwhile.
    let run = Run::new(&["hangs the table", "ok", "ok"], Settings { impatience: 20, ..USUAL }).await;
    let ended = tokio::time::timeout(LONG * 2, run.invoke(LONG)).await;
    assert_eq!(ended.expect("the invocation hangs").unwrap_err().name(), "Transient");
    let sent = run.times_sent().len();
    assert_eq!(run.lines().len(), sent, "answers are kept");
    run.aws.world().table_hangs = false;
    run.invoke_until_done(LONG).await;
    assert_eq!(run.times_sent(), (0..3).map(|row| (format!("r{row}"), 1)).collect());
}

#[tokio::test]
async fn a_model_that_never_responds_costs_one_record_alone() {
    let run = Run::new(&["silent", "ok", "ok"], Settings { model_impatience: 100, ..USUAL }).await;
    let ended = tokio::time::timeout(LONG * 2, run.invoke(LONG)).await;
    assert_eq!(ended.expect("the invocation hangs").unwrap(), DONE);
    let lines = run.lines();
    assert_eq!(lines["r0"]["error"]["errorCode"], 408);
    assert!(lines["r1"]["modelOutput"].is_object() && lines["r2"]["modelOutput"].is_object());
    assert_eq!(run.times_sent()["r0"], 2, "an answer may have been charged each time");
}

/// Creates a run of a long prompt and this number of records, over a model that caches 1,024 tokens or more.
async fn run_of_a_long_prompt(model_id: &str, records: usize) -> (Run, Vec<Value>) {
    run_of_a_long_prompt_with(model_id, records, "Be brief.").await
}

/// Creates the same run with this system prompt, which a shorter prompt of the run has too.
async fn run_of_a_long_prompt_with(model_id: &str, records: usize, system: &str) -> (Run, Vec<Value>) {
    let run = Run::new(&vec!["ok"; records], Settings { models: &[model_id], workers: 1, ..USUAL }).await;
    let template = format!("Codes: {}\n{{text}}", "A01 ".repeat(1024));
    let prompt = |template: &str| {
        let text = format!("description = \"d\"\nsystem = {}\ntemplate = {}", json!(system), json!(template));
        Prompt::parse(&text).unwrap()
    };
    let mut prompts = PromptPlan::single("short", prompt("{text}"));
    prompts.prompts.push(NamedPrompt { id: "long".to_owned(), prompt: prompt(&template) });
    let writers =
        prompts.record_writers(Family::AnthropicMessages, &Inference::default(), RecordOptions::default()).unwrap();
    let mut lines = Vec::new();
    for row in 0..records {
        writers[1].push_line(&mut lines, &format!("r{row}"), |_| "a note", None);
    }
    {
        let mut world = run.aws.world();
        let mut plan: Value = serde_json::from_slice(&world.objects["runs/r/plan.json"]).unwrap();
        plan["prompts"] = serde_json::to_value(&prompts).unwrap();
        plan["on_demand"]["model"]["prompt_caching"] = json!(1024);
        world.objects.insert("runs/r/plan.json".to_owned(), plan.to_string().into_bytes());
        world.objects.insert(RECORDS.to_owned(), lines.clone());
    }
    let inputs = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let inputs = inputs.map(|line| serde_json::from_slice::<Value>(line).unwrap()["modelInput"].clone()).collect();
    (run, inputs)
}

fn bodies(run: &Run) -> Vec<Value> {
    run.aws.world().requests.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_prompt_is_sent_with_a_cache_point_and_stored_without() {
    let (run, inputs) = run_of_a_long_prompt("m-v1:0", 3).await;
    assert_eq!(run.invoke(LONG).await.unwrap(), DONE);
    let bodies = bodies(&run);
    assert_eq!(bodies.len(), 3);
    for body in bodies {
        let content = &body["messages"][0]["content"];
        assert_eq!(content[0]["cache_control"], json!({"type": "ephemeral"}));
        assert_eq!(content[1], json!({"type": "text", "text": "a note"}));
    }
    let stored: Vec<Value> = run.lines().into_values().map(|line| line["modelInput"].clone()).collect();
    assert_eq!(stored, inputs, "as in a batch job");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_cache_point_is_left_out_of_this_and_all_later_requests() {
    let (run, inputs) = run_of_a_long_prompt("uncached-v1:0", 3).await;
    assert_eq!(run.invoke(LONG).await.unwrap(), DONE);
    let bodies = bodies(&run);
    assert!(bodies[0].to_string().contains("cache_control"));
    assert_eq!(bodies[1..], inputs, "the first one is sent again");
    assert!(run.lines().values().all(|line| line.get("error").is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_point_is_after_everything_in_common_whatever_other_prompts_have() {
    let (run, _) = run_of_a_long_prompt_with("m-v1:0", 2, &"Be brief. ".repeat(500)).await;
    assert_eq!(run.invoke(LONG).await.unwrap(), DONE);
    for body in bodies(&run) {
        assert_eq!(body["messages"][0]["content"][0]["cache_control"], json!({"type": "ephemeral"}));
        assert!(body["system"].is_string(), "the system prompt, which comes first, is cached with it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_request_writes_no_cache() {
    let (run, inputs) = run_of_a_long_prompt("m-v1:0", 1).await;
    assert_eq!(run.invoke(LONG).await.unwrap(), DONE);
    assert_eq!(bodies(&run), inputs);
}
