//! Sequential reader of an object, as `std::io::Read`.

use super::ObjectMeta;
use crate::error::EngineError;
use aws_sdk_s3::Client;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::problem::Problem;
use bytes::{Buf, Bytes};
use std::io::{self, Read};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Number of pieces that are buffered between the network and the reader: a few hundred KiB.
const PIECES_AHEAD: usize = 16;
/// Maximum number of consecutive retries after a broken connection that make no progress.
const MAX_BREAKS: u32 = 5;

/// Piece of an object in transit.
type Piece = io::Result<Bytes>;

/// Sequential reader of an object. To be used on a blocking thread.
#[derive(Debug)]
pub struct StreamReader {
    pieces: mpsc::Receiver<Piece>,
    current: Bytes,
}

impl StreamReader {
    /// Starts reading. After a broken connection, reading continues at the same position; an object that changed meanwhile is
    /// an error.
    pub fn new(runtime: &Handle, client: &Client, object: &ObjectMeta) -> Self {
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        runtime.spawn(fetch(client.clone(), object.clone(), sender));
        Self { pieces, current: Bytes::new() }
    }
}

impl Read for StreamReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.current = piece?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

async fn fetch(client: Client, object: ObjectMeta, sender: mpsc::Sender<Piece>) {
    let mut at = 0;
    let mut breaks = 0;
    while at < object.bytes {
        let before = at;
        let failure = match fetch_from(&client, &object, &mut at, &sender).await {
            Ok(()) => continue,
            Err(failure) => failure,
        };
        breaks = if at > before { 0 } else { breaks + 1 };
        if !failure.is_transient() || breaks > MAX_BREAKS {
            // If the reader has been dropped, the error is not needed.
            let _ = sender.send(Err(failure.into())).await;
            return;
        }
    }
}

/// Sends the object's bytes from `at` on, and advances `at`.
async fn fetch_from(
    client: &Client,
    object: &ObjectMeta,
    at: &mut u64,
    sender: &mpsc::Sender<Piece>,
) -> Result<(), EngineError> {
    let uri = &object.uri;
    let mut get = client.get_object().bucket(&uri.bucket).key(&uri.key).if_match(&object.etag);
    if *at > 0 {
        get = get.range(format!("bytes={at}-"));
    }
    let answer = get.send().await.map_err(|error| changed_or_failed(object, &error))?;
    let mut body = answer.body;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| EngineError::transient(format!("reading {uri} broke")).caused_by(error))?;
        *at += piece.len() as u64;
        if sender.send(Ok(piece)).await.is_err() {
            // The reader needs no more bytes.
            *at = object.bytes;
            return Ok(());
        }
    }
    Ok(())
}

/// Classifies a failed read; status 412 means that the object has changed since it was listed, 404 that it was deleted.
pub(super) fn changed_or_failed(
    object: &ObjectMeta,
    error: &aws_sdk_s3::error::SdkError<aws_sdk_s3::operation::get_object::GetObjectError>,
) -> EngineError {
    if Layout::is_internal(&object.uri.key) {
        // An intermediate file that a repeated step has rewritten meanwhile, which is transient.
        return EngineError::from_aws(format!("cannot read {}", object.uri), error);
    }
    let problem = |rule: &str| Problem::new("s3_uri", &object.uri, rule);
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(412) => {
            problem("changed while it was read").remedy("start again when it is no longer being written").into()
        }
        Some(404) => problem("was deleted while it was read")
            .remedy("upload it again, and keep it until the run has ended")
            .into(),
        Some(403) => problem(&format!("exists, but cannot be read ({})", error.code().unwrap_or("403")))
            .remedy("let the stack's functions use the bucket and its encryption key; restore archived objects")
            .into(),
        _ => EngineError::from_aws(format!("cannot read {}", object.uri), error),
    }
}
