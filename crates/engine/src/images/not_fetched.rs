//! Why a row goes without its image.

use bedrock_batch_domain::image::ImageProblem;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;

/// Why a row goes without its image, and so is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFetched {
    /// A short name for counting.
    pub reason: &'static str,
    /// What the row's `error` will say: `not sent: <reason>: …`, the form that postprocess counts by.
    pub text: String,
}

impl NotFetched {
    pub(super) fn new(reason: &'static str, problem: &Problem) -> Self {
        Self { reason, text: format!("not sent: {reason}: {problem}") }
    }

    /// The image at `uri` is there, and is of no use.
    pub(super) fn unusable(uri: &S3Uri, problem: &ImageProblem) -> Self {
        let reason = problem.reason();
        Self { reason, text: format!("not sent: {reason}: {uri}: {problem}") }
    }
}
