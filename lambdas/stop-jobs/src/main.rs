//! Lambda `stop-jobs`: executions that were aborted, failed or timed out. See [`bedrock_batch_engine::stop`].

use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::stop::{EndedExecution, Stopper};
use bedrock_batch_lambda_host::{environment, log_as_json, required, serve};
use lambda_runtime::Error;
use serde::Deserialize;

/// The event "Step Functions Execution Status Change".
#[derive(Debug, Deserialize)]
struct StatusChange {
    detail: EndedExecution,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    let stopper = Stopper {
        jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), required(environment::TASK_TABLE_NAME)?),
        bedrock: aws_sdk_bedrock::Client::new(&config),
    };
    serve(move |event: StatusChange| {
        let stopper = stopper.clone();
        async move { stopper.stop(&event.detail).await }
    })
    .await
}
