//! Existence of the objects that a payload names.

use crate::error::EngineError;
use crate::objects::head;
use aws_sdk_s3::Client;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;

/// Returns the problem of an object that does not exist or may not be read; `field` names it in the payload.
pub(super) async fn missing(client: &Client, field: &'static str, object: &S3Uri) -> Result<Vec<Problem>, EngineError> {
    match head(client, object).await {
        Ok(Some(found)) if found.bytes > 0 => Ok(Vec::new()),
        Ok(Some(_)) => Ok(vec![Problem::new(field, object, "this object is empty")]),
        Ok(None) => {
            let problem = Problem::new(field, object, "this object does not exist");
            Ok(vec![problem.remedy("upload it, or correct bucket and key")])
        }
        Err(error) => {
            let refused = error.into_problems()?;
            Ok(refused.as_slice().iter().map(|problem| problem.clone().of_field(field)).collect())
        }
    }
}
