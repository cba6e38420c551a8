//! Reference data of a request: small objects, read whole.

use super::InputReader;
use crate::error::EngineError;
use crate::objects::read_small;
use bedrock_batch_domain::input::RunRequest;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::reference::{
    MAX_REFERENCE_BYTES, Reference, ReferenceSource, address_rule, total_size_problem,
};
use bedrock_batch_domain::s3_uri::S3Uri;

impl InputReader {
    /// Reads the references of a request. `frozen` are those that an earlier attempt of this start has read: a repetition
    /// writes the same bytes.
    ///
    /// Returns the references that can be used, and the problems of the others.
    ///
    /// # Errors
    /// Returns an error if S3 fails.
    pub async fn references(
        &self,
        request: &RunRequest,
        frozen: &[Reference],
    ) -> Result<(Vec<Reference>, Vec<Problem>), EngineError> {
        let (mut references, mut problems) = (Vec::new(), Vec::new());
        // An invalid address is reported already.
        for (name, uri) in request.references.iter().filter(|(_, uri)| address_rule(uri).is_none()) {
            if let Some(frozen) = frozen.iter().find(|frozen| frozen.name == *name && frozen.uri == *uri) {
                references.push(frozen.clone());
                continue;
            }
            match self.reference(name, uri).await {
                Ok(reference) => references.push(reference),
                Err(error) => problems.extend(error.into_problems()?.as_slice().iter().cloned()),
            }
        }
        problems.extend(total_size_problem(&references));
        Ok((references, problems))
    }

    async fn reference(&self, name: &str, named: &str) -> Result<Reference, EngineError> {
        let field = format!("reference.{name}");
        let uri = S3Uri::parse(named).map_err(|rule| Problem::new(&field, named, rule))?;
        let readable = self.readable_buckets();
        if !readable.contains(&uri.bucket.as_str()) {
            let rule = format!("the stack may read the buckets {} only", readable.join(", "));
            let remedy = "copy the object, or add the bucket to the context key `inputBuckets` and deploy";
            return Err(Problem::new(field, named, rule).remedy(remedy).into());
        }
        let object = read_small(self.bucket.client(), &field, &uri, MAX_REFERENCE_BYTES).await?;
        let source = ReferenceSource { name: name.to_owned(), uri: named.to_owned(), etag: object.etag };
        Ok(Reference::read(source, &object.bytes)?)
    }
}
