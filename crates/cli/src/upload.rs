//! Upload of local inputs to `inputs/`, where the functions may read them.

use crate::failure::Failure;
use crate::local_files::{HashedFile, files_under, name_within};
use crate::stack::Stack;
use crate::terminal::errln;
use aws_smithy_types::byte_stream::ByteStream;
use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;
use bedrock_batch_aws::TimeLimits;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::objects::Bucket;
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fmt::Display;
use std::path::Path;
use tokio::task::JoinSet;

/// Maximum number of concurrent uploads.
const MAX_CONCURRENT_UPLOADS: usize = 16;

/// Number of characters of the digest in the key of an upload.
const DIGEST_CHARS: usize = 12;

/// Uploads a file or a folder with all its contents and returns the S3 address (that of a folder ends in `/`). Objects
/// that already exist are not uploaded again. `field` is the field that names the path, for error messages.
pub(crate) async fn upload(stack: &Stack, path: &Path, field: &str) -> Result<String, Failure> {
    let cannot = |error: std::io::Error| Failure::Usage(format!("{field}: {}: {error}", path.display()));
    let is_folder = std::fs::metadata(path).map_err(cannot)?.is_dir();
    let (root, files) = if is_folder {
        (path, files_under(path).map_err(cannot)?)
    } else {
        (path.parent().unwrap_or(Path::new("")), vec![path.to_owned()])
    };
    if files.is_empty() {
        return Err(Failure::Usage(format!("{field}: {}: the folder contains no files", path.display())));
    }
    let mut digest = Sha256::new();
    let hashed =
        files.into_iter().map(|file| HashedFile::read(name_within(root, &file)?, file, !is_folder, &mut digest));
    let files = hashed.collect::<Result<Vec<_>, _>>().map_err(cannot)?;
    let folder = format!("inputs/{}/", &hex::encode(digest.finalize())[..DIGEST_CHARS]);
    let key = match files.first() {
        Some(file) if !is_folder => format!("{folder}{}", file.name),
        _ => folder.clone(),
    };
    put_all(stack, path, &folder, files).await?;
    Ok(stack.bucket.uri(key).to_string())
}

/// Stores a text under `inputs/` and returns its S3 address.
pub(crate) async fn upload_text(stack: &Stack, name: &str, text: String) -> Result<String, Failure> {
    let sha256 = Sha256::digest(&text).into();
    let key = format!("inputs/{}/{name}", &hex::encode(sha256)[..DIGEST_CHARS]);
    put(&stack.bucket, &key, text.into_bytes().into(), sha256).await?;
    Ok(stack.bucket.uri(key).to_string())
}

async fn put_all(stack: &Stack, path: &Path, folder: &str, files: Vec<HashedFile>) -> Result<(), Failure> {
    let prefix = stack.bucket.uri(folder);
    let existing: HashSet<String> = stack.bucket.list(folder).await?.into_iter().map(|found| found.uri.key).collect();
    let missing: Vec<_> = files
        .into_iter()
        .map(|file| (format!("{folder}{}", file.name), file))
        .filter(|(key, _)| !existing.contains(key))
        .collect();
    match missing.as_slice() {
        [] => return Ok(()),
        [_] => errln!("uploading {} to {prefix}", path.display()),
        several => errln!("uploading {} files from {} to {prefix}", several.len(), path.display()),
    }
    let bar = if missing.len() > MAX_CONCURRENT_UPLOADS {
        ProgressBar::new(missing.len() as u64)
    } else {
        ProgressBar::hidden()
    };
    let mut uploads = JoinSet::new();
    for (key, file) in missing {
        while uploads.len() >= MAX_CONCURRENT_UPLOADS {
            next(&mut uploads, &bar).await?;
        }
        let bucket = stack.bucket.clone();
        uploads.spawn(async move {
            let cannot = |error: &dyn Display| Failure::Usage(format!("{}: {error}", file.path.display()));
            file.ensure_unchanged().map_err(|error| cannot(&error))?;
            let body = ByteStream::from_path(&file.path).await.map_err(|error| cannot(&error))?;
            let put = put(&bucket, &key, body, file.sha256).await;
            // Before the result of the upload: that a file was changed explains why S3 refuses it.
            file.ensure_unchanged().map_err(|error| cannot(&error))?;
            put
        });
    }
    while !uploads.is_empty() {
        next(&mut uploads, &bar).await?;
    }
    bar.finish_and_clear();
    Ok(())
}

async fn next(uploads: &mut JoinSet<Result<(), Failure>>, bar: &ProgressBar) -> Result<(), Failure> {
    match uploads.join_next().await {
        Some(Ok(done)) => done?,
        Some(Err(error)) => return Err(Failure::Failed(format!("an upload task ended unexpectedly: {error}"))),
        None => {}
    }
    bar.inc(1);
    Ok(())
}

/// Stores an object. S3 refuses a content with another SHA-256: the key promises this one.
async fn put(bucket: &Bucket, key: &str, body: ByteStream, sha256: [u8; 32]) -> Result<(), Failure> {
    // A whole file is sent at once, over any line.
    let limits = TimeLimits::of_upload(body.size_hint().0);
    let put = bucket.client().put_object().bucket(bucket.name()).key(key).body(body);
    let put = put.checksum_sha256(STANDARD.encode(sha256)).customize();
    let put = put.config_override(aws_sdk_s3::Config::builder().timeout_config(limits.into())).send().await;
    put.map_err(|error| EngineError::from_aws(format!("cannot write {}", bucket.uri(key)), &error))?;
    Ok(())
}
