//! Counting the lines that rows yield, for limits so narrow that a guess could leave rows over.

use super::asked_rows::AskedRows;
use super::write_chunks::{ChunkJob, Written, write_chunks};
use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use std::io::{self, Write};

/// What writing the rows would come to.
pub(super) fn dry_run(
    job: &ChunkJob<'_>,
    rows: impl Iterator<Item = Result<AskedRows, EngineError>>,
) -> Result<Written, EngineError> {
    write_chunks(job, rows, &Nowhere)
}

/// How many lines the rows yield: a whole pass over them, that writes nothing.
pub(super) fn count_lines(
    job: &ChunkJob<'_>,
    rows: impl Iterator<Item = Result<AskedRows, EngineError>>,
) -> Result<u64, EngineError> {
    let limits =
        ChunkLimits { min_records: 1, max_records: u32::MAX, max_bytes: u64::MAX, max_chunks: None, small_last: true };
    let written = write_chunks(&ChunkJob { limits, ..*job }, rows, &Nowhere)?;
    Ok(written.chunks.iter().map(|lines| u64::from(*lines)).sum())
}

/// Takes everything and keeps nothing.
struct Nowhere;

impl ObjectSink for Nowhere {
    type Writer = Self;

    fn create(&self, _key: &str) -> io::Result<Self> {
        Ok(Self)
    }
}

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ClosableWrite for Nowhere {
    fn close(self) -> io::Result<()> {
        Ok(())
    }
}
