//! Prefixes that are partitions of a table whose log is not below them.

use super::InputReader;
use crate::error::EngineError;
use crate::objects::Pages;
use bedrock_batch_domain::lake_table::{LOGS, folder_of_partition};
use bedrock_batch_domain::s3_uri::S3Uri;

impl InputReader {
    /// Checks that a prefix is not a partition of a table that keeps files which it no longer contains. Places that the stack may
    /// not read are not looked at.
    pub(super) async fn check_partition(&self, prefix: &S3Uri) -> Result<(), EngineError> {
        let Some(folder) = folder_of_partition(&prefix.key) else { return Ok(()) };
        for (format, log) in LOGS {
            let log = S3Uri::new(&prefix.bucket, format!("{folder}{log}/"));
            if self.readable().problem("s3_uri", &log).is_some() {
                continue;
            }
            let found = Pages::new(self.bucket.client(), &log).next().await?;
            if found.is_some_and(|objects| !objects.is_empty()) {
                let table = S3Uri::new(&prefix.bucket, folder);
                return Err(format.problem("s3_uri", table).into());
            }
        }
        Ok(())
    }
}
