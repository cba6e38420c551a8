//! Reasons why a row has no image.

use bedrock_batch_domain::image::ImageProblem;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;

/// Reason why a row has no image, and so is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFetched {
    /// Short name for counting.
    pub reason: &'static str,
    /// Text for the row's `error`: `not sent: <reason>: …`, the form by which postprocess counts.
    pub text: String,
}

impl NotFetched {
    pub(super) fn new(reason: &'static str, problem: &Problem) -> Self {
        Self { reason, text: format!("not sent: {reason}: {problem}") }
    }

    /// Creates the reason for an image that exists but cannot be used.
    pub(super) fn unusable(uri: &S3Uri, problem: &ImageProblem) -> Self {
        let reason = problem.reason();
        Self { reason, text: format!("not sent: {reason}: {uri}: {problem}") }
    }
}
