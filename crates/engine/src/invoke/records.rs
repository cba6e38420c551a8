//! Stream of the records of a job: only a few lines are in memory, independent of their number and length.

use crate::error::EngineError;
use crate::objects::{ObjectMeta, StreamReader};
use aws_sdk_s3::Client;
use bedrock_batch_domain::record_line::split_line;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Number of records that are read ahead.
const RECORDS_AHEAD: usize = 16;
/// Maximum total size of the lines that are waiting or being sent, in KiB. A longer line is processed alone.
const MAX_TOTAL_KIB: u32 = 64 * 1024;
/// Number of bytes per read.
const BLOCK_BYTES: usize = 512 * 1024;

/// Record to be sent.
#[derive(Debug)]
pub(super) struct Record {
    /// `recordId` of the record.
    pub(super) id: String,
    line: Vec<u8>,
    model_input: Range<usize>,
    /// Share of the memory budget, released once its answer has been written.
    _budget: Option<OwnedSemaphorePermit>,
}

impl Record {
    /// Parses a line; returns `None` if it is not a record.
    pub(super) fn read(line: Vec<u8>, budget: Option<OwnedSemaphorePermit>) -> Option<Self> {
        let (id, input) = split_line(&line)?;
        let begin = input.as_ptr().addr() - line.as_ptr().addr();
        let (id, model_input) = (id.into_owned(), begin..begin + input.len());
        Some(Self { id, line, model_input, _budget: budget })
    }

    /// Returns the input for the model, exactly as it was written.
    pub(super) fn model_input(&self) -> &[u8] {
        &self.line[self.model_input.clone()]
    }
}

/// Starts to read the records of `file` that are not `answered`. The stream ends at the end of the file or with an error.
pub(super) fn stream(
    s3: &Client,
    file: &ObjectMeta,
    answered: HashSet<String>,
) -> mpsc::Receiver<Result<Record, EngineError>> {
    let (sender, records) = mpsc::channel(RECORDS_AHEAD);
    let runtime = Handle::current();
    let reader = StreamReader::new(&runtime, s3, file);
    let budget = MemoryBudget { runtime: runtime.clone(), permits: Arc::new(Semaphore::new(MAX_TOTAL_KIB as usize)) };
    let name = file.uri.to_string();
    runtime.spawn_blocking(move || {
        if let Err(error) = read_all(reader, &name, &answered, &budget, &sender) {
            // If the receiver has been dropped, the error is not needed.
            let _ = sender.blocking_send(Err(error));
        }
    });
    records
}

/// Budget for the memory of lines.
struct MemoryBudget {
    runtime: Handle,
    permits: Arc<Semaphore>,
}

impl MemoryBudget {
    /// Waits until the budget has room for a line.
    fn take(&self, line: &[u8]) -> Option<OwnedSemaphorePermit> {
        let share = u32::try_from(line.len() / 1024 + 1).unwrap_or(MAX_TOTAL_KIB).min(MAX_TOTAL_KIB);
        self.runtime.block_on(Arc::clone(&self.permits).acquire_many_owned(share)).ok()
    }
}

fn read_all(
    input: impl Read,
    name: &str,
    answered: &HashSet<String>,
    budget: &MemoryBudget,
    sender: &mpsc::Sender<Result<Record, EngineError>>,
) -> Result<(), EngineError> {
    for_each_line(input, |line| {
        let unreadable = || EngineError::corrupt(format!("{name} has a line that is not a record"));
        let (id, _) = split_line(&line).ok_or_else(unreadable)?;
        if answered.contains(id.as_ref()) {
            return Ok(true);
        }
        let budget = budget.take(&line);
        let record = Record::read(line, budget).ok_or_else(unreadable)?;
        Ok(sender.blocking_send(Ok(record)).is_ok())
    })
}

/// Passes every non-empty line to `each` until that returns false.
pub(super) fn for_each_line(
    input: impl Read,
    mut each: impl FnMut(Vec<u8>) -> Result<bool, EngineError>,
) -> Result<(), EngineError> {
    let mut input = BufReader::with_capacity(BLOCK_BYTES, input);
    loop {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        line.truncate(line.trim_ascii_end().len());
        if !line.is_empty() && !each(line)? {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> String {
        let line = |n| format!("{{\"recordId\":\"r{n}\",\"modelInput\":{{\"n\":{n}}}}}\n");
        (0..count).map(line).collect::<Vec<_>>().concat()
    }

    async fn read(text: String, answered: &[&str]) -> (Vec<(String, String)>, Option<EngineError>) {
        let (sender, mut records) = mpsc::channel(2);
        let answered = answered.iter().map(|id| (*id).to_owned()).collect();
        let budget =
            MemoryBudget { runtime: Handle::current(), permits: Arc::new(Semaphore::new(MAX_TOTAL_KIB as usize)) };
        let reading = tokio::task::spawn_blocking(move || {
            read_all(text.as_bytes(), "s3://b/k", &answered, &budget, &sender).err()
        });
        let mut found = Vec::new();
        while let Some(record) = records.recv().await {
            let record = record.unwrap();
            found.push((record.id.clone(), String::from_utf8(record.model_input().to_vec()).unwrap()));
        }
        (found, reading.await.unwrap())
    }

    #[tokio::test]
    async fn answered_records_are_skipped() {
        let (found, error) = read(format!("{}\r\n\n", lines(4)), &["r1", "r3", "other"]).await;
        assert!(error.is_none());
        let expected = [("r0", "{\"n\":0}"), ("r2", "{\"n\":2}")];
        assert_eq!(found, expected.map(|(id, input)| (id.to_owned(), input.to_owned())));
    }

    #[tokio::test]
    async fn a_line_that_is_not_a_record_is_an_error() {
        let (found, error) = read(format!("{}nonsense\n", lines(2)), &[]).await;
        assert_eq!(found.len(), 2);
        assert!(error.is_some_and(|error| error.to_string().contains("s3://b/k")));
    }

    #[tokio::test]
    async fn long_lines_wait_for_the_memory_budget() {
        let long = "x".repeat(30 * 1024 * 1024);
        let line = |n| format!("{{\"recordId\":\"r{n}\",\"modelInput\":{{\"text\":\"{long}\"}}}}\n");
        let text = (0..5).map(line).collect::<Vec<_>>().concat();
        let (sender, mut records) = mpsc::channel(16);
        let permits = Arc::new(Semaphore::new(MAX_TOTAL_KIB as usize));
        let budget = MemoryBudget { runtime: Handle::current(), permits: Arc::clone(&permits) };
        let reading = tokio::task::spawn_blocking(move || {
            read_all(text.as_bytes(), "s3://b/k", &HashSet::new(), &budget, &sender).is_ok()
        });
        let mut count = 0;
        while let Some(record) = records.recv().await {
            // At most two lines of 30 MiB fit: this one, and one more in transit.
            assert!(records.len() <= 1);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            drop(record);
            count += 1;
        }
        assert_eq!((count, reading.await.unwrap()), (5, true));
        assert_eq!(permits.available_permits(), MAX_TOTAL_KIB as usize);
    }
}
