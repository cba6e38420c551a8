//! Many requests for links that are not valid.

use super::fake_aws::{FakeAws, client};
use super::stack::Stack;
use bedrock_batch_domain::links::{LinkKeyRing, LinkTarget};
use bedrock_batch_engine::download::{Downloader, LinkRequest};
use bedrock_batch_engine::link_keys::LinkKeys;

const KEY: &str = "batch_output_parquet/p/r/0000.parquet";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flood_of_forged_links_reads_the_keys_once_and_no_object() {
    let (aws, stack) = (FakeAws::default(), Stack::new().await);
    let secret = "k".repeat(64);
    aws.world().secret.0.clone_from(&secret);
    stack.put(KEY, b"rows");
    let keys = LinkKeys::new(client!(aws_sdk_secretsmanager, aws.serve().await), "arn".to_owned());
    let downloader = Downloader { bucket: stack.bucket.clone(), keys };
    let forged = LinkKeyRing::parse(&"x".repeat(64)).unwrap();
    let target = LinkTarget { key: KEY.to_owned(), expires: u64::MAX };
    let answers = (0..1000u64).map(|number| {
        let token = forged.sign(&LinkTarget { expires: u64::MAX - number, ..target.clone() }).unwrap();
        let (downloader, method) = (downloader.clone(), if number % 3 == 0 { "HEAD" } else { "GET" });
        tokio::spawn(async move { downloader.answer(&LinkRequest::new(method, "/0000.parquet", Some(token))).await })
    });
    for answer in answers.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap().status, 403);
    }
    assert_eq!(aws.world().secret.1, 1, "requests for the keys");
    assert_eq!(stack.s3.world().requests, Vec::<String>::new());
    let token = LinkKeyRing::parse(&secret).unwrap().sign(&target).unwrap();
    for method in ["GET", "HEAD"] {
        let request = LinkRequest::new(method, "/0000.parquet", Some(token.clone()));
        let answer = downloader.answer(&request).await;
        assert_eq!((answer.status, answer.body.as_str()), (302, ""));
        let is_named = answer.headers["location"].contains("response-content-disposition");
        assert_eq!(is_named, method == "GET", "the address of HEAD is for the headers alone");
    }
    assert_eq!(aws.world().secret.1, 1);
}
