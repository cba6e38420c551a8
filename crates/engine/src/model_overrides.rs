//! `settings/model-overrides.toml` in the bucket of the stack: models, limits and prices that take the place of those that were
//! deployed, without a deployment.

use crate::error::EngineError;
use crate::objects::{Bucket, read_small};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::ModelTable;
use bedrock_batch_domain::printable;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;
use std::borrow::Cow;

/// Maximum size of the object.
const MAX_BYTES: u64 = 1 << 20;
/// What problems of the object are about.
const SUBJECT: &str = "the table of models";

/// Returns the text of the object; `None` if there is none.
///
/// # Errors
/// Returns `InvalidInput` if it is too large or not UTF-8, and an error if an S3 request fails.
pub async fn model_overrides(bucket: &Bucket) -> Result<Option<String>, EngineError> {
    let key = Layout::model_overrides_key();
    if !bucket.contains(&key).await? {
        return Ok(None);
    }
    let uri = bucket.uri(key);
    let object = read_small(bucket.client(), SUBJECT, &uri, MAX_BYTES).await?;
    tracing::info!(etag = object.etag, "model_overrides_read");
    let text = String::from_utf8(object.bytes);
    text.map(Some).map_err(|_| invalid(&uri, "is not UTF-8").into())
}

/// Returns the table of models: the deployed one, or the one with these overrides.
///
/// # Errors
/// Returns the problem of the overrides.
pub fn table_with<'a>(
    deployed: &'a ModelTable,
    bucket: &Bucket,
    overrides: Option<&str>,
) -> Result<Cow<'a, ModelTable>, Problem> {
    let Some(overrides) = overrides else { return Ok(Cow::Borrowed(deployed)) };
    let table = ModelTable::with_overrides(overrides);
    table.map(Cow::Owned).map_err(|error| invalid(&bucket.uri(Layout::model_overrides_key()), &in_one_line(&error)))
}

/// Returns the place and the reason of an error of TOML, without the excerpt of the text between them.
fn in_one_line(error: &str) -> String {
    let mut lines = error.lines().filter(|line| !line.trim().is_empty());
    let (place, reason) = (lines.next().unwrap_or_default(), lines.next_back());
    printable::line(&reason.map_or_else(|| place.to_owned(), |reason| format!("{place}: {reason}")))
}

fn invalid(uri: &S3Uri, rule: &str) -> Problem {
    let remedy = "correct the object, or delete it to have the models that were deployed; until then, no run starts";
    Problem::new(SUBJECT, uri, rule).remedy(remedy)
}
