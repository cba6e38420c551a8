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
    /// Reads the references of a request. Returns the references that can be used, and the problems of the others.
    ///
    /// # Errors
    /// Returns an error if S3 fails.
    pub async fn references(&self, request: &RunRequest) -> Result<(Vec<Reference>, Vec<Problem>), EngineError> {
        let (mut references, mut problems) = (Vec::new(), Vec::new());
        // An invalid address is reported already.
        for (name, uri) in request.references.iter().filter(|(_, uri)| address_rule(uri).is_none()) {
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
        if let Some(problem) = self.readable().problem(&field, &uri) {
            return Err(problem.into());
        }
        let object = read_small(self.bucket.client(), &field, &uri, MAX_REFERENCE_BYTES).await?;
        let source = ReferenceSource { name: name.to_owned(), uri: named.to_owned(), etag: object.etag };
        Ok(Reference::read(source, &object.bytes)?)
    }
}
