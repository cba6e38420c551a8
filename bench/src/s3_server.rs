//! In-memory S3 server that is as fast as this machine allows; with MiniStack, mainly its Python would be measured. It
//! supports the requests that preprocess sends, without checking signatures, and stores bodies unchanged.

use crate::measure::Failure;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use clap::Args;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Number of keys per page of a listing.
const PAGE: usize = 1000;

/// Prints `{"port": …}` and serves until the process is ended.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Folder of the initial files
    #[arg(long)]
    files: PathBuf,
    /// Location of the initial files in S3: `bucket/prefix`
    #[arg(long)]
    under: String,
}

/// Stored objects and multipart uploads.
#[derive(Debug, Default)]
struct Objects {
    /// Pieces of complete objects, by `bucket/key`.
    complete: BTreeMap<String, Vec<Bytes>>,
    /// Parts by upload and part number.
    parts: BTreeMap<String, BTreeMap<u32, Bytes>>,
    uploads: u64,
}

type Shared = Arc<Mutex<Objects>>;

impl Serve {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut objects = Objects::default();
        load(&self.files, &self.under, &mut objects)?;
        let shared = Arc::new(Mutex::new(objects));
        Runtime::new()?.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            println!("{{\"port\":{}}}", listener.local_addr()?.port());
            std::io::stdout().flush()?;
            axum::serve(listener, Router::new().fallback(answer).with_state(shared)).await?;
            Ok(())
        })
    }
}

fn load(folder: &Path, under: &str, objects: &mut Objects) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let key = format!("{under}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            load(&entry.path(), &key, objects)?;
        } else {
            objects.complete.insert(key, vec![std::fs::read(entry.path())?.into()]);
        }
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Parameters {
    list_type: Option<u32>,
    prefix: Option<String>,
    continuation_token: Option<String>,
    uploads: Option<String>,
    #[serde(rename = "uploadId")]
    upload_id: Option<String>,
    #[serde(rename = "partNumber")]
    part_number: Option<u32>,
}

fn lock(shared: &Shared) -> MutexGuard<'_, Objects> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(shared): State<Shared>, Query(parameters): Query<Parameters>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let key = head.uri.path().trim_start_matches('/').to_owned();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return StatusCode::BAD_REQUEST.into_response() };
    let mut objects = lock(&shared);
    match (head.method, parameters) {
        (Method::GET, parameters @ Parameters { list_type: Some(_), .. }) => {
            list(&objects, key.trim_end_matches('/'), &parameters)
        }
        (Method::GET, _) => get(&objects, &key, &head.headers, false),
        (Method::HEAD, _) => get(&objects, &key, &head.headers, true),
        (Method::PUT, Parameters { upload_id: Some(upload), part_number: Some(number), .. }) => {
            objects.parts.entry(upload).or_default().insert(number, body);
            tag().into_response()
        }
        (Method::PUT, _) => {
            objects.complete.insert(key, vec![body]);
            tag().into_response()
        }
        (Method::POST, Parameters { uploads: Some(_), .. }) => {
            objects.uploads += 1;
            let id = objects.uploads;
            xml(format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"))
        }
        (Method::POST, Parameters { upload_id: Some(upload), .. }) => {
            let parts = objects.parts.remove(&upload).unwrap_or_default();
            objects.complete.insert(key, parts.into_values().collect());
            xml("<CompleteMultipartUploadResult><ETag>&quot;e&quot;</ETag></CompleteMultipartUploadResult>".to_owned())
        }
        (Method::DELETE, _) => StatusCode::NO_CONTENT.into_response(),
        _ => StatusCode::NOT_IMPLEMENTED.into_response(),
    }
}

fn tag() -> [(header::HeaderName, &'static str); 1] {
    [(header::ETAG, "\"e\"")]
}

fn xml(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/xml")], text).into_response()
}

fn get(objects: &Objects, key: &str, headers: &HeaderMap, head: bool) -> Response {
    let Some(pieces) = objects.complete.get(key) else {
        let text =
            "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>".to_owned();
        return (StatusCode::NOT_FOUND, xml(if head { String::new() } else { text })).into_response();
    };
    if headers.contains_key(header::RANGE) {
        return StatusCode::NOT_IMPLEMENTED.into_response();
    }
    let length: usize = pieces.iter().map(Bytes::len).sum();
    let body = match (head, pieces.as_slice()) {
        (true, _) => Body::empty(),
        (false, [only]) => Body::from(only.clone()),
        (false, several) => Body::from(several.concat()),
    };
    let headers = [(header::CONTENT_LENGTH, length.to_string()), (header::ETAG, "\"e\"".to_owned())];
    (headers, body).into_response()
}

fn list(objects: &Objects, bucket: &str, parameters: &Parameters) -> Response {
    let prefix = format!("{bucket}/{}", parameters.prefix.as_deref().unwrap_or_default());
    let from = parameters.continuation_token.clone().unwrap_or_else(|| prefix.clone());
    let mut found = objects.complete.range(from..).take_while(|(key, _)| key.starts_with(&prefix));
    let mut text = String::from("<ListBucketResult>");
    for (key, pieces) in found.by_ref().take(PAGE) {
        let key = &key[bucket.len() + 1..];
        let size: usize = pieces.iter().map(Bytes::len).sum();
        let _ = write!(
            text,
            "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>\
             <Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        );
    }
    let more = found.next();
    let _ = write!(text, "<IsTruncated>{}</IsTruncated>", more.is_some());
    if let Some((key, _)) = more {
        let _ = write!(text, "<NextContinuationToken>{key}</NextContinuationToken>");
    }
    text.push_str("</ListBucketResult>");
    xml(text)
}
