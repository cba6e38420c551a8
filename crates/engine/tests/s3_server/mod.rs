//! S3 server in this process, as far as the tests of this crate need one: listings in pages of 1,000, objects, uploads in one
//! request and in parts, and faults.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PAGE: usize = 1_000;

#[derive(Debug, Default)]
pub(crate) struct World {
    /// Objects by bucket and key.
    pub(crate) objects: BTreeMap<(String, String), Vec<u8>>,
    /// Buckets that exist although they have no objects.
    pub(crate) buckets: Vec<String>,
    /// Errors in place of objects: status, code, and number of times.
    pub(crate) faults: BTreeMap<String, (u16, &'static str, u32)>,
    /// Paths of the requests for objects.
    pub(crate) requests: Vec<String>,
    pub(crate) in_flight: usize,
    pub(crate) most_in_flight: usize,
    pub(crate) pages: usize,
    /// Parts of incomplete uploads, by upload.
    pub(crate) parts: BTreeMap<String, BTreeMap<u32, Bytes>>,
    /// If true, requests for objects are not answered.
    pub(crate) is_held: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct S3Server(Arc<Mutex<World>>);

impl S3Server {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    pub(crate) fn put(&self, bucket: &str, key: &str, body: &[u8]) {
        self.world().objects.insert((bucket.to_owned(), key.to_owned()), body.to_vec());
    }

    /// Starts the server and returns its URL.
    pub(crate) async fn serve(&self) -> String {
        crate::test_stack::serve(Router::new().fallback(answer).with_state(self.clone())).await
    }
}

fn respond(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

async fn answer(State(bucket): State<S3Server>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(source) = headers.get("x-amz-copy-source").and_then(|source| source.to_str().ok()) {
        return copy(&bucket, source, uri.path());
    }
    if method != Method::GET && method != Method::HEAD {
        return change(&bucket, &method, &uri, headers.contains_key("if-none-match"), body);
    }
    if let Some(query) = uri.query().filter(|query| query.contains("list-type=2")) {
        return listing(&bucket, uri.path().trim_matches('/'), query);
    }
    let path = percent_decoded(uri.path().strip_prefix('/').unwrap_or_default());
    {
        let mut world = bucket.world();
        world.requests.push(path.clone());
        world.in_flight += 1;
        world.most_in_flight = world.most_in_flight.max(world.in_flight);
    }
    while bucket.world().is_held {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut world = bucket.world();
    world.in_flight -= 1;
    if let Some((status, code, times)) = world.faults.get_mut(&path).filter(|(_, _, times)| *times > 0) {
        *times -= 1;
        return respond(*status, &[], format!("<Error><Code>{code}</Code><Message>told to</Message></Error>"));
    }
    let (name, key) = path.split_once('/').unwrap_or((&path, ""));
    if key.is_empty() {
        let exists = world.buckets.iter().any(|bucket| bucket == name);
        return respond(if exists { 200 } else { 404 }, &[], "");
    }
    let Some(object) = world.objects.get(&(name.to_owned(), key.to_owned())).cloned() else {
        return respond(404, &[], if method == Method::HEAD { "" } else { "<Error><Code>NoSuchKey</Code></Error>" });
    };
    let etag = etag(&object);
    if headers.get("if-match").is_some_and(|wanted| wanted.as_bytes() != etag.as_bytes()) {
        return respond(412, &[], "<Error><Code>PreconditionFailed</Code></Error>");
    }
    respond(200, &[("etag", &etag)], object)
}

/// Returns the `ETag` of this content.
pub(crate) fn etag(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// Copies an object, unless its target has a fault.
fn copy(server: &S3Server, source: &str, target: &str) -> Response {
    let mut world = server.world();
    let target = target.trim_start_matches('/');
    if let Some((status, code, times)) = world.faults.get_mut(target).filter(|(_, _, times)| *times > 0) {
        *times -= 1;
        return respond(*status, &[], format!("<Error><Code>{code}</Code><Message>told to</Message></Error>"));
    }
    let named = |path: &str| path.split_once('/').map(|(bucket, key)| (bucket.to_owned(), key.to_owned())).unwrap();
    let Some(object) = world.objects.get(&named(source)).cloned() else {
        return respond(404, &[], "<Error><Code>NoSuchKey</Code></Error>");
    };
    world.objects.insert(named(target), object);
    respond(200, &[("content-type", "application/xml")], "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>")
}

/// Stores an object, which must not exist if `is_new` is true, or performs a step of an upload in parts.
fn change(server: &S3Server, method: &Method, uri: &Uri, is_new: bool, body: Bytes) -> Response {
    let mut world = server.world();
    let path = percent_decoded(uri.path());
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap();
    let object = (bucket.to_owned(), key.to_owned());
    let query = uri.query().unwrap_or_default();
    let field = |name: &str| query.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    match (method.as_str(), field("uploadId")) {
        ("PUT", Some(upload)) => {
            let number = field("partNumber").unwrap().parse().unwrap();
            world.parts.get_mut(upload).unwrap().insert(number, body);
        }
        ("PUT", None) if is_new && world.objects.contains_key(&object) => {
            return respond(412, &[], "<Error><Code>PreconditionFailed</Code></Error>");
        }
        ("PUT", None) => {
            world.objects.insert(object, body.to_vec());
        }
        ("POST", Some(upload)) => {
            let parts: Vec<Bytes> = world.parts.remove(upload).unwrap().into_values().collect();
            world.objects.insert(object, parts.concat());
            let xml = "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>";
            return respond(200, &[("content-type", "application/xml")], xml);
        }
        ("POST", None) => {
            let upload = format!("upload-{}-{key}", world.parts.len()).replace('/', "-");
            let xml =
                format!("<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>");
            world.parts.insert(upload, BTreeMap::new());
            return respond(200, &[("content-type", "application/xml")], xml);
        }
        (_, Some(upload)) => {
            world.parts.remove(upload);
            return respond(204, &[], "");
        }
        _ => return respond(501, &[], ""),
    }
    respond(200, &[("etag", "e")], "")
}

fn listing(bucket: &S3Server, name: &str, query: &str) -> Response {
    let mut world = bucket.world();
    world.pages += 1;
    let field = |name: &str| {
        let value = query.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        percent_decoded(value.unwrap_or(""))
    };
    let (prefix, after) = (field("prefix"), field("continuation-token"));
    let all = world.objects.iter().filter(|((bucket, key), _)| bucket == name && key.starts_with(&prefix));
    let mut rest = all.filter(|((_, key), _)| *key > after).peekable();
    let page: Vec<_> = rest.by_ref().take(PAGE).collect();
    let last = page.last().map_or("", |((_, key), _)| key.as_str());
    let entry = |((_, key), body): &(&(String, String), &Vec<u8>)| {
        format!("<Contents><Key>{}</Key><Size>{}</Size><ETag>{}</ETag></Contents>", in_xml(key), body.len(), etag(body))
    };
    let contents: Vec<String> = page.iter().map(entry).collect();
    let more = match rest.peek() {
        Some(_) => {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{}</NextContinuationToken>", in_xml(last))
        }
        None => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    let xml = format!("<ListBucketResult>{more}{}</ListBucketResult>", contents.concat());
    respond(200, &[("content-type", "application/xml")], xml)
}

/// Returns a path or a value of a query as text.
fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}

/// Returns a text as XML, with numbers in place of characters that have a meaning or may be changed by parsers.
fn in_xml(text: &str) -> String {
    let char = |c: char| if c.is_alphanumeric() { c.to_string() } else { format!("&#{};", u32::from(c)) };
    text.chars().map(char).collect()
}

/// Starts a server of one object whose connection breaks in the middle of the object, `breaks` times. Returns its URL.
pub(crate) async fn serve_breaking(object: Vec<u8>, mut breaks: u32) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 16_384];
            let _ = connection.read(&mut request).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", object.len());
            let sent = if breaks > 0 { &object[..object.len() / 2] } else { &object[..] };
            breaks = breaks.saturating_sub(1);
            let _ = connection.write_all(&[head.as_bytes(), sent].concat()).await;
        }
    });
    format!("http://{address}")
}
