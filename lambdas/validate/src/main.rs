//! Lambda `validate`: see [`bedrock_batch_engine::validate`].

use bedrock_batch_engine::validate::{ValidateInput, Validator};
use bedrock_batch_lambda_host::{deployment, environment, input_reader, log_as_json, required, serve};
use lambda_runtime::Error;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    let validator = Arc::new(Validator {
        inputs: input_reader(&config)?,
        deployment: Arc::new(deployment(&config)?),
        download_links: required(environment::DOWNLOAD_LINKS)?,
    });
    serve(move |input: ValidateInput| {
        let validator = Arc::clone(&validator);
        async move { validator.run(input).await }
    })
    .await
}
