//! Answers of a job in S3: parts of a `.jsonl.out`, numbered in the order in which they were stored.

use super::records::for_each_line;
use crate::error::EngineError;
use crate::objects::{Bucket, ObjectMeta, StreamReader};
use bedrock_batch_domain::record_line::split_line;
use std::collections::HashSet;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// Number of lines at which a part is stored.
const MAX_LINES: u32 = 500;
/// Size in bytes at which a part is stored.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Age of its first line at which a part is stored.
const MAX_AGE: Duration = Duration::from_secs(15);

const SUFFIX: &str = ".jsonl.out";

fn name(number: u32) -> String {
    format!("{number:05}{SUFFIX}")
}

/// Returns the number of the part with this key.
fn number(key: &str) -> Option<u32> {
    let name = key.rsplit('/').next()?;
    let digits = name.strip_suffix(SUFFIX).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok()
}

/// Stored answers of a job.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// Ids of the records that have a line.
    pub(super) ids: HashSet<String>,
    /// Number of the next part.
    pub(super) next: u32,
}

/// Reads the record ids of the lines stored under `prefix`.
pub(super) async fn stored(bucket: &Bucket, prefix: &str) -> Result<Stored, EngineError> {
    let found = bucket.list(prefix).await?;
    let parts: Vec<(u32, ObjectMeta)> =
        found.into_iter().filter_map(|part| Some((number(&part.uri.key)?, part))).collect();
    let next = parts.iter().map(|(number, _)| number.saturating_add(1)).max().unwrap_or(0);
    let (runtime, s3) = (Handle::current(), bucket.client().clone());
    let reading = tokio::task::spawn_blocking(move || {
        let mut ids = HashSet::new();
        for (_, part) in &parts {
            for_each_line(StreamReader::new(&runtime, &s3, part), |line| {
                // A line that cannot be parsed does not count for any record.
                ids.extend(split_line(&line).map(|(id, _)| id.into_owned()));
                Ok(true)
            })?;
        }
        Ok(ids)
    });
    let ids =
        reading.await.unwrap_or_else(|error| Err(EngineError::died("the thread that reads stored answers", error)))?;
    Ok(Stored { ids, next })
}

/// Part being written.
#[derive(Debug)]
pub(super) struct Part {
    bucket: Bucket,
    prefix: String,
    number: u32,
    lines: Vec<u8>,
    count: u32,
    since: Option<Instant>,
}

impl Part {
    /// Creates an empty part.
    pub(super) fn new(bucket: &Bucket, prefix: String, number: u32) -> Self {
        Self { bucket: bucket.clone(), prefix, number, lines: Vec::new(), count: 0, since: None }
    }

    /// Adds a line, which is written by `write`.
    pub(super) fn add(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>,
    ) -> Result<(), EngineError> {
        write(&mut self.lines)
            .map_err(|error| EngineError::internal("cannot write an answer as JSON").caused_by(error))?;
        self.count += 1;
        self.since.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// Returns the time at which the part must be stored, if it is not empty.
    pub(super) fn due(&self) -> Option<Instant> {
        let full = self.count >= MAX_LINES || self.lines.len() >= MAX_BYTES;
        self.since.map(|since| if full { since } else { since + MAX_AGE })
    }

    /// Stores the part and starts the next one.
    pub(super) async fn store(&mut self) -> Result<(), EngineError> {
        let lines = bytes::Bytes::from(std::mem::take(&mut self.lines));
        while !lines.is_empty() {
            let key = format!("{}{}", self.prefix, name(self.number));
            self.number += 1;
            let put = self.bucket.client().put_object().bucket(self.bucket.name()).key(&key).if_none_match("*");
            match put.body(lines.clone().into()).send().await {
                Ok(_) => break,
                // An invocation that was presumed dead has stored a part, which must not be overwritten.
                Err(error) if error.raw_response().is_some_and(|response| response.status().as_u16() == 412) => {
                    tracing::warn!(key, "part_already_exists");
                }
                Err(error) => {
                    let error = EngineError::from_aws(format!("cannot write {}", self.bucket.uri(key)), &error);
                    // The answers are paid for, so they are kept for another attempt.
                    self.lines = lines.into();
                    return Err(error);
                }
            }
        }
        (self.count, self.since) = (0, None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("a/on-demand/00000.jsonl.out", Some(0))]
    #[case("a/on-demand/123456.jsonl.out", Some(123_456))]
    #[case("a/on-demand/0001.jsonl", None)]
    #[case("a/on-demand/manifest.json.out", None)]
    #[case("a/on-demand/+1.jsonl.out", None)]
    #[case("a/on-demand/.jsonl.out", None)]
    #[case("", None)]
    fn only_keys_of_parts_have_numbers(#[case] key: &str, #[case] expected: Option<u32>) {
        assert_eq!(number(key), expected);
    }

    proptest! {
        #[test]
        fn the_name_of_a_part_contains_its_number(expected in any::<u32>()) {
            prop_assert_eq!(number(&format!("x/{}", name(expected))), Some(expected));
        }
    }

    fn part() -> Part {
        let config = aws_sdk_s3::Config::builder().behavior_version_latest().build();
        Part::new(&Bucket::new(aws_sdk_s3::Client::from_conf(config), "b"), "p/".to_owned(), 0)
    }

    fn add(part: &mut Part, bytes: usize) {
        part.add(|out| {
            out.resize(out.len() + bytes, b'x');
            Ok(())
        })
        .unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_is_due_when_it_is_full_or_old() {
        let mut few = part();
        assert_eq!(few.due(), None, "nothing to store");
        let started = Instant::now();
        add(&mut few, 1);
        tokio::time::advance(Duration::from_secs(10)).await;
        add(&mut few, 1);
        assert_eq!(few.due(), Some(started + MAX_AGE), "the first line counts");
        let mut many = part();
        (0..MAX_LINES).for_each(|_| add(&mut many, 1));
        assert!(many.due().is_some_and(|due| due <= Instant::now()));
        let mut long = part();
        add(&mut long, MAX_BYTES);
        assert!(long.due().is_some_and(|due| due <= Instant::now()));
    }
}
