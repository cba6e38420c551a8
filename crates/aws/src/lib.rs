//! How every program of this project reaches AWS, or the local stack: one HTTP client with one TLS library, settings
//! from the environment (`AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_<SERVICE>`, credentials) and nothing else.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::{Builder, tls};

/// Reads the AWS settings of this process. Call it once, at start.
///
/// TLS is rustls with ring: it starts as fast as the SDK's default (aws-lc) and spares a C library of several minutes'
/// build time and some megabytes in every function.
pub async fn sdk_config() -> SdkConfig {
    let http = Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await
}

/// An S3 client. Behind an endpoint of its own (the local stack) buckets are addressed by path, since
/// `<bucket>.localhost` resolves nowhere.
#[must_use]
pub fn s3_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    let own_endpoint = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"].iter().any(|name| std::env::var_os(name).is_some());
    let settings = aws_sdk_s3::config::Builder::from(config).force_path_style(own_endpoint).build();
    aws_sdk_s3::Client::from_conf(settings)
}
