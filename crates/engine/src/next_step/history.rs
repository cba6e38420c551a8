//! Reader of the manifests of all passes.

use crate::error::EngineError;
use crate::objects::Bucket;
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::run::{History, Pass};

/// Reads the manifests of the passes up to `last`.
///
/// # Errors
/// Returns an error if a manifest cannot be read.
pub(crate) async fn read_history(bucket: &Bucket, run_id: &RunId, last: u32) -> Result<History, EngineError> {
    let mut passes = Vec::new();
    for pass in 0..=last {
        let jobs = bucket.get_json(&Layout::pass_jobs_key(run_id, pass)).await?;
        let parts = match pass {
            0 => Vec::new(),
            _ => bucket.get_json(&Layout::pass_parts_key(run_id, pass)).await?,
        };
        passes.push(Pass { jobs, parts });
    }
    Ok(History { passes })
}

/// Reads the manifests of all passes that were ever written, including passes that were prepared but never started, since
/// their jobs are valid too.
///
/// # Errors
/// Returns an error if a manifest cannot be read.
pub(crate) async fn read_whole_history(bucket: &Bucket, run_id: &RunId) -> Result<History, EngineError> {
    let mut last = 0;
    while bucket.contains(&Layout::pass_jobs_key(run_id, last + 1)).await? {
        last += 1;
    }
    read_history(bucket, run_id, last).await
}
