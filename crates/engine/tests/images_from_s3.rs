//! Listing and fetching of images from an S3 server in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::s3_server::{S3Server, etag, serve_breaking};
use crate::test_stack;
use arrow_array::cast::AsArray;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bedrock_batch_domain::image::{ImageLimits, ImageTraits, MediaType};
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::images::{Buckets, FetchedImage, ImageCount, ImageFetcher, ImageRows, count};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

const LIMITS: ImageLimits = ImageLimits { max_bytes: 2_000, max_side: Some(8_000) };

fn client(endpoint: &str) -> Client {
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    Client::from_conf(test_stack::s3_config(endpoint).retry_config(retries).build())
}

/// Returns a PNG with `filling` bytes of content.
fn png(width: u32, filling: usize) -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], kind, data, b"sum!"].concat()
    };
    let header = [&width.to_be_bytes()[..], &[0, 0, 0, 1, 8, 2, 0, 0, 0]].concat();
    let parts = [chunk(b"IHDR", &header), chunk(b"IDAT", &vec![7; filling]), chunk(b"IEND", b"")];
    [&b"\x89PNG\r\n\x1a\n"[..], &parts.concat()].concat()
}

fn fetcher(client: &Client, concurrency: usize) -> ImageFetcher {
    let buckets = Buckets { own: "own".to_owned(), others: vec!["photos".to_owned()], prefixes: Vec::new() };
    ImageFetcher::new(&Handle::current(), client, buckets, LIMITS, concurrency)
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Fetches all images that these cells name.
async fn fetched(client: &Client, cells: &[&str]) -> Result<Vec<Result<FetchedImage, RowError>>, EngineError> {
    let fetcher = fetcher(client, 4);
    let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
    on_a_thread(move || fetcher.start(cells.iter().map(|cell| Some(cell.as_str()))).wait()).await
}

#[tokio::test]
async fn images_of_all_folders_are_listed_page_by_page() {
    let bucket = S3Server::default();
    for number in 0..2_500 {
        bucket.put("photos", &format!("shop/{}/{number:04}.jpg", number % 3), b"x");
    }
    for other in ["shop/", "shop/1/rows.csv", "shop/_old/a.jpg", "shop/2/.DS_Store", "shop/2/a.HEIC", "shops/b.jpg"] {
        bucket.put("photos", other, b"x");
    }
    let client = client(&bucket.serve().await);
    for address in ["s3://photos/shop", "s3://photos/shop/"] {
        let uri = S3Uri::parse(address).unwrap();
        let counted = count(&client, &uri).await.unwrap();
        assert_eq!(counted, ImageCount { images: 2_501, other_files: 1, markers: 3 });
        let rows = ImageRows::new(&Handle::current(), &client, &uri);
        let batches: Vec<_> = on_a_thread(move || rows.map(Result::unwrap).collect()).await;
        assert!(batches.iter().all(|batch| batch.num_rows() <= 1_000));
        let column = |name: &str| -> Vec<String> {
            let cells = batches.iter().flat_map(|batch| batch.column_by_name(name).unwrap().as_string::<i32>().iter());
            cells.map(|cell| cell.unwrap().to_owned()).collect()
        };
        let paths = column("image_path");
        assert_eq!(paths.len(), 2_501);
        assert!(paths.is_sorted());
        assert_eq!(paths[0], "s3://photos/shop/0/0000.jpg");
        assert_eq!(column("file_name").last().map(String::as_str), Some("a.HEIC"));
    }
}

#[tokio::test]
async fn objects_with_unclear_names_are_looked_at() {
    let bucket = S3Server::default();
    let image = png(10, 20);
    for (key, bytes) in [
        ("in/no_ending", image.as_slice()),
        ("in/dot at end.jpg.", &image),
        ("in/photo.jpg_large", &image),
        ("in/phone", b"\0\0\0\x18ftypheic\0\0\0\0"),
        ("in/README", b"# Photos"),
        ("in/empty", b""),
        ("in/image-in-disguise.txt", &image),
        ("in/saved.jfif", b"whatever it is"),
    ] {
        bucket.put("photos", key, bytes);
    }
    let client = client(&bucket.serve().await);
    let uri = S3Uri::parse("s3://photos/in/").unwrap();
    assert_eq!(count(&client, &uri).await.unwrap(), ImageCount { images: 5, other_files: 3, markers: 0 });
    let one = S3Uri::parse("s3://photos/in/no_ending").unwrap();
    assert_eq!(count(&client, &one).await.unwrap().images, 1);
    let readme = count(&client, &S3Uri::parse("s3://photos/in/README").unwrap()).await.unwrap_err();
    assert!(readme.message().contains("contains no image by its name or first bytes"), "{}", readme.message());
}

#[tokio::test]
async fn keys_are_literal_wherever_they_come_from() {
    let bucket = S3Server::default();
    let nfc_and_nfd = ["\u{fc}.jpg", "u\u{308}.jpg"];
    let keys = [
        "a b.jpg",
        "a+b.jpg",
        "a%20b.jpg",
        "100%.jpg",
        "a&b=c.jpg",
        "a#b?c.jpg",
        "a//b.jpg",
        "/lead.jpg",
        "trailing.jpg",
        "trailing.jpg ",
        " leading.jpg",
        nfc_and_nfd[0],
        nfc_and_nfd[1],
        "日本語.jpg",
        "😀.jpg",
        "quote\"s'.jpg",
        "new\nline.jpg",
        "tab\tb.jpg",
        "..\\x.jpg",
        "./x.jpg",
        "../x.jpg",
        "[1].jpg",
        "{id}.jpg",
        "<x>.jpg",
        "a,b;c.jpg",
        "IMG.JPG.jpg",
        "s3a:%2F%2Fx.jpg",
    ];
    for (number, key) in (1u32..).zip(keys) {
        bucket.put("photos", &format!("in/{key}"), &png(number, 20));
        bucket.put("own", key, &png(number, 20));
    }
    let client = client(&bucket.serve().await);
    let prefix = S3Uri::parse("s3://photos/in/").unwrap();
    // Names that begin with a dot are those of hidden files.
    let is_hidden = |address: &String| address.starts_with("s3://photos/in/.");
    let counted = ImageCount { images: keys.len() as u64 - 3, other_files: 0, markers: 3 };
    assert_eq!(count(&client, &prefix).await.unwrap(), counted);
    let rows = ImageRows::new(&Handle::current(), &client, &prefix);
    let listed: Vec<String> = on_a_thread(move || {
        let paths = rows.map(|batch| batch.unwrap().column_by_name("image_path").unwrap().as_string::<i32>().clone());
        paths.flat_map(|paths| paths.iter().map(|path| path.unwrap().to_owned()).collect::<Vec<_>>()).collect()
    })
    .await;
    let written: Vec<String> = keys.iter().map(|key| format!("s3://photos/in/{key}")).collect();
    let mut expected: Vec<String> = written.iter().filter(|address| !is_hidden(address)).cloned().collect();
    expected.sort();
    assert_eq!(listed, expected);
    // A cell cannot begin with white space, nor a key of the stack's bucket with a slash.
    let own: Vec<String> =
        keys.iter().filter(|key| !key.starts_with([' ', '/'])).map(|key| (*key).to_owned()).collect();
    for cells in [written, own] {
        let images = fetched(&client, &cells.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
        for (image, cell) in images.into_iter().zip(&cells) {
            let key = cell.strip_prefix("s3://photos/in/").unwrap_or(cell);
            let number = (1u32..).zip(keys).find(|(_, known)| *known == key).unwrap().0;
            assert_eq!(image.map(|image| image.base64), Ok(STANDARD.encode(png(number, 20))), "{cell:?}");
        }
    }
    let slip = fetched(&client, &["s3://photos/in/100%.jpg \n", "s3://photos/in/none.jpg "]).await.unwrap();
    assert!(slip[0].is_ok());
    let missing = slip[1].as_ref().unwrap_err().to_string();
    assert!(missing.contains("`s3://photos/in/none.jpg`: there is no such object"), "{missing}");
}

#[tokio::test]
async fn an_object_with_an_unclear_name_that_must_not_be_read_is_a_row_with_its_reason() {
    let (bucket, path) = (S3Server::default(), "photos/in/secret");
    bucket.put("photos", "in/secret", b"whatever it is");
    let client = client(&bucket.serve().await);
    let uri = S3Uri::parse("s3://photos/in/").unwrap();
    bucket.world().faults.insert(path.to_owned(), (403, "AccessDenied", u32::MAX));
    assert_eq!(count(&client, &uri).await.unwrap().images, 1);
    let denied = fetched(&client, &["s3://photos/in/secret"]).await.unwrap();
    assert_eq!(denied[0].as_ref().unwrap_err().reason.code, RowErrorCode::ImageAccessDenied);
    // A store that fails says nothing about the object.
    bucket.world().faults.insert(path.to_owned(), (500, "InternalError", u32::MAX));
    assert_eq!(count(&client, &uri).await.unwrap_err().name(), "Transient");
}

#[tokio::test]
async fn listing_stops_with_its_reader() {
    let bucket = S3Server::default();
    for number in 0..20_000 {
        bucket.put("photos", &format!("{number:05}.png"), b"");
    }
    let client = client(&bucket.serve().await);
    let uri = S3Uri::parse("s3://photos").unwrap();
    let mut rows = ImageRows::new(&Handle::current(), &client, &uri);
    on_a_thread(move || assert_eq!(rows.next().unwrap().unwrap().num_rows(), 1_000)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(bucket.world().pages <= 5, "{}", bucket.world().pages);
}

#[tokio::test]
async fn one_object_is_one_row_and_no_object_is_an_error() {
    let bucket = S3Server::default();
    bucket.put("photos", "a/b.gif", b"x");
    bucket.put("photos", "rows/a.csv", b"x");
    let client = client(&bucket.serve().await);
    let uri = S3Uri::parse("s3://photos/a/b.gif").unwrap();
    assert_eq!(count(&client, &uri).await.unwrap().images, 1);
    let rows = ImageRows::new(&Handle::current(), &client, &uri);
    let rows: usize = on_a_thread(move || rows.map(|batch| batch.unwrap().num_rows()).sum()).await;
    assert_eq!(rows, 1);
    for (address, says) in [
        ("s3://photos/c", "this object does not exist, and there is no object under this prefix"),
        ("s3://photos/rows", "contains no image by its name or first bytes, but 1 other objects"),
        ("s3://photos/rows/a.csv", "contains no image by its name"),
    ] {
        let error = count(&client, &S3Uri::parse(address).unwrap()).await.unwrap_err();
        assert!(error.name() == "InvalidInput" && error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn images_come_in_order_with_their_bytes() {
    let bucket = S3Server::default();
    let (small, wide) = (png(10, 20), png(8_000, 700));
    bucket.put("own", "images/called.jpg", &small);
    bucket.put("photos", "wide.png", &wide);
    let client = client(&bucket.serve().await);
    let cells = ["s3://photos/wide.png", "images/called.jpg", "s3://own/images/called.jpg"];
    let images = fetched(&client, &cells).await.unwrap();
    for (image, bytes) in images.into_iter().zip([&wide, &small, &small]) {
        let expected = FetchedImage {
            media_type: MediaType::Png,
            base64: STANDARD.encode(bytes),
            digest: Sha256::digest(bytes).into(),
            traits: ImageTraits::default(),
        };
        assert_eq!(image, Ok(expected));
    }
}

#[tokio::test]
async fn a_pinned_image_is_sent_as_it_was_and_no_other_is_held_to_it() {
    let bucket = S3Server::default();
    let (first, second) = (png(10, 20), png(11, 20));
    bucket.put("photos", "a.png", &first);
    bucket.put("photos", "b.png", &second);
    let client = client(&bucket.serve().await);
    let (image, etag) = (S3Uri::parse("s3://photos/a.png").unwrap(), etag(&first));
    let images = || {
        let fetcher = fetcher(&client, 4).pinned(image.clone(), etag.clone());
        on_a_thread(move || fetcher.start([Some("s3://photos/a.png"), Some("s3://photos/b.png")]).wait().unwrap())
    };
    assert!(images().await.iter().all(Result::is_ok));
    bucket.put("photos", "a.png", &second);
    let now = images().await;
    let refused = now[0].as_ref().unwrap_err();
    assert_eq!(refused.reason.code, RowErrorCode::ImageMissing);
    assert!(refused.to_string().contains("was overwritten before it was read"), "{refused}");
    assert!(now[1].is_ok());
}

#[tokio::test]
async fn unusable_images_affect_only_their_rows() {
    let bucket = S3Server::default();
    bucket.put("own", "good.png", &png(10, 20));
    bucket.put("own", "heavy.png", &png(10, 1_950));
    bucket.put("own", "half.png", &png(10, 20)[..50]);
    bucket.put("own", "wide.png", &png(8_001, 20));
    bucket.put("own", "empty.png", b"");
    bucket.put("own", "text.png", b"a,b\n1,2\n");
    let often = u32::MAX;
    bucket.world().faults.extend([
        ("own/denied.png".to_owned(), (403, "AccessDenied", often)),
        ("own/cold.png".to_owned(), (403, "InvalidObjectState", often)),
        ("photos/no-bucket.png".to_owned(), (404, "NoSuchBucket", often)),
        ("photos/elsewhere.png".to_owned(), (301, "PermanentRedirect", often)),
        ("own/locked.png".to_owned(), (400, "KMS.DisabledException", often)),
    ]);
    let client = client(&bucket.serve().await);
    let expected = [
        ("heavy.png", "image of too many bytes", "s3://own/heavy.png: the file has 2007 bytes, and at most 2000"),
        ("half.png", "image file is cut off", "the PNG file is cut off"),
        ("wide.png", "image of too many pixels", "8001 x 1 pixels"),
        ("empty.png", "image file is empty", "the file is empty"),
        ("text.png", "image of a format that models do not take", "of no known image format"),
        ("missing.png", "image missing", "the image is `s3://own/missing.png`: there is no such object"),
        ("denied.png", "image may not be read", "S3 denies access"),
        ("cold.png", "image archived", "restore it"),
        ("s3://photos/no-bucket.png", "image missing", "this bucket does not exist"),
        ("s3://photos/elsewhere.png", "image in another region", "another region"),
        ("locked.png", "image may not be read", "its encryption key"),
        ("s3://others/a.png", "image in a bucket that the stack may not read", "inputBuckets"),
        ("https://example.org/a.png", "image not in S3", "is not an address in S3"),
        ("", "no image named", "the row names none"),
    ];
    let mut cells: Vec<&str> = expected.iter().map(|(cell, _, _)| *cell).collect();
    cells.push("good.png");
    let mut images = fetched(&client, &cells).await.unwrap();
    assert!(images.pop().unwrap().is_ok());
    for (image, (cell, reason, text)) in images.into_iter().zip(expected) {
        let why = image.unwrap_err();
        assert_eq!(why.reason.words(), reason, "{cell}");
        let message = why.to_string();
        assert!(message.starts_with("not sent: ") && message.contains(text), "{message}");
    }
}

#[tokio::test]
async fn transient_faults_are_retried_and_permanent_ones_fail_the_run() {
    let bucket = S3Server::default();
    bucket.put("own", "late.png", &png(10, 20));
    bucket.world().faults.extend([
        ("own/late.png".to_owned(), (503, "SlowDown", 2)),
        ("own/never.png".to_owned(), (503, "SlowDown", u32::MAX)),
        ("own/broken.png".to_owned(), (500, "InternalError", u32::MAX)),
        ("own/stale.png".to_owned(), (400, "ExpiredToken", u32::MAX)),
    ]);
    let client = client(&bucket.serve().await);
    assert!(fetched(&client, &["late.png"]).await.unwrap()[0].is_ok());
    let error = fetched(&client, &["late.png", "never.png"]).await.unwrap_err();
    assert!(error.name() == "Throttled" && error.to_string().contains("s3://own/never.png"), "{error:#}");
    for cell in ["broken.png", "stale.png"] {
        let error = fetched(&client, &[cell]).await.unwrap_err();
        assert_eq!(error.name(), "Transient", "{error:#}");
    }
}

#[tokio::test]
async fn a_broken_connection_is_not_a_broken_image() {
    let image = png(10, 900);
    let breaks_twice = client(&serve_breaking(image.clone(), 2).await);
    assert_eq!(fetched(&breaks_twice, &["a.png"]).await.unwrap()[0].as_ref().unwrap().base64, STANDARD.encode(&image));
    let breaks_always = client(&serve_breaking(image, u32::MAX).await);
    let error = fetched(&breaks_always, &["a.png"]).await.unwrap_err();
    assert!(error.name() == "Transient" && error.to_string().contains("reading s3://own/a.png broke"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_and_waiting_images_are_limited() {
    let bucket = S3Server::default();
    bucket.put("own", "a.png", &png(10, 20));
    bucket.world().is_held = true;
    let client = client(&bucket.serve().await);
    let fetcher = fetcher(&client, 5);
    let held = bucket.clone();
    on_a_thread(move || {
        let requests = || held.world().requests.len();
        let wait_for = |count: usize| {
            let begun = Instant::now();
            while requests() < count && begun.elapsed() < Duration::from_mins(1) {
                std::thread::sleep(Duration::from_millis(10));
            }
            // Time for more requests than there should be.
            std::thread::sleep(Duration::from_millis(200));
        };
        let mut first = fetcher.start(vec![Some("a.png"); 60]);
        let second = fetcher.start(vec![Some("a.png"); 60]);
        wait_for(5);
        assert_eq!(requests(), 5, "no request is answered");
        held.world().is_held = false;
        // No image is consumed: the number of requests is limited, for each of the two.
        wait_for(10);
        assert!((10..=12).contains(&requests()), "{}", requests());
        // The second one's images wait, and do not delay the first.
        assert_eq!(first.by_ref().filter(|image| image.as_ref().unwrap().is_ok()).count(), 60);
        assert!(first.next().is_none());
        assert_eq!(second.wait().unwrap().len(), 60);
        drop(fetcher.start(vec![Some("a.png"); 1_000]));
    })
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let world = bucket.world();
    assert!(world.requests.len() < 140, "images without a consumer are not fetched: {}", world.requests.len());
    assert_eq!(world.most_in_flight, 5);
}
