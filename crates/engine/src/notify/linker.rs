//! Links to the files of a run, either to the download function or presigned.

use super::Notifier;
use crate::error::EngineError;
use crate::objects::{Bucket, ClosableWrite, ObjectSink};
use crate::time;
use bedrock_batch_domain::email::{FileLink, FileLinks, LinksEnd};
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::links::{LinkKeyRing, LinkTarget, download_url, file_name};
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_domain::summary::RunOutput;
use std::io::Write;
use std::time::Duration;
use tokio::runtime::Handle;

/// Maximum number of files that an email links individually.
const MAX_LINKS: u64 = 10;
const SECONDS_PER_DAY: u64 = 86_400;
/// Maximum validity of a presigned URL in AWS.
const MAX_PRESIGNED_DAYS: u32 = 7;
/// Maximum duration of the session of a Lambda function's role; URLs that it presigned expire with it.
const MAX_SESSION_SECONDS: u64 = 12 * 3600;

/// Creates the links of one email, which all expire at the same time.
#[derive(Debug, Clone)]
pub(super) struct Linker {
    bucket: Bucket,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Signed { url: String, keys: LinkKeyRing, expires: u64 },
    Presigned { now: u64, requested_days: u32 },
}

impl Linker {
    /// Creates a linker for links that are valid for `days`, as far as that is possible.
    pub(super) async fn new(notifier: &Notifier, days: u32) -> Result<Self, EngineError> {
        let now = time::now();
        let kind = match &notifier.download {
            Some(download) => Kind::Signed {
                url: download.url.clone(),
                // Links in an email must not be signed with a key that has been removed.
                keys: download.keys.keys(Duration::ZERO).await?,
                expires: now + u64::from(days) * SECONDS_PER_DAY,
            },
            None => Kind::Presigned { now, requested_days: days },
        };
        Ok(Self { bucket: notifier.bucket.clone(), kind })
    }

    /// Returns the end of the links' validity.
    pub(super) fn end(&self) -> LinksEnd {
        match &self.kind {
            Kind::Signed { expires, .. } => LinksEnd::At(time::minute(*expires)),
            Kind::Presigned { now, requested_days } => LinksEnd::WithTheSession {
                latest: time::minute(now + (u64::from(*requested_days) * SECONDS_PER_DAY).min(MAX_SESSION_SECONDS)),
                requested_days: *requested_days,
            },
        }
    }

    /// Returns links to the files of `output`. If there are too many, they are listed in a file next to the totals of
    /// `run_id`: the run itself, or the pipeline run whose last stage it is.
    pub(super) async fn files(&self, run_id: &RunId, output: &RunOutput) -> Result<FileLinks, EngineError> {
        let keys = self.keys(output).await?;
        if keys.len() as u64 <= MAX_LINKS {
            let mut links = Vec::with_capacity(keys.len());
            for key in &keys {
                links.push(self.link(key).await?);
            }
            return Ok(FileLinks::Each(links));
        }
        let files = keys.len() as u64;
        self.write_list(run_id, keys).await?;
        let (summary, list) = (Layout::summary_key(run_id), Layout::links_key(run_id));
        Ok(FileLinks::Listed { files, summary: self.link(&summary).await?, list: self.link(&list).await? })
    }

    /// Returns the keys of all files; the list in the output may be truncated.
    async fn keys(&self, output: &RunOutput) -> Result<Vec<String>, EngineError> {
        let key_of = |uri: &String| match S3Uri::parse(uri) {
            Ok(uri) => Ok(uri.key),
            Err(rule) => Err(EngineError::corrupt(format!(
                "the summary of run {} names the file `{uri}`: {rule}",
                output.run_id
            ))),
        };
        if output.output_paths.len() as u64 == output.output_path_count {
            return output.output_paths.iter().map(key_of).collect();
        }
        let prefix = key_of(&output.output_prefix)?;
        let found = self.bucket.list(&prefix).await?;
        Ok(found.into_iter().map(|object| object.uri.key).collect())
    }

    async fn link(&self, key: &str) -> Result<FileLink, EngineError> {
        let url = match &self.kind {
            Kind::Signed { url, keys, expires } => {
                let token = keys.sign(&LinkTarget { key: key.to_owned(), expires: *expires });
                let token = token.ok_or_else(|| {
                    EngineError::internal(format!("cannot link to {key}: links lead to output files only"))
                })?;
                download_url(url, key, &token)
            }
            Kind::Presigned { requested_days, .. } => {
                let days = u64::from((*requested_days).min(MAX_PRESIGNED_DAYS));
                self.bucket.presign(key, Duration::from_secs(days * SECONDS_PER_DAY)).await?
            }
        };
        Ok(FileLink { name: file_name(key).to_owned(), url })
    }

    /// Writes the list of all links, one per line.
    async fn write_list(&self, run_id: &RunId, keys: Vec<String>) -> Result<(), EngineError> {
        let runtime = Handle::current();
        let uploads = self.bucket.uploads(&runtime);
        let (sink, linker, key) = (uploads.clone(), self.clone(), Layout::links_key(run_id));
        let written = tokio::task::spawn_blocking(move || -> Result<(), EngineError> {
            let mut lines = sink.create(&key)?;
            for key in &keys {
                writeln!(lines, "{}", runtime.block_on(linker.link(key))?.url)?;
            }
            Ok(lines.close()?)
        });
        written.await.map_err(|error| EngineError::died("the thread that writes the links", error))??;
        uploads.finish().await
    }
}
