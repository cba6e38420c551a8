//! Writing of rows to chunk files, in one pass and with constant memory.
//!
//! For each batch of rows, `render` writes all lines into one buffer and finds the rows that are set aside; `place` gets the
//! place of each line from the chunker, with a delay of some lines; `write` opens and closes the files and writes the
//! consecutive rows of one chunk, and their lines, with one call each.
//!
//! Requests of several rows (`requests`) are formed within a batch: their lines come in blocks, which stay in one chunk.

mod dry_run;
mod duplicate_index;
mod files;
mod held_batch;
mod merged_batches;
mod place;
mod render;
mod rendered;
mod requests;
mod set_aside;
mod spec;
mod write;

pub(super) use dry_run::{count_lines, dry_run};
pub use spec::{ChunkWriteSpec, Written};
pub use write::write_chunks;
