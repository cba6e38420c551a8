//! Requests of the SDK's own clients to the simulator.
//!
//! A complete job needs S3: MiniStack, from `MINISTACK_BIN` or the project's `.local/venv`. Without it, that test reports
//! that it is skipped; the others need no S3.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_sdk_bedrock::error::ProvideErrorMetadata;
use aws_sdk_bedrock::operation::create_model_invocation_job::builders::CreateModelInvocationJobFluentBuilder;
use aws_sdk_bedrock::operation::get_model_invocation_job::GetModelInvocationJobOutput;
use aws_sdk_bedrock::types::{
    ModelInvocationJobInputDataConfig, ModelInvocationJobOutputDataConfig, ModelInvocationJobS3InputDataConfig,
    ModelInvocationJobS3OutputDataConfig, ModelInvocationJobStatus as Status, SortJobsBy, SortOrder,
};
use aws_sdk_bedrockruntime::primitives::Blob;
use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, Message, StopReason};
use aws_sdk_s3::config::{Credentials, Region, SharedCredentialsProvider, retry::RetryConfig};
use bedrock_simulator::Simulator;
use bedrock_simulator::options::Options;
use clap::Parser;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const MODEL: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

async fn aws(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = bedrock_batch_aws::sdk_config().await.into_builder();
    config
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .retry_config(RetryConfig::disabled())
        .build()
}

/// A simulator inside this process, and a configuration that leads to it.
async fn simulate(local_aws: &str, behaviour: &Value) -> SdkConfig {
    let options = ["bedrock-simulator", "--step-ms", "50", "--behaviour", &behaviour.to_string()];
    let simulator = Simulator::new(&Options::parse_from(options), &aws(local_aws).await).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, bedrock_simulator::router(Arc::new(simulator))).await });
    aws(&format!("http://{address}")).await
}

fn create(bedrock: &aws_sdk_bedrock::Client, name: &str) -> CreateModelInvocationJobFluentBuilder {
    let input = ModelInvocationJobS3InputDataConfig::builder().s3_uri("s3://sdk-tests/input/").build().unwrap();
    let output = ModelInvocationJobS3OutputDataConfig::builder().s3_uri("s3://sdk-tests/output/").build().unwrap();
    bedrock
        .create_model_invocation_job()
        .job_name(name)
        .role_arn("arn:aws:iam::000000000000:role/batch")
        .model_id(MODEL)
        .input_data_config(ModelInvocationJobInputDataConfig::S3InputDataConfig(input))
        .output_data_config(ModelInvocationJobOutputDataConfig::S3OutputDataConfig(output))
}

async fn reach(bedrock: &aws_sdk_bedrock::Client, arn: &str, wanted: &Status) -> GetModelInvocationJobOutput {
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        let job = bedrock.get_model_invocation_job().job_identifier(arn).send().await.unwrap();
        if job.status() == Some(wanted) {
            return job;
        }
        assert!(Instant::now() < deadline, "{:?} {:?}", job.status(), job.message());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_job_is_created_once_listed_and_stopped() {
    let bedrock = aws_sdk_bedrock::Client::new(&simulate(NOWHERE, &json!({"job_seconds": 600})).await);
    let one = create(&bedrock, "one").client_request_token("token-1").send().await.unwrap();
    let again = create(&bedrock, "one").client_request_token("token-1").send().await.unwrap();
    assert_eq!(one.job_arn(), again.job_arn());
    create(&bedrock, "two").send().await.unwrap();

    let list = bedrock.list_model_invocation_jobs().sort_by(SortJobsBy::CreationTime).sort_order(SortOrder::Ascending);
    let first = list.clone().max_results(1).send().await.unwrap();
    let second = list.set_next_token(first.next_token().map(str::to_owned)).send().await.unwrap();
    let names: Vec<&str> = [&first, &second]
        .iter()
        .flat_map(|page| page.invocation_job_summaries())
        .map(aws_sdk_bedrock::types::ModelInvocationJobSummary::job_name)
        .collect();
    assert_eq!(names, ["one", "two"]);

    bedrock.stop_model_invocation_job().job_identifier(one.job_arn()).send().await.unwrap();
    let stopped = reach(&bedrock, one.job_arn(), &Status::Stopped).await;
    assert!(stopped.end_time().is_some() && stopped.total_record_count().is_none());
    let again = bedrock.stop_model_invocation_job().job_identifier(one.job_arn()).send().await.unwrap_err();
    assert!(again.into_service_error().is_conflict_exception());
}

#[tokio::test]
async fn errors_are_recognised_by_their_names() {
    let bedrock =
        aws_sdk_bedrock::Client::new(&simulate(NOWHERE, &json!({"create_quota": 1, "job_seconds": 600})).await);
    let absent = bedrock.get_model_invocation_job().job_identifier("abcdefghijkl").send().await.unwrap_err();
    assert!(absent.into_service_error().is_resource_not_found_exception());
    let wrong = create(&bedrock, "no_underscores").send().await.unwrap_err().into_service_error();
    assert!(wrong.is_validation_exception());
    assert!(wrong.message().is_some_and(|message| message.contains("jobName")));
    create(&bedrock, "one").send().await.unwrap();
    let taken = create(&bedrock, "one").send().await.unwrap_err();
    assert!(taken.into_service_error().is_conflict_exception());
    let full = create(&bedrock, "two").send().await.unwrap_err();
    assert!(full.into_service_error().is_service_quota_exceeded_exception());

    let troubled = json!({"create_throttle_rate": 1, "read_throttle_rate": 1, "invoke_throttle_rate": 1});
    let config = simulate(NOWHERE, &troubled).await;
    let bedrock = aws_sdk_bedrock::Client::new(&config);
    assert!(create(&bedrock, "one").send().await.unwrap_err().into_service_error().is_throttling_exception());
    let list = bedrock.list_model_invocation_jobs().send().await.unwrap_err();
    assert!(list.into_service_error().is_throttling_exception());
    let runtime = aws_sdk_bedrockruntime::Client::new(&config);
    let invoke = runtime.invoke_model().model_id(MODEL).body(Blob::new("{}")).send().await.unwrap_err();
    assert!(invoke.into_service_error().is_throttling_exception());

    let bedrock = aws_sdk_bedrock::Client::new(
        &simulate(NOWHERE, &json!({"denied_operations": ["ListModelInvocationJobs"]})).await,
    );
    let denied = bedrock.list_model_invocation_jobs().send().await.unwrap_err();
    assert!(denied.into_service_error().is_access_denied_exception());
    let bedrock = aws_sdk_bedrock::Client::new(&simulate(NOWHERE, &json!({"control_5xx_rate": 1})).await);
    let broken = bedrock.list_model_invocation_jobs().send().await.unwrap_err();
    assert!(broken.into_service_error().is_internal_server_exception());
}

#[tokio::test]
async fn models_are_invoked() {
    let runtime = aws_sdk_bedrockruntime::Client::new(&simulate(NOWHERE, &json!({})).await);
    let body = json!({"inputText": "Hello", "dimensions": 256}).to_string();
    let profile = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0";
    let answer = runtime.invoke_model().model_id(profile).body(Blob::new(body)).send().await.unwrap();
    let answer: Value = serde_json::from_slice(answer.body().as_ref()).unwrap();
    assert_eq!(answer["embedding"].as_array().map(Vec::len), Some(256));

    let hello = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text("Answer one of: yes, no".to_owned()))
        .build()
        .unwrap();
    let answer = runtime.converse().model_id("us.amazon.nova-lite-v1:0").messages(hello).send().await.unwrap();
    assert_eq!(answer.stop_reason(), &StopReason::EndTurn);
    let message = answer.output().and_then(|output| output.as_message().ok()).unwrap();
    let text = message.content().first().and_then(|block| block.as_text().ok()).unwrap();
    assert!(["yes", "no"].contains(&text.as_str()), "{text}");
    assert!(answer.usage().is_some_and(|usage| usage.output_tokens() > 0));
}

#[tokio::test]
async fn a_job_without_s3_fails_with_the_reason() {
    let bedrock = aws_sdk_bedrock::Client::new(&simulate(NOWHERE, &json!({})).await);
    let arn = create(&bedrock, "one").send().await.unwrap().job_arn;
    let job = reach(&bedrock, &arn, &Status::Failed).await;
    assert!(job.message().is_some_and(|message| message.contains("s3://sdk-tests/input/")));
}

#[tokio::test]
async fn a_complete_job_runs_on_ministack() {
    let Some(program) = ministack() else {
        eprintln!("SKIPPED a_complete_job_runs_on_ministack: set MINISTACK_BIN, or install it into .local/venv");
        return;
    };
    let local = LocalAws::start(&program);
    let s3 = local.s3().await;
    let record = |number: u32| {
        let messages = json!([{"role": "user", "content": format!("Say something about item {number}.")}]);
        let body = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": messages});
        json!({"recordId": number.to_string(), "modelInput": body}).to_string()
    };
    let lines: Vec<String> = (0..120).map(record).collect();
    let put = s3.put_object().bucket("sdk-tests").key("input/0000.jsonl").body(lines.join("\n").into_bytes().into());
    put.send().await.unwrap();

    let bedrock = aws_sdk_bedrock::Client::new(&simulate(&local.endpoint, &json!({})).await);
    let arn = create(&bedrock, "one").send().await.unwrap().job_arn;
    let job = reach(&bedrock, &arn, &Status::Completed).await;
    assert_eq!((job.total_record_count(), job.success_record_count()), (Some(120), Some(120)));
    let id = arn.rsplit('/').next().unwrap();
    let key = format!("output/{id}/0000.jsonl.out");
    let output = s3.get_object().bucket("sdk-tests").key(key).send().await.unwrap().body.collect().await.unwrap();
    let lines = String::from_utf8(output.to_vec()).unwrap();
    assert_eq!(lines.lines().count(), 120);
}

fn ministack() -> Option<PathBuf> {
    let named = std::env::var_os("MINISTACK_BIN").map(PathBuf::from);
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.local/venv/bin/ministack");
    named.or(Some(installed)).filter(|program| program.is_file())
}

/// A MiniStack of this test's own, ended with it.
struct LocalAws {
    process: Child,
    endpoint: String,
}

impl LocalAws {
    fn start(program: &Path) -> Self {
        // Below the ports of outgoing connections, which could take it before MiniStack listens.
        let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
        let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let port = (first..first + 1_000).find(is_free).unwrap();
        let process = Command::new(program)
            .env("GATEWAY_PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, endpoint: format!("http://127.0.0.1:{port}") }
    }

    /// A client, once the bucket of the tests could be created.
    async fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&aws(&self.endpoint).await).force_path_style(true).build();
        let client = aws_sdk_s3::Client::from_conf(config);
        let deadline = Instant::now() + Duration::from_mins(2);
        while let Err(error) = client.create_bucket().bucket("sdk-tests").send().await {
            assert!(Instant::now() < deadline, "MiniStack did not start: {error}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        client
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
