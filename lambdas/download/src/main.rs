//! Lambda `download`: the function URL behind the links in emails. See [`bedrock_batch_engine::download`].

mod http;

use bedrock_batch_engine::download::Downloader;
use bedrock_batch_engine::link_keys::LinkKeys;
use bedrock_batch_lambda_host::{bucket, environment, log_as_json, required, serve};
use http::{link_request, response};
use lambda_runtime::Error;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    let downloader = Downloader {
        bucket: bucket(&config)?,
        keys: LinkKeys::new(secrets, required(environment::LINK_KEY_SECRET_ARN)?),
    };
    serve(move |event: Value| {
        let downloader = downloader.clone();
        async move { Ok(response(downloader.answer(&link_request(event)).await)) }
    })
    .await
}
