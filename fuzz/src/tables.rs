//! Tables: CSV, JSON lines and Parquet.

use super::printable_message;
use bedrock_batch_domain::input::{CsvHeader, CsvOptions};
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::rows::cell_text::as_text;
use bedrock_batch_engine::rows::csv_dialect::CsvReading;
use bedrock_batch_engine::rows::csv_inspect::inspect_csv;
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::csv_write::{CsvFile, CsvStyle};
use bedrock_batch_engine::rows::jsonl::{JsonRows, JsonTable};
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bytes::Bytes;
use std::sync::Arc;

/// Maximum number of batches that are read of one file: a few bytes of Parquet can promise any number of rows.
const MAX_BATCHES: usize = 64;

/// Checks the reading of a CSV in the form that is found, and in a form that the bytes themselves choose: it gives as many rows as
/// were counted, or says what is wrong; what it gives can be written and is read again as it was.
pub fn csv(bytes: &[u8]) {
    csv_in_form(bytes, &CsvReading::default());
    let (form, text) = bytes.split_at(bytes.len().min(FORM_BYTES));
    csv_in_form(text, &CsvReading::of_input(&options(form)));
    csv_in_form(text, &CsvReading::of_answers(form.first().is_some_and(|byte| byte % 2 == 0)));
}

/// Number of bytes that choose a form.
const FORM_BYTES: usize = 4;

/// Returns the options that some bytes choose.
fn options(form: &[u8]) -> CsvOptions {
    let byte = |at: usize| usize::from(form.get(at).copied().unwrap_or_default());
    let quotes = [None, Some("'".to_owned()), Some(String::new()), None];
    let quote = quotes[byte(1) % 4].clone();
    let escape = (byte(1) & 4 != 0 && quote.as_deref() != Some("")).then_some('\\');
    let header = match byte(2) % 3 {
        0 => CsvHeader::InFile(true),
        1 => CsvHeader::InFile(false),
        _ => CsvHeader::Names(vec!["a".to_owned(), "b".to_owned()]),
    };
    CsvOptions {
        delimiter: [None, Some(','), Some(';'), Some('\t'), Some('|')][byte(0) % 5],
        quote,
        escape,
        encoding: [None, None, None, Some("windows-1252"), Some("utf-16le")][byte(3) % 5].map(str::to_owned),
        header,
        comment: (byte(1) & 8 != 0).then_some('#'),
        skip_rows: byte(2) as u64 / 64,
        null_values: if byte(3) & 64 == 0 { Vec::new() } else { vec!["NA".to_owned()] },
        lenient: byte(3) & 128 != 0,
    }
}

fn csv_in_form(bytes: &[u8], reading: &CsvReading) {
    match inspect_csv(|| Ok(bytes), "a.csv", reading, true) {
        Ok(shape) => {
            if let Ok(rows) = CsvRows::read(bytes, "a.csv", reading, shape.types.as_ref()) {
                rows.take(MAX_BATCHES).for_each(|batch| drop(batch.map_err(|error| printable_message(&error))));
            }
            if let Some((rows, written)) = rewritten(bytes, reading) {
                assert_eq!(shape.rows, rows, "the count is that of the rows");
                let again = rewritten(&written, &CsvReading::of_answers(false));
                // A name of the first column that begins with a byte order mark would lose it at the beginning of a file.
                assert!(
                    written.starts_with(b"\xef\xbb\xbf") || again == Some((rows, written)),
                    "what was written is read"
                );
            }
        }
        Err(error) => printable_message(&error),
    }
}

/// Reads a CSV and returns the number of its rows and what is written of them; `None` if it is not valid.
fn rewritten(bytes: &[u8], reading: &CsvReading) -> Option<(u64, Vec<u8>)> {
    let read = || -> Result<(u64, Vec<u8>), EngineError> {
        let rows = CsvRows::read(bytes, "a.csv", reading, None)?;
        let mut file = CsvFile::create(Vec::new(), &rows.schema(), CsvStyle::default())?;
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

/// Checks the reading of JSON lines, in one file and in two: as many rows as were counted, all of whose cells can be shown, or there
/// is a reason.
pub fn jsonl(bytes: &[u8]) {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    json_lines(&[bytes]);
    json_lines(&[first, second]);
}

fn json_lines(files: &[&[u8]]) {
    let mut table = JsonTable::default();
    let added = files.iter().try_for_each(|file| table.add_file(*file, "a.jsonl"));
    let shape = match added.and_then(|()| Ok(table.finish()?)) {
        Ok(shape) => shape,
        Err(error) => return printable_message(&error),
    };
    let mut rows = 0;
    for file in files {
        let batches = JsonRows::open(*file, "a.jsonl", Arc::clone(&shape.columns));
        let read = batches.and_then(|mut batches| {
            batches.try_for_each(|batch| {
                let batch = batch?;
                rows += batch.num_rows() as u64;
                batch.columns().iter().try_for_each(|column| as_text(column).map(drop))
            })
        });
        assert!(read.is_ok(), "what was counted is read and shown: {read:?}");
    }
    assert_eq!(rows, shape.rows, "the count is that of the rows");
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
