//! Reading the manifests of all passes.

use crate::error::EngineError;
use crate::objects::{get_json, head};
use aws_sdk_s3::Client;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::run::{History, Pass};
use bedrock_batch_domain::s3_uri::S3Uri;

/// Reads the manifests of the passes up to `last`.
///
/// # Errors
/// Returns an error if a manifest cannot be read.
pub(crate) async fn read_history(
    client: &Client,
    bucket: &str,
    run_id: &str,
    last: u32,
) -> Result<History, EngineError> {
    let mut passes = Vec::new();
    for pass in 0..=last {
        let jobs = get_json(client, bucket, &Layout::pass_jobs_key(run_id, pass)).await?;
        let parts = match pass {
            0 => Vec::new(),
            _ => get_json(client, bucket, &Layout::pass_parts_key(run_id, pass)).await?,
        };
        passes.push(Pass { jobs, parts });
    }
    Ok(History { passes })
}

/// Reads the manifests of all passes that were ever written down. A pass that was prepared and never begun counts: its jobs
/// are as good as any.
///
/// # Errors
/// Returns an error if a manifest cannot be read.
pub(crate) async fn read_whole_history(client: &Client, bucket: &str, run_id: &str) -> Result<History, EngineError> {
    let mut last = 0;
    while head(client, &S3Uri::new(bucket, Layout::pass_jobs_key(run_id, last + 1))).await?.is_some() {
        last += 1;
    }
    read_history(client, bucket, run_id, last).await
}
