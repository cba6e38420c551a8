//! The answers of a job in S3: parts of a `.jsonl.out`, numbered in the order in which they were stored.

use super::records::for_each_line;
use crate::error::EngineError;
use crate::objects::{Found, StreamReader, list};
use aws_sdk_s3::Client;
use bedrock_batch_domain::record_line::split_line;
use bedrock_batch_domain::s3_uri::S3Uri;
use std::collections::HashSet;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// A part is stored when it has so many lines, …
const MOST_LINES: u32 = 500;
/// … or bytes, …
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// … or when its first line is so old.
const OLDEST: Duration = Duration::from_secs(15);

const ENDING: &str = ".jsonl.out";

fn name(number: u32) -> String {
    format!("{number:05}{ENDING}")
}

/// The number of the part with this key.
fn number(key: &str) -> Option<u32> {
    let name = key.rsplit('/').next()?;
    let digits = name.strip_suffix(ENDING).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok()
}

/// What is stored of a job's answers.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// Who has a line.
    pub(super) ids: HashSet<String>,
    /// The number of the next part.
    pub(super) next: u32,
}

/// Reads whose lines are stored under `prefix`.
pub(super) async fn stored(s3: &Client, prefix: &S3Uri) -> Result<Stored, EngineError> {
    let found = list(s3, prefix).await?;
    let parts: Vec<(u32, Found)> = found.into_iter().filter_map(|part| Some((number(&part.uri.key)?, part))).collect();
    let next = parts.iter().map(|(number, _)| number.saturating_add(1)).max().unwrap_or(0);
    let (runtime, s3) = (Handle::current(), s3.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let mut ids = HashSet::new();
        for (_, part) in &parts {
            for_each_line(StreamReader::new(&runtime, &s3, part), |line| {
                // A line that cannot be read says of nobody that he has one.
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

/// The part being written.
#[derive(Debug)]
pub(super) struct Part {
    s3: Client,
    prefix: S3Uri,
    number: u32,
    lines: Vec<u8>,
    count: u32,
    since: Option<Instant>,
}

impl Part {
    /// An empty part.
    pub(super) fn new(s3: &Client, prefix: S3Uri, number: u32) -> Self {
        Self { s3: s3.clone(), prefix, number, lines: Vec::new(), count: 0, since: None }
    }

    /// Adds a line, which `write` writes.
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

    /// When it is to be stored, if it holds anything.
    pub(super) fn due(&self) -> Option<Instant> {
        let full = self.count >= MOST_LINES || self.lines.len() >= MOST_BYTES;
        self.since.map(|since| if full { since } else { since + OLDEST })
    }

    /// Stores what it holds and begins the next one.
    pub(super) async fn store(&mut self) -> Result<(), EngineError> {
        let lines = bytes::Bytes::from(std::mem::take(&mut self.lines));
        while !lines.is_empty() {
            let S3Uri { bucket, key } = &self.prefix;
            let key = format!("{key}{}", name(self.number));
            self.number += 1;
            let put = self.s3.put_object().bucket(bucket).key(&key).if_none_match("*").body(lines.clone().into());
            match put.send().await {
                Ok(_) => break,
                // An invocation that was believed dead has stored a part: nothing of it is to be lost.
                Err(error) if error.raw_response().is_some_and(|response| response.status().as_u16() == 412) => {
                    tracing::warn!(key, "there is such a part already");
                }
                Err(error) => {
                    let error = EngineError::from_aws(format!("cannot write s3://{bucket}/{key}"), &error);
                    // They are paid: there will be another try.
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
    fn only_parts_have_numbers(#[case] key: &str, #[case] expected: Option<u32>) {
        assert_eq!(number(key), expected);
    }

    proptest! {
        #[test]
        fn a_parts_name_says_its_number(wanted in any::<u32>()) {
            prop_assert_eq!(number(&format!("x/{}", name(wanted))), Some(wanted));
        }
    }

    fn part() -> Part {
        let config = aws_sdk_s3::Config::builder().behavior_version_latest().build();
        Part::new(&Client::from_conf(config), S3Uri::new("b", "p/"), 0)
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
        let begun = Instant::now();
        add(&mut few, 1);
        tokio::time::advance(Duration::from_secs(10)).await;
        add(&mut few, 1);
        assert_eq!(few.due(), Some(begun + OLDEST), "the first line counts");
        let mut many = part();
        (0..MOST_LINES).for_each(|_| add(&mut many, 1));
        assert!(many.due().is_some_and(|due| due <= Instant::now()));
        let mut long = part();
        add(&mut long, MOST_BYTES);
        assert!(long.due().is_some_and(|due| due <= Instant::now()));
    }
}
