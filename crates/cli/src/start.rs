//! `bedrock-batch start`.

use crate::failure::Failure;
use crate::follow::follow;
use crate::say::say;
use crate::stack::Stack;
use aws_smithy_types::DateTime;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::date_time::Format;
use bedrock_batch_domain::layout::clean_prefix;
use bedrock_batch_engine::EngineError;
use clap::Args;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The execution input, as JSON; `s3_uri` may be a local file or folder
    file: PathBuf,
    /// Wait for the end, drawing progress; exit with 1 if the run fails
    #[arg(long)]
    wait: bool,
    /// The run's name [default: the prefix and the time]
    #[arg(long)]
    name: Option<String>,
}

pub(crate) async fn run(stack: &Stack, arguments: &Arguments) -> Result<(), Failure> {
    let shown = arguments.file.display();
    let text = std::fs::read_to_string(&arguments.file).map_err(|e| Failure::Usage(format!("{shown}: {e}")))?;
    let mut input: Value =
        serde_json::from_str(&text).map_err(|e| Failure::Usage(format!("{shown} is no JSON: {e}")))?;
    upload_local_input(stack, &arguments.file, &mut input).await?;
    let name = arguments.name.clone().unwrap_or_else(|| default_name(&input));
    let arn = stack.start_execution(&name, &input).await?;
    eprintln!("run {name} started");
    say!("{name}");
    if !arguments.wait {
        eprintln!("watch it with `bedrock-batch status {name}`");
        return Ok(());
    }
    follow(stack, &name, &arn).await
}

/// A name that tells runs apart: `tickets-2026-11-20T13-05-07-3f9a`. The last part is for starts within a second.
fn default_name(input: &Value) -> String {
    let prefix = input.get("job_name_prefix").and_then(Value::as_str).and_then(clean_prefix);
    let now = DateTime::from(SystemTime::now());
    let time = DateTime::from_secs(now.secs()).fmt(Format::DateTime).unwrap_or_default().replace(':', "-");
    let apart = Sha256::digest(format!("{} {}", now.subsec_nanos(), std::process::id()));
    format!("{}-{}-{}", prefix.as_deref().unwrap_or("run"), time.trim_end_matches('Z'), &hex::encode(apart)[..4])
}

/// Puts a local `s3_uri` (relative to the JSON file) under `inputs/` and its S3 address in its place.
async fn upload_local_input(stack: &Stack, file: &Path, input: &mut Value) -> Result<(), Failure> {
    let Some(named) = input.get("s3_uri").and_then(Value::as_str).filter(|uri| !uri.starts_with("s3://")) else {
        return Ok(());
    };
    let path = file.parent().unwrap_or(Path::new(".")).join(named);
    let cannot = |error: std::io::Error| Failure::Usage(format!("s3_uri is `{named}`: {}: {error}", path.display()));
    let meta = std::fs::metadata(&path).map_err(cannot)?;
    let uploaded = if meta.is_dir() {
        let mut folder = None;
        let mut files: Vec<PathBuf> = std::fs::read_dir(&path)
            .map_err(cannot)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(cannot)?;
        files.retain(|file| file.is_file());
        files.sort();
        let digest = digest_of(&files).map_err(cannot)?;
        for file in &files {
            folder = Some(upload(stack, file, &digest).await?);
        }
        let first = folder.ok_or_else(|| Failure::Usage(format!("s3_uri is `{named}`: the folder holds no files")))?;
        first.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or(first)
    } else {
        let digest = digest_of(std::slice::from_ref(&path)).map_err(cannot)?;
        upload(stack, &path, &digest).await?
    };
    input["s3_uri"] = Value::String(uploaded);
    Ok(())
}

/// Uploads a file to `inputs/<digest>/<name>`; what is there already is not sent again.
async fn upload(stack: &Stack, file: &Path, digest: &str) -> Result<String, Failure> {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or("rows");
    let key = format!("inputs/{digest}/{name}");
    let uri = bedrock_batch_domain::s3_uri::S3Uri::new(&stack.bucket, &key);
    if bedrock_batch_engine::objects::head(&stack.s3, &uri).await?.is_none() {
        eprintln!("uploading {} to {uri}", file.display());
        let body = ByteStream::from_path(file).await;
        let body = body.map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
        let put = stack.s3.put_object().bucket(&stack.bucket).key(&key).body(body).send().await;
        put.map_err(|error| EngineError::from_aws(format!("cannot write {uri}"), &error))?;
    }
    Ok(uri.to_string())
}

/// A short digest of the files' names and contents.
fn digest_of(files: &[PathBuf]) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    for file in files {
        hash.update(file.file_name().unwrap_or_default().as_encoded_bytes());
        hash.update([0]);
        let mut input = std::fs::File::open(file)?;
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
