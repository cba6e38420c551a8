//! Copies of answered rows in a folder of the user's choice, with an S3 server in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "it also serves other tests")]
#[path = "s3_server/mod.rs"]
mod s3_server;
#[allow(dead_code, reason = "it also serves other tests")]
#[path = "test_stack/mod.rs"]
mod test_stack;

use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_engine::copies::copy_answers;
use s3_server::S3Server;
use std::collections::BTreeMap;
use test_stack::{BUCKET, bucket};

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|file| format!("batch_output_parquet/p/r/{file:04}.csv")).collect()
}

fn copies(server: &S3Server) -> BTreeMap<String, Vec<u8>> {
    let world = server.world();
    let copies = world.objects.iter().filter(|((bucket, _), _)| bucket == "reports");
    copies.map(|((_, key), body)| (key.clone(), body.clone())).collect()
}

#[tokio::test]
async fn each_file_is_copied_under_its_name_and_a_repetition_changes_nothing() {
    let server = S3Server::default();
    let bucket = bucket(server.serve().await, BUCKET);
    let keys = keys(100);
    for key in &keys {
        server.put("our-bucket", key, key.as_bytes());
    }
    let folder = S3Uri::new("reports", "a/r/");
    assert_eq!(copy_answers(&bucket, keys.clone().into_iter(), &folder).await.unwrap(), 100);
    let first = copies(&server);
    assert_eq!(first.len(), 100);
    assert_eq!(first["a/r/0099.csv"], keys[99].as_bytes());
    copy_answers(&bucket, keys.into_iter(), &folder).await.unwrap();
    assert_eq!(copies(&server), first);
}

#[tokio::test]
async fn a_copy_that_is_denied_names_both_addresses_and_the_remedy() {
    let server = S3Server::default();
    let bucket = bucket(server.serve().await, BUCKET);
    server.put("our-bucket", &keys(1)[0], b"rows");
    server.world().faults.insert("reports/a/r/0000.csv".to_owned(), (403, "AccessDenied", u32::MAX));
    let error = copy_answers(&bucket, keys(1).into_iter(), &S3Uri::new("reports", "a/r/")).await.unwrap_err();
    assert_eq!(error.name(), "AccessDenied");
    let message = error.message();
    let expected = "cannot copy s3://our-bucket/batch_output_parquet/p/r/0000.csv to s3://reports/a/r/0000.csv (all answers \
        are kept: collect the run once it is possible): `s3:PutObject` is denied";
    assert!(message.starts_with(expected), "{message}");
}

#[tokio::test]
async fn a_file_that_is_missing_is_corrupt_and_not_left_out() {
    let server = S3Server::default();
    let bucket = bucket(server.serve().await, BUCKET);
    let error = copy_answers(&bucket, keys(1).into_iter(), &S3Uri::new("reports", "a/r/")).await.unwrap_err();
    assert_eq!(error.name(), "Corrupt");
}
