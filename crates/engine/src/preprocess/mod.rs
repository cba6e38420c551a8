//! Preprocess: from an execution input to jobs' files, a job manifest and a frozen plan. Nothing is submitted before
//! it ends, and a repetition writes the same bytes.

mod checks;
mod chunk_files;
mod record_ids;
mod run;
mod sources;
mod write_chunks;

pub use chunk_files::FolderSink;
pub use run::{PreprocessInput, Preprocessor};
pub use write_chunks::{ChunkJob, Written, write_chunks};
