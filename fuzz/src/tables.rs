//! Tables: CSV and Parquet.

use super::printable_message;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::rows::cell_text::as_text;
use bedrock_batch_engine::rows::csv_count::count_records;
use bedrock_batch_engine::rows::csv_infer::infer_types;
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::csv_write::CsvFile;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bytes::Bytes;

/// Maximum number of batches that are read of one file: a few bytes of Parquet can promise any number of rows.
const MAX_BATCHES: usize = 64;

/// Checks the reading of a CSV: it gives as many rows as were counted, or says what is wrong; what it gives can be written and
/// is read again as it was.
pub fn csv(bytes: &[u8]) {
    let counted = count_records(bytes).unwrap_or_else(|error| panic!("memory cannot fail: {error}"));
    if let Ok(types) = infer_types(bytes, "a.csv")
        && let Ok(rows) = CsvRows::open(bytes, "a.csv", Some(types))
    {
        rows.take(MAX_BATCHES).for_each(|batch| drop(batch.map_err(|error| printable_message(&error))));
    }
    let Some((rows, written)) = rewritten(bytes) else { return };
    if counted.open_quote_at.is_none() {
        assert_eq!(counted.records, rows + 1, "the count is that of the rows and the header");
    }
    // A name of the first column that begins with a byte order mark, after an empty line, would lose it at the beginning of a file.
    if written.starts_with(b"\xef\xbb\xbf") {
        return;
    }
    let again = rewritten(&written);
    assert_eq!(again, Some((rows, written)), "what was written is read as it was");
}

/// Reads a CSV and returns the number of its rows and what is written of them; `None` if it is not valid.
fn rewritten(bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
    let read = || -> Result<(u64, Vec<u8>), EngineError> {
        let rows = CsvRows::open(bytes, "a.csv", None)?;
        let mut file = CsvFile::create(Vec::new(), &rows.schema(), false)?;
        let mut count = 0;
        for batch in rows {
            let batch = batch?;
            count += batch.num_rows() as u64;
            file.write(&batch)?;
        }
        Ok((count, file.finish()?))
    };
    read().map_err(|error| printable_message(&error)).ok()
}

/// Checks the reading of a Parquet file: all of its cells can be shown, or there is a reason.
pub fn parquet(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    let (shape, rows) = match ParquetRows::open(bytes, "a.parquet", None) {
        Ok(opened) => opened,
        Err(error) => return printable_message(&error),
    };
    let mut count = 0;
    for batch in rows.take(MAX_BATCHES) {
        match batch {
            Ok(batch) => {
                count += batch.num_rows() as u64;
                for column in batch.columns() {
                    drop(as_text(column).map_err(|error| printable_message(&error)));
                }
            }
            Err(error) => return printable_message(&error),
        }
    }
    assert!(count <= shape.rows, "no more rows than the footer says: {count}");
}
