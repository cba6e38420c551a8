//! Lambda `invoke`: see [`bedrock_batch_engine::invoke`].

use aws_sdk_bedrockruntime::config::retry::RetryConfig;
use bedrock_batch_aws::TimeLimits;
use bedrock_batch_engine::invoke::{InvokeInput, Invoker, Times};
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_lambda_host::{bucket, environment, log_as_json, required, serve_until};
use lambda_runtime::Error;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    // Every request counts towards the run's rate limits, including retries: so the client must not retry by itself.
    let inference = bedrock_batch_aws::inference_config(&config, TimeLimits::INFERENCE);
    let bedrock = aws_sdk_bedrockruntime::config::Builder::from(&inference).retry_config(RetryConfig::disabled());
    let invoker = Invoker {
        bucket: bucket(&config)?,
        jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), required(environment::TASK_TABLE_NAME)?),
        bedrock: aws_sdk_bedrockruntime::Client::from_conf(bedrock.build()),
    };
    let invocation_time = Duration::from_secs(required(environment::INVOCATION_SECONDS)?);
    serve_until(move |input: InvokeInput, deadline| {
        let invoker = invoker.clone();
        let times = Times::new(Instant::now(), invocation_time, deadline.into());
        async move { invoker.run(&input, times).await }
    })
    .await
}
