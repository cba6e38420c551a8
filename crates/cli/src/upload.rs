//! Upload of local inputs to `inputs/`, where the functions may read them.

use crate::failure::Failure;
use crate::stack::Stack;
use aws_smithy_types::byte_stream::ByteStream;
use bedrock_batch_aws::TimeLimits;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::objects::Bucket;
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use tokio::task::JoinSet;

/// Maximum number of concurrent uploads.
const MAX_CONCURRENT_UPLOADS: usize = 16;

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
    let files: Vec<(String, PathBuf)> = files.into_iter().map(|file| (name_within(root, &file), file)).collect();
    let folder = format!("inputs/{}/", digest_of(&files).map_err(cannot)?);
    put_all(stack, path, &folder, files.clone()).await?;
    let key = match files.first() {
        Some((name, _)) if !is_folder => format!("{folder}{name}"),
        _ => folder,
    };
    Ok(stack.bucket.uri(key).to_string())
}

/// Stores a text under `inputs/` and returns its S3 address.
pub(crate) async fn upload_text(stack: &Stack, name: &str, text: String) -> Result<String, Failure> {
    let key = format!("inputs/{}/{name}", &hex::encode(Sha256::digest(&text))[..12]);
    put(&stack.bucket, &key, text.into_bytes().into()).await?;
    Ok(stack.bucket.uri(key).to_string())
}

/// Lists the files of a folder and its subfolders, in order. Hidden files (`.DS_Store`) are never meant as input.
pub(crate) fn files_under(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // Links to folders are not followed: they may form cycles.
        if entry.file_type()?.is_dir() {
            files.extend(files_under(&path)?);
        } else if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Returns `sub/folder/name.csv`, independent of the path separator of the system.
fn name_within(root: &Path, file: &Path) -> String {
    let parts = file.strip_prefix(root).unwrap_or(file).components();
    parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
}

/// Returns a short digest of the files' names and contents.
fn digest_of(files: &[(String, PathBuf)]) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    for (name, path) in files {
        hash.update(name);
        hash.update([0]);
        let mut input = std::fs::File::open(path)?;
        loop {
            let read = input.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
        }
    }
    Ok(hex::encode(hash.finalize())[..12].to_owned())
}

async fn put_all(stack: &Stack, path: &Path, folder: &str, files: Vec<(String, PathBuf)>) -> Result<(), Failure> {
    let prefix = stack.bucket.uri(folder);
    let existing: HashSet<String> = stack.bucket.list(folder).await?.into_iter().map(|found| found.uri.key).collect();
    let missing: Vec<_> = files
        .into_iter()
        .map(|(name, file)| (format!("{folder}{name}"), file))
        .filter(|(key, _)| !existing.contains(key))
        .collect();
    match missing.as_slice() {
        [] => return Ok(()),
        [_] => eprintln!("uploading {} to {prefix}", path.display()),
        several => eprintln!("uploading {} files from {} to {prefix}", several.len(), path.display()),
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
            let body = ByteStream::from_path(&file).await;
            let body = body.map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
            put(&bucket, &key, body).await
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

async fn put(bucket: &Bucket, key: &str, body: ByteStream) -> Result<(), Failure> {
    // A whole file is sent at once, over any line.
    let limits = TimeLimits::of_upload(body.size_hint().0);
    let put = bucket.client().put_object().bucket(bucket.name()).key(key).body(body).customize();
    let put = put.config_override(aws_sdk_s3::Config::builder().timeout_config(limits.into())).send().await;
    put.map_err(|error| EngineError::from_aws(format!("cannot write {}", bucket.uri(key)), &error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_includes_subfolders_but_no_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.png", "a/x.png", "a/deep/y.png", ".DS_Store", ".git/config"] {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, name).unwrap();
        }
        let files = files_under(folder.path()).unwrap();
        let names: Vec<String> = files.iter().map(|file| name_within(folder.path(), file)).collect();
        assert_eq!(names, ["a/deep/y.png", "a/x.png", "b.png"]);
    }

    #[test]
    fn the_digest_depends_on_names_and_contents() {
        let folder = tempfile::tempdir().unwrap();
        let digest = |name: &str, content: &str| {
            let file = folder.path().join("file");
            std::fs::write(&file, content).unwrap();
            digest_of(&[(name.to_owned(), file)]).unwrap()
        };
        assert_eq!(digest("a", "1"), digest("a", "1"));
        assert_ne!(digest("a", "1"), digest("b", "1"));
        assert_ne!(digest("a", "1"), digest("a", "2"));
    }
}
