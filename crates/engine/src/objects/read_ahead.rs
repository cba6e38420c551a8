//! Lines of many small objects, one object after the other, with prefetching of the next ones.

use super::{ObjectMeta, StreamReader};
use crate::error::EngineError;
use aws_sdk_s3::Client;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use tokio::runtime::Handle;

/// Number of prefetched objects: a request takes longer than reading a small object.
const AHEAD: usize = 16;

/// Calls `each` with every line (including its line feed) of these objects, and with the identifier of the object. To be
/// used on a blocking thread.
///
/// # Errors
/// Returns an error if reading fails, or the error of `each`.
pub fn for_each_line_of<K: Copy>(
    runtime: &Handle,
    client: &Client,
    files: &[(K, ObjectMeta)],
    mut each: impl FnMut(K, &[u8]) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut to_come = files.iter();
    let mut ahead = VecDeque::with_capacity(AHEAD);
    let mut line = Vec::new();
    loop {
        while ahead.len() < AHEAD {
            let Some((key, found)) = to_come.next() else { break };
            ahead.push_back((*key, StreamReader::new(runtime, client, found)));
        }
        let Some((key, reader)) = ahead.pop_front() else { return Ok(()) };
        let mut reader = BufReader::with_capacity(256 * 1024, reader);
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            each(key, &line)?;
        }
    }
}
