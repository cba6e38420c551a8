//! Limits on a Parquet file's footer, checked before it is parsed: a column takes ten bytes there, and a hundred times as many in
//! memory.

use super::thrift::{LIST, STRUCT, Thrift};
use crate::rows::MAX_COLUMNS;
use bedrock_batch_domain::problem::Problem;
use parquet::errors::Result;
use parquet::file::reader::ChunkReader;
use std::io;

/// Size of the footer's length and the final `PAR1`.
const TAIL_BYTES: u64 = 8;
/// Maximum size of a footer.
const MAX_FOOTER_BYTES: u64 = 64 << 20;
/// Maximum number of elements of a schema: columns, and what is in them.
const MAX_SCHEMA_ELEMENTS: u64 = 4 * MAX_COLUMNS as u64;
/// Maximum number of column chunks: columns times row groups.
const MAX_COLUMN_CHUNKS: u64 = 250_000;

/// Returns the problem of a footer that is too large to be parsed. A damaged one is left to the reader, which reports it.
///
/// # Errors
/// Returns an error if the source fails.
pub(in crate::rows) fn check_footer<R: ChunkReader>(input: &R, file: &str) -> Result<Option<Problem>> {
    let Some(tail) = input.len().checked_sub(TAIL_BYTES) else { return Ok(None) };
    let bytes = input.get_bytes(tail, 8)?;
    let Some(length) = bytes.first_chunk().map(|length| u64::from(u32::from_le_bytes(*length))) else {
        return Ok(None);
    };
    let Some(start) = tail.checked_sub(length).filter(|_| bytes.ends_with(b"PAR1")) else { return Ok(None) };
    if length > MAX_FOOTER_BYTES {
        let rule = format!("its footer has {length} bytes; at most {MAX_FOOTER_BYTES} are read");
        return Ok(Some(Problem::without_value(file, rule).remedy("write fewer columns, or larger row groups")));
    }
    let Ok(length) = usize::try_from(length) else { return Ok(None) };
    let footer = input.get_bytes(start, length)?;
    let problem = match counted(&footer) {
        Ok(FooterSize { elements, .. }) if elements > MAX_SCHEMA_ELEMENTS => {
            let rule = format!("its schema has {elements} elements; at most {MAX_SCHEMA_ELEMENTS} are read");
            Problem::without_value(file, rule).remedy("keep the columns that the prompt needs")
        }
        Ok(FooterSize { chunks, .. }) if chunks > MAX_COLUMN_CHUNKS => {
            let rule = format!("has {chunks} column chunks; at most {MAX_COLUMN_CHUNKS} are read");
            Problem::without_value(file, rule).remedy("write larger row groups, or fewer columns")
        }
        _ => return Ok(None),
    };
    Ok(Some(problem))
}

/// Numbers of what a footer describes.
#[derive(Debug, Default, PartialEq, Eq)]
struct FooterSize {
    elements: u64,
    chunks: u64,
}

fn counted(footer: &[u8]) -> io::Result<FooterSize> {
    const SCHEMA: i64 = 2;
    const ROW_GROUPS: i64 = 4;
    let mut size = FooterSize::default();
    let mut thrift = Thrift::new(footer);
    let mut latest = 0;
    while let Some(field) = thrift.field(&mut latest)? {
        match (field.id, field.kind) {
            (SCHEMA, LIST) => {
                let (kind, elements) = thrift.list()?;
                size.elements += elements;
                (0..elements).try_for_each(|_| thrift.skip_element(kind))?;
            }
            (ROW_GROUPS, LIST) => {
                let (kind, groups) = thrift.list()?;
                for _ in 0..groups {
                    if kind == STRUCT {
                        size.chunks += chunks_of_group(&mut thrift)?;
                    } else {
                        thrift.skip_element(kind)?;
                    }
                }
            }
            _ => thrift.skip(field.kind)?,
        }
    }
    Ok(size)
}

fn chunks_of_group(thrift: &mut Thrift<&[u8]>) -> io::Result<u64> {
    const COLUMNS: i64 = 1;
    let (mut chunks, mut latest) = (0, 0);
    while let Some(field) = thrift.field(&mut latest)? {
        if (field.id, field.kind) == (COLUMNS, LIST) {
            let (kind, columns) = thrift.list()?;
            chunks += columns;
            (0..columns).try_for_each(|_| thrift.skip_element(kind))?;
        } else {
            thrift.skip(field.kind)?;
        }
    }
    Ok(chunks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::parquet_write::ParquetFile;
    use arrow_array::{ArrayRef, Int64Array, RecordBatch};
    use bytes::Bytes;
    use std::sync::Arc;

    fn file(columns: usize) -> Bytes {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let columns = (0..columns).map(|number| (format!("c{number}"), Arc::clone(&column)));
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut file = ParquetFile::create(Vec::new(), batch.schema()).unwrap();
        file.write(&batch).unwrap();
        file.finish().unwrap().into()
    }

    #[test]
    fn elements_and_chunks_are_counted() {
        let file = file(3);
        let length = u32::from_le_bytes(file[file.len() - 8..][..4].try_into().unwrap()) as usize;
        let footer = &file[file.len() - 8 - length..file.len() - 8];
        // The root is an element too.
        assert_eq!(counted(footer).unwrap(), FooterSize { elements: 4, chunks: 3 });
    }

    #[test]
    fn a_footer_of_too_many_columns_is_not_parsed() {
        assert_eq!(check_footer(&file(100), "a").unwrap(), None);
        let elements = usize::try_from(MAX_SCHEMA_ELEMENTS).unwrap();
        let problem = check_footer(&file(elements), "a").unwrap().unwrap();
        assert!(problem.to_string().starts_with("a: its schema has"), "{problem}");
        assert_eq!(check_footer(&Bytes::from("PAR1 no footer PAR1"), "a").unwrap(), None);
        assert_eq!(check_footer(&Bytes::from("short"), "a").unwrap(), None);
    }
}
