//! The lines of many small objects, one after the other, with the next objects on their way.

use super::{ObjectMeta, StreamReader};
use crate::error::EngineError;
use aws_sdk_s3::Client;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use tokio::runtime::Handle;

/// Objects that are fetched before their turn comes: a request takes longer than reading a small one.
const AHEAD: usize = 16;

/// Calls `each` with every line (line feed included) of these objects, and with what the object goes by. For a blocking
/// thread.
///
/// # Errors
/// As reading fails, and those of `each`.
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
