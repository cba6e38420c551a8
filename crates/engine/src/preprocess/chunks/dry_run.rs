//! Dry run without files, to count the lines that rows yield: narrow limits require the exact number.

use super::write::{max_block_records, write_chunks_in_blocks};
use super::{ChunkWriteSpec, Written, write_chunks};
use crate::error::EngineError;
use crate::objects::{ClosableWrite, ObjectSink};
use crate::preprocess::prompting::PromptedRows;
use bedrock_batch_domain::chunk_plan::ChunkLimits;
use std::io::{self, Write};

/// Returns what writing the rows would result in, without writing them.
pub(in crate::preprocess) fn dry_run(
    spec: &ChunkWriteSpec<'_>,
    rows: impl Iterator<Item = Result<PromptedRows, EngineError>>,
) -> Result<Written, EngineError> {
    write_chunks(spec, rows, &Nowhere)
}

/// Returns the number of lines that the rows yield, by a complete pass over them that writes nothing.
pub(in crate::preprocess) fn count_lines(
    spec: &ChunkWriteSpec<'_>,
    rows: impl Iterator<Item = Result<PromptedRows, EngineError>>,
) -> Result<u64, EngineError> {
    let limits =
        ChunkLimits { min_records: 1, max_records: u32::MAX, max_bytes: u64::MAX, max_chunks: None, small_last: true };
    // The blocks must be those of the run: they determine how many rows share a request.
    let max_block = max_block_records(spec);
    let written = write_chunks_in_blocks(&ChunkWriteSpec { limits, ..*spec }, max_block, rows, &Nowhere)?;
    Ok(written.chunks.iter().map(|lines| u64::from(*lines)).sum())
}

/// Sink that discards everything.
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
