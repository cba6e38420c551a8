//! Lambda `stop-jobs`: handles executions that were aborted, failed or timed out. See [`bedrock_batch_engine::stop`].

use aws_lambda_events::eventbridge::EventBridgeEvent;
use bedrock_batch_engine::SweepTime;
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::stop::Stopper;
use bedrock_batch_lambda_host::{ExecutionStatusChange, environment, log_as_json, required, serve_until};
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    let stopper = Stopper {
        jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), required(environment::TASK_TABLE_NAME)?),
        bedrock: aws_sdk_bedrock::Client::new(&bedrock_batch_aws::bedrock_config(&config)),
    };
    serve_until(move |event: EventBridgeEvent<ExecutionStatusChange>, deadline| {
        let stopper = stopper.clone();
        async move { stopper.stop(&event.detail.into(), SweepTime::until(deadline.into())).await }
    })
    .await
}
