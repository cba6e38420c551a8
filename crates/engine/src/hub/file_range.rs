//! Random access to a file of a dataset.

use super::response::{AttemptError, HubResponse, next_piece};
use super::session::Session;
use super::storage_addresses::StorageAddresses;
use crate::error::EngineError;
use crate::objects::RangeSource;
use bedrock_batch_domain::hub::{DatasetSource, Subject};
use bedrock_batch_domain::problem::shortened;
use bytes::{Bytes, BytesMut};
use hyper::Uri;
use hyper::header::CONTENT_RANGE;
use std::ops::Range;
use std::sync::Arc;

/// Maximum size of a file that is read whole if a server sends no ranges of it: the Hub keeps small files in Git.
const MAX_WHOLE_BYTES: u64 = 4 << 20;

/// File whose bytes can be fetched from any position.
#[derive(Debug)]
pub struct FileRange {
    pub(super) session: Arc<Session>,
    pub(super) source: Arc<DatasetSource>,
    pub(super) name: String,
    pub(super) bytes: u64,
    /// Address at the Hub.
    pub(super) url: Uri,
    pub(super) path: String,
    pub(super) storages: StorageAddresses,
}

impl RangeSource for FileRange {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    async fn fetch(&self, range: Range<u64>) -> Result<Bytes, EngineError> {
        let wanted = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
        let mut fetched = BytesMut::with_capacity(wanted);
        let what = format!("reading {}", self.name);
        let mut retries = self.session.retries();
        while fetched.len() < wanted {
            let before = fetched.len();
            let rest = range.start + before as u64..range.end;
            // Of an attempt that takes too long, the bytes that arrived are kept.
            let appended = self.session.attempt(&what, self.append(&what, rest, &mut fetched)).await;
            if let Err(failure) = appended {
                if fetched.len() > before {
                    retries.progressed();
                }
                retries.after(failure).await?;
            }
        }
        Ok(fetched.freeze())
    }
}

impl FileRange {
    /// Appends the bytes of `range`, or as many of them as arrive.
    async fn append(&self, what: &str, range: Range<u64>, fetched: &mut BytesMut) -> Result<(), AttemptError> {
        let storage = self.storages.of(&self.path);
        let response = match self.session.get(what, storage.as_ref().unwrap_or(&self.url), Some(&range)).await {
            Ok(response) if is_partial(&response) || self.is_whole(&response) => response,
            without_content => {
                // Addresses of storages expire: the next attempt begins at the Hub again.
                self.storages.set(&self.path, None);
                return Err(self.error_of(what, &without_content?));
            }
        };
        // Bytes before the range.
        let mut before = 0;
        if is_partial(&response) {
            self.check_range(what, &response, &range)?;
        } else {
            before = range.start;
        }
        self.storages.set(&self.path, (!response.is_of_hub).then(|| response.url.clone()));
        let mut body = response.response.into_body();
        let mut left = range.end - range.start;
        while left > 0 {
            let Some(piece) = next_piece(&mut body, what, self.session.policy).await? else {
                let context = format!("{what}: the response ended early");
                return Err(AttemptError::Transient { delay: None, error: EngineError::transient(context) });
            };
            let skipped = usize::try_from(before).unwrap_or(usize::MAX).min(piece.len());
            before -= skipped as u64;
            let piece = &piece[skipped..];
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            fetched.extend_from_slice(&piece[..length]);
            left -= length as u64;
        }
        Ok(())
    }

    fn is_whole(&self, response: &HubResponse) -> bool {
        response.response.status() == hyper::StatusCode::OK && self.bytes <= MAX_WHOLE_BYTES
    }

    fn error_of(&self, what: &str, response: &HubResponse) -> AttemptError {
        if response.response.status().is_success() {
            let rule = "the server does not support requests for a range of bytes";
            return AttemptError::Permanent(EngineError::internal(format!("{what}: {rule}")));
        }
        response.refused(what, &self.source, Subject::Content, self.session.has_token())
    }

    /// Checks that the response has the requested bytes of a file of the listed size.
    fn check_range(&self, what: &str, response: &HubResponse, range: &Range<u64>) -> Result<(), AttemptError> {
        let expected = format!("bytes {}-{}/{}", range.start, range.end - 1, self.bytes);
        match response.header(CONTENT_RANGE.as_str()) {
            Some(found) if found.trim() == expected => Ok(()),
            found => {
                let found = shortened(found.unwrap_or("no range"));
                let rule = format!("the server sent `{found}` instead of `{expected}`");
                Err(AttemptError::Permanent(EngineError::internal(format!("{what}: {rule}"))))
            }
        }
    }
}

fn is_partial(response: &HubResponse) -> bool {
    response.response.status() == hyper::StatusCode::PARTIAL_CONTENT
}
