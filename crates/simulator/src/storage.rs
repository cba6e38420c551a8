//! The job's files in S3.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;

/// S3 wants parts of at least 5 MiB; memory holds one part of each file being written.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// A bucket and a key (or the beginning of keys).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

impl Location {
    /// Reads `s3://bucket/key`; the URI has been validated before.
    pub(crate) fn read(uri: &str) -> Self {
        let path = uri.strip_prefix("s3://").unwrap_or(uri);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        Self { bucket: bucket.to_owned(), key: key.to_owned() }
    }

    /// The folder of this name, which holds its own keys only and not those of a sibling with a longer name.
    pub(crate) fn folder(&self) -> String {
        match self.key.trim_end_matches('/') {
            "" => String::new(),
            key => format!("{key}/"),
        }
    }
}

/// One input file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputFile {
    pub(crate) key: String,
    pub(crate) bytes: u64,
}

impl InputFile {
    pub(crate) fn base_name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or(&self.key)
    }
}

/// Reads and writes in S3. Errors are sentences for the job's failure message.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    client: Client,
}

impl Storage {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Every object at the location: the one with exactly this key, or all in the folder of this name.
    pub(crate) async fn list(&self, at: &Location) -> Result<Vec<InputFile>, String> {
        let (folder, mut files) = (at.folder(), Vec::new());
        let mut pages = self.client.list_objects_v2().bucket(&at.bucket).prefix(&at.key).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| unreachable("list", &at.bucket, &at.key, &error))?;
            for object in page.contents() {
                let (Some(key), bytes) = (object.key(), object.size().unwrap_or_default()) else { continue };
                if key == at.key || key.starts_with(&folder) {
                    files.push(InputFile { key: key.to_owned(), bytes: u64::try_from(bytes).unwrap_or_default() });
                }
            }
        }
        Ok(files)
    }

    pub(crate) async fn read(&self, bucket: &str, key: &str) -> Result<Bytes, String> {
        let object = self
            .client
            .get_object()
            .bucket(bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| unreachable("read", bucket, key, &error))?;
        let body = object.body.collect().await.map_err(|error| {
            tracing::warn!(bucket, key, %error, "read_aborted");
            format!("Unable to read s3://{bucket}/{key}.")
        })?;
        Ok(body.into_bytes())
    }

    /// A new object, written piece by piece.
    pub(crate) fn writer(&self, bucket: &str, key: String) -> Writer {
        Writer {
            client: self.client.clone(),
            bucket: bucket.to_owned(),
            key,
            buffer: Vec::new(),
            upload: None,
            parts: Vec::new(),
        }
    }
}

/// Writes one object: in one piece when it is small, else in parts.
pub(crate) struct Writer {
    client: Client,
    bucket: String,
    key: String,
    buffer: Vec<u8>,
    upload: Option<String>,
    parts: Vec<CompletedPart>,
}

impl Writer {
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PART_BYTES { self.send_part().await } else { Ok(()) }
    }

    pub(crate) async fn finish(mut self) -> Result<(), String> {
        if self.upload.is_none() {
            let put = self.client.put_object().bucket(&self.bucket).key(&self.key).body(self.buffer.into());
            return put.send().await.map(drop).map_err(|error| unreachable("write", &self.bucket, &self.key, &error));
        }
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(std::mem::take(&mut self.parts))).build();
        let complete = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .set_upload_id(self.upload.clone())
            .multipart_upload(parts);
        complete.send().await.map(drop).map_err(|error| unreachable("write", &self.bucket, &self.key, &error))
    }

    async fn send_part(&mut self) -> Result<(), String> {
        let failed = |error: &dyn Failure| unreachable("write", &self.bucket, &self.key, error);
        let upload = if let Some(upload) = &self.upload {
            upload.clone()
        } else {
            let create = self.client.create_multipart_upload().bucket(&self.bucket).key(&self.key).send().await;
            create.map_err(|error| failed(&error))?.upload_id.unwrap_or_default()
        };
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let part = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(&upload)
            .part_number(number)
            .body(std::mem::take(&mut self.buffer).into())
            .send()
            .await
            .map_err(|error| failed(&error))?;
        self.upload = Some(upload);
        self.parts.push(CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).build());
        Ok(())
    }
}

/// The common part of the errors of all S3 operations.
trait Failure: std::error::Error {
    fn aws_code(&self) -> Option<&str>;
}

impl<E, R> Failure for aws_sdk_s3::error::SdkError<E, R>
where
    Self: std::error::Error + ProvideErrorMetadata,
{
    fn aws_code(&self) -> Option<&str> {
        self.code()
    }
}

/// The wording is ours: AWS documents no messages for this.
fn unreachable(verb: &str, bucket: &str, key: &str, error: &dyn Failure) -> String {
    tracing::warn!(bucket, key, verb, error = %DisplayErrorContext(error), "s3_request_failed");
    match error.aws_code() {
        Some("NoSuchBucket") => format!("The S3 bucket {bucket} does not exist."),
        Some("NoSuchKey") => format!("The S3 object s3://{bucket}/{key} does not exist."),
        Some(code) => format!(
            "Unable to {verb} s3://{bucket}/{key} ({code}). Check that the service role has access to the location."
        ),
        None => format!("Unable to {verb} s3://{bucket}/{key}. Check that the location can be reached."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_ends_in_a_slash() {
        let folder = |uri: &str| Location::read(uri).folder();
        assert_eq!(folder("s3://bucket/a/b"), "a/b/");
        assert_eq!(folder("s3://bucket/a/b/"), "a/b/");
        assert_eq!(folder("s3://bucket"), "");
        assert_eq!(folder("s3://bucket/"), "");
    }

    #[test]
    fn a_base_name_is_what_follows_the_last_slash() {
        assert_eq!(InputFile { key: "a/b/0001.jsonl".into(), bytes: 1 }.base_name(), "0001.jsonl");
    }
}
