//! Lambda `finalize`: see [`bedrock_batch_engine::finalize`].

use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::finalize::{FinalizeInput, Finalizer};
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_lambda_host::{bucket, environment, log_as_json, optional, required, serve};
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    let finalizer = Finalizer {
        bucket: bucket(&config)?,
        jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), required(environment::TASK_TABLE_NAME)?),
        working_file_days: optional(environment::DELETE_WORKING_FILES_AFTER_DAYS)?,
    };
    serve(move |input: FinalizeInput| {
        let finalizer = finalizer.clone();
        async move { Box::pin(answer(&finalizer, input)).await }
    })
    .await
}

async fn answer(finalizer: &Finalizer, input: FinalizeInput) -> Result<serde_json::Value, EngineError> {
    let written = match input {
        FinalizeInput::Summarize { run_id, execution_arn } => {
            serde_json::to_value(finalizer.summarize(&run_id, execution_arn.as_ref()).await?)
        }
        FinalizeInput::ExplainFailure { run_id, error } => {
            serde_json::to_value(finalizer.explain_failure(&run_id, error).await?)
        }
    };
    written.map_err(|error| EngineError::internal("cannot write the output as JSON").caused_by(error))
}
