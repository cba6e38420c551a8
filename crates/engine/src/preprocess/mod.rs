//! Preprocess: from an execution input to jobs' files, a job manifest and a frozen plan. Nothing is submitted before
//! it ends, and a repetition writes the same bytes.

mod asked_rows;
mod chunk_files;
mod columns;
mod count_lines;
mod csv_columns;
mod duplicates;
mod find_input;
mod freeze;
mod held_batch;
mod images_ahead;
mod record_ids;
mod resume;
mod row_stream;
mod rows_planned;
mod run;
mod sources;
mod view;
mod write_chunks;

pub use asked_rows::{AskedRows, numbered};
pub use chunk_files::FolderSink;
pub use duplicates::chunk_of;
pub use find_input::Looked;
pub(crate) use run::blocking;
pub use run::{PreprocessInput, Preprocessor, StartInput};
pub use write_chunks::{ChunkJob, Written, write_chunks};
