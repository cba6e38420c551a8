//! Objects of the bucket of the stack.

use super::{BUCKET, World};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;

/// Returns the object at an address.
pub(super) fn find(world: &World, uri: &str) -> Option<Vec<u8>> {
    world.objects.get(uri.strip_prefix(&format!("s3://{BUCKET}/"))?).cloned()
}

fn respond(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap()).header("etag", "e");
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

/// Answers a request for `key`, or a listing.
pub(super) fn answer(
    world: &mut World,
    method: &Method,
    (key, query): (&str, &str),
    headers: &HeaderMap,
    body: &Bytes,
) -> Response {
    if query.contains("list-type=2") {
        return listing(world, query);
    }
    if method == Method::POST && query.starts_with("delete") {
        let text = String::from_utf8(body.to_vec()).unwrap();
        for key in text.split("<Key>").skip(1) {
            world.objects.remove(key.split_once("</Key>").unwrap().0);
        }
        return respond(200, &[("content-type", "application/xml")], "<DeleteResult></DeleteResult>");
    }
    if method == Method::PUT {
        if headers.contains_key("if-none-match") && world.objects.contains_key(key) {
            return respond(412, &[], "<Error><Code>PreconditionFailed</Code></Error>");
        }
        world.objects.insert(key.to_owned(), body.to_vec());
        return respond(200, &[], "");
    }
    let Some(object) = world.objects.get(key) else {
        return respond(404, &[], if method == Method::HEAD { "" } else { "<Error><Code>NoSuchKey</Code></Error>" });
    };
    let length = object.len();
    if method == Method::HEAD {
        return respond(200, &[("content-length", &length.to_string())], "");
    }
    let range = headers.get("range").and_then(|range| range.to_str().unwrap().strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return respond(200, &[], object.clone());
    };
    let (first, last) =
        (first.parse::<usize>().unwrap(), last.parse().map_or(length, |last: usize| (last + 1).min(length)));
    let content_range = format!("bytes {first}-{}/{length}", last.saturating_sub(1));
    respond(206, &[("content-range", &content_range)], object[first.min(last)..last].to_vec())
}

fn listing(world: &World, query: &str) -> Response {
    let prefix = query.split('&').find_map(|field| field.strip_prefix("prefix=")).unwrap_or("").replace("%2F", "/");
    let found = world.objects.iter().filter(|(key, _)| key.starts_with(&prefix));
    let entry = |(key, body): (&String, &Vec<u8>)| {
        format!("<Contents><Key>{key}</Key><Size>{}</Size><ETag>e</ETag></Contents>", body.len())
    };
    let contents: String = found.map(entry).collect();
    let xml = format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>");
    respond(200, &[("content-type", "application/xml")], xml)
}
