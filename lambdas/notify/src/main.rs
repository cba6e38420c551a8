//! Lambda `notify`: see [`bedrock_batch_engine::notify`].

mod event;

use bedrock_batch_engine::link_keys::LinkKeys;
use bedrock_batch_engine::mailer::Mailer;
use bedrock_batch_engine::notify::{DownloadFunction, Notifier};
use bedrock_batch_lambda_host::{bucket, environment, log_as_json, optional, required, serve};
use event::NotifyEvent;
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    // Without the download function, links are presigned S3 URLs.
    let download = match optional::<String>(environment::DOWNLOAD_URL)? {
        Some(url) => {
            Some(DownloadFunction { url, keys: LinkKeys::new(secrets, required(environment::LINK_KEY_SECRET_ARN)?) })
        }
        None => None,
    };
    let notifier = Notifier {
        step_functions: aws_sdk_sfn::Client::new(&config),
        bucket: bucket(&config)?,
        mailer: Mailer { sns: aws_sdk_sns::Client::new(&config), topic_arn: required(environment::TOPIC_ARN)? },
        download,
    };
    serve(move |event: NotifyEvent| {
        let notifier = notifier.clone();
        async move { notifier.notify(event.into()).await }
    })
    .await
}
