//! Access to AWS, or to the local stack, for every program of this project: one HTTP client with one TLS library, and
//! settings from the environment only (`AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_<SERVICE>`, credentials).

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::{Builder, tls};

/// Reads the AWS settings of this process. To be called once, at start.
///
/// TLS is rustls with ring: it starts as fast as the SDK's default (aws-lc) and avoids a C library that takes several
/// minutes to build and adds some megabytes to every function.
pub async fn sdk_config() -> SdkConfig {
    let http = Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await
}

/// Creates an S3 client. With a custom endpoint (the local stack), buckets are addressed by path, since
/// `<bucket>.localhost` does not resolve.
#[must_use]
pub fn s3_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    let custom_endpoint =
        ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"].iter().any(|name| std::env::var_os(name).is_some());
    let settings = aws_sdk_s3::config::Builder::from(config).force_path_style(custom_endpoint).build();
    aws_sdk_s3::Client::from_conf(settings)
}
