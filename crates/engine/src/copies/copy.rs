//! Copying by S3 itself: no byte of a file passes through the function.

use crate::error::EngineError;
use crate::objects::{Bucket, slow};
use bedrock_batch_domain::links::file_name;
use bedrock_batch_domain::s3_uri::S3Uri;
use tokio::task::JoinSet;

/// Maximum number of concurrent copies. A run has up to 100,000 files, and a copy of a small one takes some 50 ms.
const MAX_CONCURRENT_COPIES: usize = 32;

/// Copies the objects `keys` of the bucket to `folder`, under their own names, and returns their number. Repeating it writes
/// the same objects.
///
/// # Errors
/// Returns an error if S3 refuses a copy.
pub async fn copy_answers(
    bucket: &Bucket,
    keys: impl Iterator<Item = String>,
    folder: &S3Uri,
) -> Result<u64, EngineError> {
    let mut copies = JoinSet::new();
    let mut count = 0;
    for key in keys {
        if copies.len() >= MAX_CONCURRENT_COPIES {
            count += finished(copies.join_next().await)?;
        }
        let (bucket, folder) = (bucket.clone(), folder.clone());
        copies.spawn(async move { copy(&bucket, &key, &folder).await });
    }
    while !copies.is_empty() {
        count += finished(copies.join_next().await)?;
    }
    Ok(count)
}

type Joined = Option<Result<Result<(), EngineError>, tokio::task::JoinError>>;

fn finished(joined: Joined) -> Result<u64, EngineError> {
    match joined {
        None => Ok(0),
        Some(Ok(copied)) => copied.map(|()| 1),
        Some(Err(error)) => Err(EngineError::died("a copy of answered rows", error)),
    }
}

async fn copy(bucket: &Bucket, key: &str, folder: &S3Uri) -> Result<(), EngineError> {
    let target = format!("{}{}", folder.key, file_name(key));
    // Keys of answered rows consist of characters that need no encoding.
    let source = format!("{}/{key}", bucket.name());
    let request = bucket.client().copy_object().bucket(&folder.bucket).key(&target).copy_source(source);
    request.customize().config_override(slow()).send().await.map(|_| ()).map_err(|error| {
        let context = format!(
            "cannot copy {} to s3://{}/{target} (all answers are kept: collect the run once it is possible)",
            bucket.uri(key),
            folder.bucket
        );
        EngineError::from_aws(context, &error)
    })
}
