//! Lambda `preprocess`: see [`bedrock_batch_engine::preprocess`].

use bedrock_batch_engine::preprocess::PreprocessInput;
use bedrock_batch_lambda_host::{log_as_json, preprocessor, serve};
use lambda_runtime::Error;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    let preprocessor = Arc::new(preprocessor(&config)?);
    serve(move |input: PreprocessInput| {
        let preprocessor = Arc::clone(&preprocessor);
        async move { preprocessor.run(input).await }
    })
    .await
}
