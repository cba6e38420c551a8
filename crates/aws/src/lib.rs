//! Access to AWS, or to the local stack, for every program of this project: one HTTP client with one TLS library, limits on
//! the time of every request, and settings from the environment only (`AWS_REGION`, `AWS_ENDPOINT_URL`,
//! `AWS_ENDPOINT_URL_<SERVICE>`, credentials).

mod time_limits;

pub use time_limits::TimeLimits;

use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_http_client::{Builder, tls};
use std::time::Duration;

/// Time without a byte after which a body is abandoned, in both directions.
const MAX_SILENCE: Duration = Duration::from_secs(10);

/// Reads the AWS settings of this process, with [`TimeLimits::SHORT`]. To be called once, at start.
pub async fn sdk_config() -> SdkConfig {
    loader().load().await
}

/// Returns the settings of all programs, to which tests add an endpoint of theirs.
///
/// TLS is rustls with ring: it starts as fast as the SDK's default (aws-lc) and avoids a C library that takes several
/// minutes to build and adds some megabytes to every function.
pub fn loader() -> ConfigLoader {
    let http = Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(TimeLimits::SHORT.into())
        .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(MAX_SILENCE).build())
}

/// Creates an S3 client for a function. With a custom endpoint (the local stack), buckets are addressed by path, since
/// `<bucket>.localhost` does not resolve.
#[must_use]
pub fn s3_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    s3_client_within(config, TimeLimits::S3)
}

/// Creates an S3 client with other limits.
#[must_use]
pub fn s3_client_within(config: &SdkConfig, limits: TimeLimits) -> aws_sdk_s3::Client {
    let custom_endpoint =
        ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"].iter().any(|name| std::env::var_os(name).is_some());
    let settings = aws_sdk_s3::config::Builder::from(&limits.apply(config)).force_path_style(custom_endpoint).build();
    aws_sdk_s3::Client::from_conf(settings)
}

/// Returns the settings of clients of Bedrock's control plane.
#[must_use]
pub fn bedrock_config(config: &SdkConfig) -> SdkConfig {
    TimeLimits::BEDROCK.apply(config)
}

/// Returns the settings of clients that invoke models. A model may be silent until its answer is complete, also between the
/// head and the body of the response: only the limits of the attempt count.
#[must_use]
pub fn inference_config(config: &SdkConfig, limits: TimeLimits) -> SdkConfig {
    let unprotected = StalledStreamProtectionConfig::disabled();
    limits.apply(config).into_builder().stalled_stream_protection(unprotected).build()
}
