//! Small texts in S3 that an input names: the input itself, or files of a prompt.

use crate::error::EngineError;
use aws_sdk_s3::Client;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;

/// Text that the field `field` of an input names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextObject<'a> {
    /// Name of the field.
    pub(crate) field: &'static str,
    /// Address of the text.
    pub(crate) uri: &'a S3Uri,
    /// Maximum size.
    pub(crate) max_bytes: usize,
    /// Kind of text that has this maximum: `an input`.
    pub(crate) kind: &'static str,
}

impl TextObject<'_> {
    /// Reads the text.
    ///
    /// # Errors
    /// Returns `InvalidInput` if the object does not exist, may not be read or is too large, and another error if the S3
    /// request fails.
    pub(crate) async fn read(&self, s3: &Client) -> Result<Vec<u8>, EngineError> {
        let Self { field, uri, .. } = self;
        let object = match s3.get_object().bucket(&uri.bucket).key(&uri.key).send().await {
            Ok(object) => object,
            Err(error) => {
                let status = error.raw_response().map(|response| response.status().as_u16());
                let rule = match (status, error.code()) {
                    (_, Some("NoSuchBucket")) => "this bucket does not exist",
                    (Some(404), _) => "this object does not exist",
                    (Some(403), _) => "the stack may not read this object",
                    (Some(301), _) => "this bucket is in another region",
                    _ => return Err(EngineError::from_aws(format!("cannot read {uri}"), &error)),
                };
                return Err(Problem::new(*field, uri, rule).remedy("upload it, or correct the address").into());
            }
        };
        self.within_limit(object.body).await
    }

    /// Reads a body up to the maximum size.
    async fn within_limit(&self, mut body: ByteStream) -> Result<Vec<u8>, EngineError> {
        let Self { field, uri, max_bytes, kind } = self;
        let mut text = Vec::new();
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|error| EngineError::transient(format!("cannot read {uri}")).caused_by(error))?;
            text.extend_from_slice(&bytes);
            if text.len() > *max_bytes {
                let rule = format!("is larger than {max_bytes} bytes, the maximum size of {kind}");
                return Err(Problem::new(*field, uri, rule).into());
            }
        }
        Ok(text)
    }
}

/// Checks that the stack may read the bucket of `uri`, which the field `field` names.
///
/// # Errors
/// Returns the problem if it is not among `readable`.
pub(crate) fn check_bucket(field: &str, uri: &S3Uri, readable: &[&str]) -> Result<(), Problem> {
    if readable.contains(&uri.bucket.as_str()) {
        return Ok(());
    }
    let rule = format!("the stack may read the buckets {} only", readable.join(", "));
    let remedy = "copy the object, or add the bucket to the context key `inputBuckets` and deploy";
    Err(Problem::new(field, uri, rule).remedy(remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_object_over_the_limit_is_refused() {
        let uri = S3Uri::new("lake", "a.json");
        let object = TextObject { field: "config_s3_uri", uri: &uri, max_bytes: 9, kind: "an input" };
        let error = object.within_limit(ByteStream::from(vec![b' '; 10])).await.unwrap_err();
        let expected = "config_s3_uri is `s3://lake/a.json`: is larger than 9 bytes, the maximum size of an input";
        assert_eq!(error.to_string(), expected);
        assert!(object.within_limit(ByteStream::from(vec![b' '; 9])).await.is_ok());
    }
}
