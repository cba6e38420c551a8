//! Lambda `reconcile`: runs on a schedule. See [`bedrock_batch_engine::reconcile`].

use bedrock_batch_engine::SweepTime;
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::reconcile::Reconciler;
use bedrock_batch_engine::settle::Settler;
use bedrock_batch_lambda_host::{environment, log_as_json, required, serve_until};
use lambda_runtime::Error;
use serde::de::IgnoredAny;
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    let reconciler = Reconciler {
        settler: Settler {
            jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), required(environment::TASK_TABLE_NAME)?),
            bedrock: aws_sdk_bedrock::Client::new(&bedrock_batch_aws::bedrock_config(&config)),
            step_functions: aws_sdk_sfn::Client::new(&config),
        },
        silence: Duration::from_secs(required(environment::SILENT_SECONDS)?),
    };
    serve_until(move |_: IgnoredAny, deadline| {
        let reconciler = reconciler.clone();
        async move { reconciler.run(SweepTime::until(deadline.into())).await }
    })
    .await
}
