//! Rows in, chunk files out: one pass, flat memory.
//!
//! Per batch of rows, `render` writes all lines side by side into one buffer and finds the rows that are set aside;
//! `place` asks the chunker, some lines late, where each line goes; `write` opens and closes the files and writes runs of
//! rows of one chunk with one call each, lines and rows alike.

mod dry_run;
mod duplicate_index;
mod files;
mod held_batch;
mod place;
mod render;
mod set_aside;
mod spec;
mod write;

pub(super) use dry_run::{count_lines, dry_run};
pub use spec::{ChunkWriteSpec, Written};
pub use write::write_chunks;
