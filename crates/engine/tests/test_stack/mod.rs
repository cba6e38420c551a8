//! Servers in this process, their clients, and a deployment for tests of the steps that check inputs.

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use bedrock_batch_domain::input::StackLimits;
use bedrock_batch_domain::job::JobLimits;
use bedrock_batch_domain::model::ModelTable;
use bedrock_batch_domain::prompt::PromptLibrary;
use bedrock_batch_engine::deployment::Deployment;
use bedrock_batch_engine::hub::Hub;
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::model_lookup::ModelLookup;
use bedrock_batch_engine::objects::Bucket;
use bedrock_batch_engine::preprocess::{InputReader, Preprocessor, StartInput};
use serde_json::Value;
use std::sync::Arc;

/// Bucket of the stack.
pub(crate) const BUCKET: &str = "our-bucket";
/// Start of every execution.
pub(crate) const STARTED_AT: &str = "2026-11-20T13:05:07.000Z";
const REGION: Region = Region::from_static("us-east-1");

/// Starts a server that accepts bodies of any size, and returns its URL.
pub(crate) async fn serve(service: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = service.layer(DefaultBodyLimit::disable());
    tokio::spawn(async move { axum::serve(listener, service).await });
    format!("http://{address}")
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("a", "b", None, None, "test")
}

/// Returns the configuration of a client that is independent of the environment.
pub(crate) fn s3_config(endpoint: impl Into<String>) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .region(REGION)
        .credentials_provider(credentials())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .force_path_style(true)
}

pub(crate) fn bucket(endpoint: impl Into<String>, name: &str) -> Bucket {
    Bucket::new(aws_sdk_s3::Client::from_conf(s3_config(endpoint).build()), name)
}

/// Returns a reader of the inputs in the stack's bucket and in `lake`.
pub(crate) fn inputs(endpoint: impl Into<String>) -> InputReader {
    InputReader {
        bucket: bucket(endpoint, BUCKET),
        input_buckets: vec!["lake".to_owned()],
        input_prefixes: Vec::new(),
        hub: Hub::default(),
    }
}

pub(crate) fn deployment(prompts: PromptLibrary) -> Deployment {
    Deployment {
        region: REGION.to_string(),
        limits: StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 },
        jobs: JobLimits { per_run: Some(5), quota: None },
        prompts,
        models: ModelTable::with_overrides("").unwrap(),
        lookup: ModelLookup::default(),
        output_buckets: Vec::new(),
    }
}

/// Returns a client of Bedrock's control plane.
pub(crate) fn bedrock_client(endpoint: impl Into<String>) -> aws_sdk_bedrock::Client {
    let config = aws_sdk_bedrock::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .region(REGION)
        .credentials_provider(credentials());
    aws_sdk_bedrock::Client::from_conf(config.build())
}

/// Returns a job table whose requests `service` answers.
pub(crate) async fn job_table(service: Router) -> JobTable {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(serve(service).await)
        .region(REGION)
        .credentials_provider(credentials());
    JobTable::new(aws_sdk_dynamodb::Client::from_conf(config.build()), "t".to_owned())
}

pub(crate) async fn preprocessor(inputs: InputReader, deployment: Arc<Deployment>) -> Preprocessor {
    // A job table that has no items and accepts each write.
    let empty = Router::new().fallback(|| async { "{}" });
    Preprocessor { inputs, deployment, jobs: job_table(empty).await }
}

/// Returns the start of the execution `name`.
pub(crate) fn start_of(name: &str, input: Value) -> StartInput {
    StartInput {
        execution_name: name.to_owned(),
        execution_arn: format!("arn:aws:states:eu-west-1:1:execution:bedrock-batch-orchestrator-1:{name}")
            .parse()
            .unwrap(),
        started_at: STARTED_AT.to_owned(),
        input,
    }
}
