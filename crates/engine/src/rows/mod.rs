//! Tables as streams: readers of CSV, JSON lines, workbooks and Parquet, and writers of CSV and Parquet, with a few thousand rows at a time.

mod binary_text;
mod cell_json;
pub mod cell_text;
mod csv_columns;
pub mod csv_count;
pub mod csv_dialect;
mod csv_header;
pub mod csv_infer;
pub mod csv_inspect;
mod csv_lines;
pub mod csv_read;
mod csv_record;
mod csv_sniff;
pub mod csv_text;
pub mod csv_write;
pub mod encoded_columns;
pub(crate) mod flat_text;
mod inner_lines;
mod int96_times;
pub mod jsonl;
mod line_rules;
mod parquet_batches;
pub mod parquet_extend;
mod parquet_guard;
pub mod parquet_read;
pub mod parquet_write;
mod row_bytes;
pub mod shared_file;
pub mod table_shape;
mod text_file;
mod text_views;
pub mod unified;
mod watched_source;
pub mod workbook;

use bedrock_batch_domain::problem::{Problem, shortened};

/// Maximum number of rows in a batch: enough to make the work per batch cheap, few enough to keep memory flat.
pub const BATCH_ROWS: usize = 4096;
/// Size after which a batch is closed early, since rows may be long.
pub const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Maximum number of columns of an input. Each takes memory of every file that is written.
pub const MAX_COLUMNS: usize = 5_000;
/// Maximum size of a cell of an input.
pub const MAX_CELL_BYTES: usize = 32 << 20;

/// Warning about names of columns that were written in another form.
const NAMES_CHANGED: &str = "names of columns read without outer or invisible spaces, and in one Unicode form";

/// Returns the problem of an input with this number of columns, if it has one.
fn too_many_columns(file: &str, columns: usize) -> Option<Problem> {
    let problem = || {
        let rule = format!("has {columns} columns; at most {MAX_COLUMNS} are read");
        Problem::without_value(file, rule).remedy("keep the columns that the prompts and your results need")
    };
    (columns > MAX_COLUMNS).then(problem)
}

/// The problem of a cell that is too large.
fn cell_too_large(position: &str, column: &str, bytes: usize) -> Problem {
    let rule = format!("has {bytes} bytes; at most {} MiB are read", MAX_CELL_BYTES >> 20);
    Problem::without_value(format!("{position} column `{}`", shortened(column)), rule)
        .remedy("shorten it, or leave the column out")
}
