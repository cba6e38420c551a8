//! Writer of objects: small ones in one request, large ones in parts, several at the same time, with limited memory.

use super::{ClosableWrite, ObjectSink, slow};
use crate::error::EngineError;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use std::fmt;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

/// Size of a part. S3 requires at least 5 MiB and allows 10,000 parts, which is 78 GiB per object.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Maximum number of parts (or whole small objects) that are uploaded at the same time.
const PARTS_IN_FLIGHT: usize = 8;

/// Check that is made at the moment of completion of each object.
#[derive(Clone)]
struct CompletionCheck(Arc<dyn Fn() -> CheckFuture + Send + Sync>);

type CheckFuture = Pin<Box<dyn Future<Output = Result<(), EngineError>> + Send>>;

impl fmt::Debug for CompletionCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompletionCheck")
    }
}

/// Uploads of one use case. Objects are complete only after [`Uploads::finish`].
#[derive(Debug, Clone)]
pub struct Uploads {
    runtime: Handle,
    client: Client,
    bucket: String,
    check: Option<CompletionCheck>,
    room: Arc<Semaphore>,
    tasks: Arc<Mutex<JoinSet<Result<(), EngineError>>>>,
}

impl Uploads {
    /// Creates a set of uploads to `bucket`.
    pub fn new(runtime: &Handle, client: &Client, bucket: &str) -> Self {
        Self {
            runtime: runtime.clone(),
            client: client.clone(),
            bucket: bucket.to_owned(),
            check: None,
            room: Arc::new(Semaphore::new(PARTS_IN_FLIGHT)),
            tasks: Arc::default(),
        }
    }

    /// Makes a check immediately before each object is completed. If it fails, the object is not created, and the upload
    /// fails with the error of the check: an upload may take minutes, in which the reason to write may cease.
    #[must_use]
    pub fn checked<F>(mut self, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), EngineError>> + Send + 'static,
    {
        self.check = Some(CompletionCheck(Arc::new(move || Box::pin(check()))));
        self
    }

    fn target(&self, key: &str) -> Target {
        let (client, bucket, check) = (self.client.clone(), self.bucket.clone(), self.check.clone());
        Target { client, bucket, key: key.to_owned(), check }
    }

    /// Waits until all closed objects are stored.
    ///
    /// # Errors
    /// Returns the first error of an upload.
    pub async fn finish(self) -> Result<(), EngineError> {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while let Some(done) = tasks.join_next().await {
            outcome(done)?;
        }
        Ok(())
    }

    fn spawn(&self, task: impl Future<Output = Result<(), EngineError>> + Send + 'static) -> io::Result<()> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // An error is reported with the next object, not after all of them.
        while let Some(done) = tasks.try_join_next() {
            outcome(done)?;
        }
        tasks.spawn_on(task, &self.runtime);
        Ok(())
    }

    /// Waits until there is room for another part.
    fn room(&self) -> io::Result<OwnedSemaphorePermit> {
        self.runtime.block_on(Arc::clone(&self.room).acquire_owned()).map_err(io::Error::other)
    }
}

fn outcome(done: Result<Result<(), EngineError>, tokio::task::JoinError>) -> Result<(), EngineError> {
    done.unwrap_or_else(|error| Err(EngineError::died("an upload", error)))
}

impl ObjectSink for Uploads {
    type Writer = ObjectWriter;

    fn create(&self, key: &str) -> io::Result<ObjectWriter> {
        Ok(ObjectWriter { uploads: self.clone(), key: key.to_owned(), buffer: Vec::new(), parts: None })
    }
}

/// Object being written. To be used on a blocking thread. If it is dropped without [`ClosableWrite::close`], the object is
/// never created.
#[derive(Debug)]
pub struct ObjectWriter {
    uploads: Uploads,
    key: String,
    buffer: Vec<u8>,
    parts: Option<mpsc::Sender<Part>>,
}

#[derive(Debug)]
enum Part {
    Bytes(Bytes, OwnedSemaphorePermit),
    End,
}

impl ObjectWriter {
    fn send_part(&mut self) -> io::Result<()> {
        let room = self.uploads.room()?;
        let bytes = Bytes::from(std::mem::take(&mut self.buffer));
        if self.parts.is_none() {
            let (sender, receiver) = mpsc::channel(1);
            self.uploads.spawn(upload_parts(self.uploads.target(&self.key), receiver))?;
            self.parts = Some(sender);
        }
        self.hand_over(Part::Bytes(bytes, room))
    }

    fn hand_over(&self, part: Part) -> io::Result<()> {
        let Some(parts) = &self.parts else { return Ok(()) };
        if parts.blocking_send(part).is_ok() {
            return Ok(());
        }
        // The upload has ended early, with an error of its own.
        let mut tasks = self.uploads.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(done) = self.uploads.runtime.block_on(tasks.join_next()) {
            outcome(done)?;
        }
        Err(EngineError::internal(format!("the upload of {} ended early, without an error", self.key)).into())
    }
}

impl Write for ObjectWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(PART_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..length]);
        if self.buffer.len() >= PART_BYTES {
            self.send_part()?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ClosableWrite for ObjectWriter {
    fn close(mut self) -> io::Result<()> {
        if self.parts.is_some() {
            if !self.buffer.is_empty() {
                self.send_part()?;
            }
            return self.hand_over(Part::End);
        }
        let room = self.uploads.room()?;
        let body = std::mem::take(&mut self.buffer);
        let target = self.uploads.target(&self.key);
        self.uploads.spawn(async move {
            target.check().await?;
            let Target { client, bucket, key, .. } = target;
            let put = client.put_object().bucket(&bucket).key(&key).body(body.into()).send().await;
            drop(room);
            put.map_err(|error| EngineError::from_aws(format!("cannot write s3://{bucket}/{key}"), &error))?;
            Ok(())
        })
    }
}

/// Object to be created.
#[derive(Debug)]
struct Target {
    client: Client,
    bucket: String,
    key: String,
    check: Option<CompletionCheck>,
}

impl Target {
    /// Makes the check before completion.
    async fn check(&self) -> Result<(), EngineError> {
        match &self.check {
            Some(CompletionCheck(check)) => check().await,
            None => Ok(()),
        }
    }
}

async fn upload_parts(target: Target, mut parts: mpsc::Receiver<Part>) -> Result<(), EngineError> {
    let Target { client, bucket, key, .. } = &target;
    let what = || format!("cannot write s3://{bucket}/{key}");
    let begun = client.create_multipart_upload().bucket(bucket).key(key).send().await;
    let begun = begun.map_err(|error| EngineError::from_aws(what(), &error))?;
    let Some(upload_id) = begun.upload_id() else {
        return Err(EngineError::transient(format!("{}: S3 started an upload without an id", what())));
    };
    let mut completed = Vec::new();
    let stored = loop {
        match parts.recv().await {
            Some(Part::Bytes(bytes, room)) => {
                let number = completed.len() + 1;
                let Ok(number) = i32::try_from(number) else {
                    break Err(EngineError::internal(format!("{}: part {number} is one too many", what())));
                };
                let upload = client.upload_part().bucket(bucket).key(key).upload_id(upload_id);
                let part = upload.part_number(number).body(bytes.into()).send().await;
                drop(room);
                match part {
                    Ok(part) => completed.push(
                        CompletedPart::builder().part_number(number).set_e_tag(part.e_tag().map(str::to_owned)).build(),
                    ),
                    Err(error) => break Err(EngineError::from_aws(what(), &error)),
                }
            }
            Some(Part::End) => {
                if let Err(error) = target.check().await {
                    break Err(error);
                }
                let all = CompletedMultipartUpload::builder().set_parts(Some(completed)).build();
                let complete = client.complete_multipart_upload().bucket(bucket).key(key).upload_id(upload_id);
                let complete = complete.multipart_upload(all).customize().config_override(slow());
                let done = complete.send().await;
                break done.map(|_| ()).map_err(|error| EngineError::from_aws(what(), &error));
            }
            // The writer was dropped, so the upload is aborted.
            None => {
                break Err(EngineError::internal(format!("s3://{bucket}/{key} was dropped before it was complete")));
            }
        }
    };
    if stored.is_err() {
        let abort = client.abort_multipart_upload().bucket(bucket).key(key).upload_id(upload_id).send().await;
        // The bucket's lifecycle rule removes it later.
        if let Err(error) = abort {
            tracing::warn!(key, error = %error, "multipart_upload_not_aborted");
        }
    }
    stored
}
