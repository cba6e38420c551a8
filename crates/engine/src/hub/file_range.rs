//! Random access to a file of a dataset.

use super::response::{AttemptError, HubResponse, next_piece};
use super::session::Session;
use crate::error::EngineError;
use crate::objects::RangeSource;
use bedrock_batch_domain::hub::{DatasetSource, Subject};
use bytes::{Bytes, BytesMut};
use hyper::Uri;
use hyper::header::CONTENT_RANGE;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

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
    /// Address to which the Hub redirects. It is used until it expires, because the Hub limits the rate of requests.
    pub(super) storage: Mutex<Option<Uri>>,
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
        let mut retries = self.session.retries();
        while fetched.len() < wanted {
            let before = fetched.len();
            let rest = range.start + before as u64..range.end;
            if let Err(failure) = self.append(rest, &mut fetched).await {
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
    async fn append(&self, range: Range<u64>, fetched: &mut BytesMut) -> Result<(), AttemptError> {
        let what = format!("reading {}", self.name);
        let storage = self.storage().clone();
        let answer = self.session.get(&what, storage.as_ref().unwrap_or(&self.url), Some(&range)).await;
        let answer = match answer {
            Ok(answer) if is_partial(&answer) || self.is_whole(&answer) => answer,
            refused => {
                // Addresses of storages expire: the next attempt begins at the Hub again.
                *self.storage() = None;
                return Err(self.error_of(&what, &refused?));
            }
        };
        // Bytes before the range.
        let mut before = 0;
        if is_partial(&answer) {
            self.check_range(&what, &answer, &range)?;
        } else {
            before = range.start;
        }
        *self.storage() = (!answer.is_of_hub).then(|| answer.url.clone());
        let mut body = answer.response.into_body();
        let mut left = range.end - range.start;
        while left > 0 {
            let Some(piece) = next_piece(&mut body, &what, self.session.policy).await? else {
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

    fn is_whole(&self, answer: &HubResponse) -> bool {
        answer.response.status() == hyper::StatusCode::OK && self.bytes <= MAX_WHOLE_BYTES
    }

    fn error_of(&self, what: &str, answer: &HubResponse) -> AttemptError {
        if answer.response.status().is_success() {
            let rule = "the server does not support requests for a range of bytes";
            return AttemptError::Permanent(EngineError::internal(format!("{what}: {rule}")));
        }
        answer.refused(what, &self.source, Subject::Content, self.session.has_token())
    }

    /// Checks that the response has the requested bytes of a file of the listed size.
    fn check_range(&self, what: &str, answer: &HubResponse, range: &Range<u64>) -> Result<(), AttemptError> {
        let expected = format!("bytes {}-{}/{}", range.start, range.end - 1, self.bytes);
        match answer.header(CONTENT_RANGE.as_str()) {
            Some(found) if found.trim() == expected => Ok(()),
            found => {
                let rule = format!("the server sent `{}` instead of `{expected}`", found.unwrap_or("no range"));
                Err(AttemptError::Permanent(EngineError::internal(format!("{what}: {rule}"))))
            }
        }
    }

    fn storage(&self) -> std::sync::MutexGuard<'_, Option<Uri>> {
        self.storage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_partial(answer: &HubResponse) -> bool {
    answer.response.status() == hyper::StatusCode::PARTIAL_CONTENT
}
