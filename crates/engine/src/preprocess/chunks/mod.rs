//! Writing of rows to chunk files, in one pass and with constant memory.
//!
//! For each batch of rows, `render` writes all lines into one buffer and finds the rows that are set aside; `place` gets the
//! place of each line from the chunker, with a delay of some lines; `write` opens and closes the files and writes the
//! consecutive rows of one chunk, and their lines, with one call each.
//!
//! Lines of requests of several rows (`requests`) come in blocks, which stay in one chunk. Rows of a block that is not complete
//! at the end of a batch are carried over to the next one (`carried_rows`).

mod carried_rows;
mod dry_run;
mod duplicate_index;
mod files;
mod held_batch;
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
