//! Lambda `postprocess`: see [`bedrock_batch_engine::postprocess`].

use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::keep_freed_memory;
use bedrock_batch_engine::postprocess::{PostprocessInput, Postprocessor};
use bedrock_batch_lambda_host::{bucket, environment, log_as_json, required, serve};
use lambda_runtime::Error;
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    keep_freed_memory();
    let config = bedrock_batch_aws::sdk_config().await;
    let postprocessor = Postprocessor {
        bucket: bucket(&config)?,
        jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), required(environment::TASK_TABLE_NAME)?),
        late_answers: Duration::from_secs(required(environment::LATE_ANSWERS_SECONDS)?),
    };
    serve(move |input: PostprocessInput| {
        let postprocessor = postprocessor.clone();
        async move { postprocessor.run(&input).await }
    })
    .await
}
