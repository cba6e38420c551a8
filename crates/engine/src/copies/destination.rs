//! Check of the folder that a request names, before anything is submitted: a run would find out after its last answer.

use crate::error::EngineError;
use crate::objects::Bucket;
use bedrock_batch_domain::destination::{Destination, OUTPUT_URI};
use bedrock_batch_domain::input::RunRequest;
use bedrock_batch_domain::problem::Problem;

/// Returns the problems of the folder that a request names, for a stack with this bucket that may also write to `others`.
///
/// # Errors
/// Returns an error if the S3 request fails for another reason than the bucket itself.
pub(crate) async fn destination_problems(
    bucket: &Bucket,
    others: &[String],
    request: &RunRequest,
) -> Result<Vec<Problem>, EngineError> {
    let Some(destination) = &request.output_uri else { return Ok(Vec::new()) };
    if let Some(problem) = destination.problem(bucket.name(), others) {
        return Ok(vec![problem]);
    }
    if destination.bucket() == bucket.name() {
        return Ok(Vec::new());
    }
    Ok(unusable(bucket, destination).await?.into_iter().collect())
}

/// Returns the problem of a bucket that the stack should be able to write to. No object is written to find out: readers of
/// the folder would see it.
async fn unusable(bucket: &Bucket, destination: &Destination) -> Result<Option<Problem>, EngineError> {
    let name = destination.bucket();
    let Err(error) = bucket.client().head_bucket().bucket(name).send().await else { return Ok(None) };
    let status = error.raw_response().map(|response| response.status().as_u16());
    // The response to a HEAD has no body, and so no code.
    let (rule, remedy) = match status {
        Some(404) => ("this bucket does not exist", "create it, or choose another one"),
        Some(403) => {
            ("the stack may not access this bucket", "allow it in the policy of the bucket, or choose another one")
        }
        Some(301 | 400) => ("this bucket is in another region", "choose one in the region of the stack"),
        _ => return Err(EngineError::from_aws(format!("cannot access the bucket {name}"), &error)),
    };
    Ok(Some(Problem::new(OUTPUT_URI, destination, rule).remedy(remedy)))
}
