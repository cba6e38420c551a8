//! Calls that hang end within their limits, for each service, with the clients of the functions.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod silent_server;

use aws_sdk_s3::config::{Credentials, Region, StalledStreamProtectionConfig};
use bedrock_batch_aws::TimeLimits;
use bedrock_batch_domain::email::Email;
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::link_keys::LinkKeys;
use bedrock_batch_engine::mailer::Mailer;
use bedrock_batch_engine::objects::{Bucket, ObjectMeta, ObjectRangeReader, StreamReader};
use parquet::file::reader::ChunkReader;
use silent_server::SilentServer;
use std::io::Read;
use std::time::Duration;
use tokio::runtime::Handle;

/// The limits of the functions, shortened.
const DIVISOR: u32 = 30;
/// Time after which a test fails. Without limits, the calls would wait for ever.
const FOR_EVER: Duration = Duration::from_mins(2);

/// Returns the settings of the functions, for the server at `endpoint`.
async fn config(endpoint: &str) -> aws_config::SdkConfig {
    let loader = bedrock_batch_aws::loader().endpoint_url(endpoint).region(Region::new("us-east-1"));
    let config = loader.credentials_provider(Credentials::new("a", "b", None, None, "test")).load().await;
    let protection = config.stalled_stream_protection().unwrap();
    assert!(protection.upload_enabled() && protection.download_enabled());
    let shortened = StalledStreamProtectionConfig::enabled().grace_period(Duration::from_millis(500)).build();
    TimeLimits::SHORT.divided_by(DIVISOR).apply(&config.into_builder().stalled_stream_protection(shortened).build())
}

fn bucket(config: &aws_config::SdkConfig) -> Bucket {
    Bucket::new(bedrock_batch_aws::s3_client_within(config, TimeLimits::S3.divided_by(DIVISOR)), "bucket")
}

async fn ended<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(FOR_EVER, call).await.unwrap()
}

/// Asserts that a call was repeated by its client and then ended with an error that the state machine retries.
fn assert_given_up<T>(server: &SilentServer, called: Result<T, EngineError>) {
    let error = called.err().unwrap();
    assert_eq!(error.name(), "Transient", "{error:#}");
    assert!(server.requests() > 1, "{} requests", server.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_calls_to_s3_end() {
    for call in ["head", "list", "get", "put"] {
        let server = SilentServer::mute();
        let bucket = bucket(&config(&server.serve().await).await);
        let called = Box::pin(async {
            match call {
                "head" => bucket.head("a").await.map(|_| ()),
                "list" => bucket.list("a").await.map(|_| ()),
                "get" => bucket.get_json::<String>("a").await.map(|_| ()),
                _ => bucket.put_json("a", "b").await,
            }
        });
        assert_given_up(&server, ended(called).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_calls_to_dynamodb_end() {
    let server = SilentServer::mute();
    let client = aws_sdk_dynamodb::Client::new(&config(&server.serve().await).await);
    let jobs = JobTable::new(client, "jobs".to_owned());
    assert_given_up(&server, ended(jobs.run(&"r".parse().unwrap())).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_calls_to_step_functions_end() {
    let server = SilentServer::mute();
    let client = aws_sdk_sfn::Client::new(&config(&server.serve().await).await);
    let called = ended(client.describe_execution().execution_arn("e").send()).await;
    assert_given_up(&server, called.map_err(|error| EngineError::from_aws("cannot read e", &error)));
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_calls_to_sns_end() {
    let server = SilentServer::mute();
    let sns = aws_sdk_sns::Client::new(&config(&server.serve().await).await);
    let mailer = Mailer { sns, topic_arn: "arn:aws:sns:us-east-1:123456789012:t".to_owned() };
    let email = Email { subject: "s".to_owned(), message: "m".to_owned() };
    assert_given_up(&server, ended(mailer.send(&email)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_calls_to_secrets_manager_end() {
    let server = SilentServer::mute();
    let secrets = aws_sdk_secretsmanager::Client::new(&config(&server.serve().await).await);
    assert_given_up(&server, ended(LinkKeys::new(secrets, "s".to_owned()).keys(Duration::ZERO)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_calls_to_bedrock_end() {
    let server = SilentServer::mute();
    let config = TimeLimits::BEDROCK.divided_by(DIVISOR).apply(&config(&server.serve().await).await);
    let client = aws_sdk_bedrock::Client::new(&config);
    let called = ended(client.get_model_invocation_job().job_identifier("abcdefghijkl").send()).await;
    assert_given_up(&server, called.map_err(|error| EngineError::from_aws("cannot read a job", &error)));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_small_responses_that_stop_end() {
    // Of a response that is read whole, the body counts too.
    let server = SilentServer::stopping(br#"{"Item": {}}            "#, u32::MAX);
    let client = aws_sdk_dynamodb::Client::new(&config(&server.serve().await).await);
    let jobs = JobTable::new(client, "jobs".to_owned());
    assert_given_up(&server, ended(jobs.run(&"r".parse().unwrap())).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_whose_bodies_stop_are_read_on() {
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let object = ObjectMeta {
        uri: S3Uri::new("bucket", "inputs/a.csv"),
        bytes: content.len() as u64,
        etag: "e".to_owned(),
        modified: 0,
    };
    for reader in ["stream", "range"] {
        let server = SilentServer::stopping(&content, 2);
        let bucket = bucket(&config(&server.serve().await).await);
        let object = object.clone();
        let read = tokio::task::spawn_blocking(move || match reader {
            "stream" => {
                let mut bytes = Vec::new();
                StreamReader::new(&Handle::current(), bucket.client(), &object).read_to_end(&mut bytes).map(|_| bytes)
            }
            _ => {
                let reader = ObjectRangeReader::new(&Handle::current(), bucket.client(), &object);
                Ok(reader.get_bytes(0, usize::try_from(object.bytes).unwrap()).unwrap().to_vec())
            }
        });
        assert!(ended(read).await.unwrap().unwrap() == content, "{reader}");
        assert!(server.requests() >= 3, "{reader}");
    }
    let server = SilentServer::stopping(b"\"a text\"", 2);
    let bucket = bucket(&config(&server.serve().await).await);
    assert_eq!(ended(bucket.get_json::<String>("a")).await.unwrap(), "a text");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_whose_bodies_always_stop_end() {
    let server = SilentServer::stopping(b"\"a text\"", u32::MAX);
    let bucket = bucket(&config(&server.serve().await).await);
    assert_given_up(&server, ended(bucket.get_json::<String>("a")).await);
}
