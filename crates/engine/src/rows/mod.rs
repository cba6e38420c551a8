//! Tables as streams: readers and writers of CSV and Parquet, with a few thousand rows at a time.

pub mod cell_text;
pub mod csv_count;
mod csv_header;
pub mod csv_infer;
pub mod csv_read;
pub mod csv_write;
pub mod parquet_read;
pub mod parquet_write;
pub mod shared_file;

/// Maximum number of rows in a batch: enough to make the work per batch cheap, few enough to keep memory flat.
pub const BATCH_ROWS: usize = 4096;
/// Size after which a batch is closed early, since rows may be long.
pub const BATCH_BYTES: usize = 4 * 1024 * 1024;
