//! Lambda `invoke`: see [`bedrock_batch_engine::invoke`].

use aws_sdk_bedrockruntime::config::retry::RetryConfig;
use aws_sdk_bedrockruntime::config::timeout::TimeoutConfig;
use bedrock_batch_engine::invoke::{InvokeInput, Invoker, Times};
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_lambda_host::{environment, log_as_json, required, serve_until};
use lambda_runtime::Error;
use std::time::Duration;
use tokio::time::Instant;

/// A connection that does not come about in this time is tried again.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest that a model may take to its answer.
const ANSWER: Duration = Duration::from_mins(5);

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    // Each request takes its turn under the run's limits, repeated ones as well: so the client repeats none by itself.
    let bedrock = aws_sdk_bedrockruntime::config::Builder::from(&config)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(ANSWER).build());
    let invoker = Invoker {
        s3: bedrock_batch_aws::s3_client(&config),
        bucket: required(environment::BUCKET_NAME)?,
        jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), required(environment::TASK_TABLE_NAME)?),
        bedrock: aws_sdk_bedrockruntime::Client::from_conf(bedrock.build()),
    };
    let asking = Duration::from_secs(required(environment::INVOCATION_SECONDS)?);
    serve_until(move |input: InvokeInput, deadline| {
        let invoker = invoker.clone();
        let times = Times::new(Instant::now(), asking, deadline.into());
        async move { invoker.run(&input, times).await }
    })
    .await
}
