//! The records of a chunk that may be sent again.

use super::answer_lines::for_each_line;
use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use std::io::{Read, Write};

/// Copies the lines of the chunk's file of records (`records`) that are `unanswered` to the object `key`.
///
/// # Errors
/// Returns an error if the records cannot be read, or the object not written.
pub fn copy_unanswered<S: ObjectSink>(
    records: impl Read,
    unanswered: &[bool],
    sink: &S,
    key: &str,
) -> Result<(), EngineError> {
    let mut file = sink.create(key)?;
    let mut numbers = unanswered.iter();
    let mut written = Ok(());
    for_each_line(records, |line| {
        if numbers.next() == Some(&true) && written.is_ok() {
            written = file.write_all(line).and_then(|()| file.write_all(b"\n"));
        }
    })?;
    written?;
    if numbers.next().is_some() {
        return Err(EngineError::corrupt(format!(
            "{key} cannot be written: the chunk has fewer records than rows that have one"
        )));
    }
    file.close()?;
    Ok(())
}
