//! Reader of Parquet as Arrow batches, from any source with random access.

use super::int96_times::with_microseconds;
use super::parquet_batches::{Batches, ReaderSpec};
use super::parquet_guard::{MAX_PAGE_BYTES, caught, check_footer};
use super::row_bytes::cell_bytes;
use super::table_shape::FileShape;
use super::text_views::{own_rows, with_views};
use super::watched_source::{SourceFailure, WatchedSource};
use super::{BATCH_BYTES, MAX_CELL_BYTES, cell_too_large, too_many_columns};
use crate::error::EngineError;
use arrow_array::RecordBatch;
use arrow_array::timezone::Tz;
use arrow_schema::{DataType, Schema, SchemaRef};
use bedrock_batch_domain::lake_table::ICEBERG_SCHEMA;
use bedrock_batch_domain::problem::{Problem, shortened};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::reader::ChunkReader;
use std::collections::HashSet;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

/// Iterator over a Parquet file as batches.
pub struct ParquetRows {
    batches: Batches,
    schema: SchemaRef,
    file: File,
    /// Number of rows before the current batch.
    position: u64,
    current: Option<CurrentBatch>,
    done: bool,
}

/// Batch whose rows are returned in parts.
struct CurrentBatch {
    rows: RecordBatch,
    row_bytes: Vec<usize>,
    /// Number of rows that were returned.
    returned: usize,
}

/// The file that is read, for its errors.
struct File {
    name: String,
    origin: Origin,
    failure: SourceFailure,
}

/// Origin of a file, which decides who has to act if it is damaged.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// An input, which its owner has to correct.
    Input,
    /// An intermediate file of a run, which was damaged since it was written.
    Run,
}

impl File {
    /// The error of the source if it failed, else that of the file itself.
    fn error(&self, rule: &str, error: impl std::fmt::Display) -> EngineError {
        self.failure.take().unwrap_or_else(|| match self.origin {
            Origin::Input => Problem::without_value(&self.name, format!("{rule}: {error}")).into(),
            Origin::Run => EngineError::corrupt(format!("{} {rule}: {error}", self.name)),
        })
    }

    /// The error of a file that does not fit into memory, however few of its rows are read at a time.
    fn too_large(&self) -> EngineError {
        let rule =
            format!("a single row and the pages that it is in take more than {} MiB of memory", MAX_PAGE_BYTES >> 20);
        match self.origin {
            Origin::Input => {
                Problem::without_value(&self.name, rule).remedy("write smaller pages, or smaller row groups").into()
            }
            Origin::Run => EngineError::corrupt(format!("{}: {rule}", self.name)),
        }
    }

    fn is_input(&self) -> bool {
        matches!(self.origin, Origin::Input)
    }

    /// Returns the problem of an input that is over a limit.
    fn check(&self, problem: Option<Problem>) -> Result<(), EngineError> {
        problem.filter(|_| self.is_input()).map_or(Ok(()), |problem| Err(problem.into()))
    }
}

/// Content of a Parquet file's footer.
#[derive(Debug, Clone)]
pub struct ParquetShape {
    /// Number of rows.
    pub rows: u64,
    /// Schema of the columns.
    pub schema: SchemaRef,
    /// If true, it was written for an Iceberg table.
    pub is_of_iceberg: bool,
}

impl ParquetShape {
    /// Returns the shape of the file, which is a part of a table.
    pub fn of_file(self, file: &str) -> FileShape {
        let why_empty = Problem::without_value(file, "contains no rows").remedy("add rows");
        FileShape { rows: self.rows, schema: self.schema, ..FileShape::empty(why_empty) }
    }
}

impl ParquetRows {
    /// Opens an input to read the columns with these names, or all columns if that is `None`.
    ///
    /// # Errors
    /// Returns `InvalidInput` if it is not a readable Parquet file, else the error of the source.
    pub fn open<R: ChunkReader + 'static>(
        input: R,
        file: &str,
        columns: Option<&[&str]>,
    ) -> Result<(ParquetShape, Self), EngineError> {
        Self::open_of(Origin::Input, input, file, columns)
    }

    /// Opens an intermediate file of a run.
    ///
    /// # Errors
    /// Returns `Corrupt` if it is not a readable Parquet file, else the error of the source.
    pub fn open_of_run<R: ChunkReader + 'static>(
        input: R,
        file: &str,
        columns: Option<&[&str]>,
    ) -> Result<Self, EngineError> {
        Self::open_of(Origin::Run, input, file, columns).map(|(_, rows)| rows)
    }

    fn open_of<R: ChunkReader + 'static>(
        origin: Origin,
        input: R,
        file: &str,
        columns: Option<&[&str]>,
    ) -> Result<(ParquetShape, Self), EngineError> {
        const UNREADABLE: &str = "cannot be read as Parquet";
        let file = File { name: file.to_owned(), origin, failure: SourceFailure::default() };
        let input = WatchedSource::new(input, &file.failure);
        let too_large = check_footer(&input, &file.name).map_err(|error| file.error(UNREADABLE, error))?;
        file.check(too_large)?;
        let metadata = caught(|| ArrowReaderMetadata::load(&input, ArrowReaderOptions::default()));
        let metadata = metadata.map_err(|error| file.error(UNREADABLE, error))?;
        let rows = u64::try_from(metadata.metadata().file_metadata().num_rows());
        let rows = rows.map_err(|_| file.error(UNREADABLE, "its number of rows is negative"))?;
        let read_as = with_microseconds(metadata.schema(), metadata.parquet_schema());
        let schema = without_metadata(&read_as);
        let entries = metadata.metadata().file_metadata().key_value_metadata();
        let is_of_iceberg = entries.is_some_and(|entries| entries.iter().any(|entry| entry.key == ICEBERG_SCHEMA));
        file.check(too_many_columns(&file.name, schema.fields().len()))?;
        file.check(unknown_time_zone(&file.name, &schema))?;
        let mut seen = HashSet::new();
        if let Some(field) = schema.fields().iter().find(|field| !seen.insert(field.name().as_str())) {
            return Err(Problem::new(file.name, field.name(), "this column name occurs twice").into());
        }
        let projection = match columns {
            None => ProjectionMask::all(),
            Some(names) => {
                // Not `ProjectionMask::columns`, for which a dot in a column's name separates the name from that of a member.
                let roots = metadata.parquet_schema().root_schema().get_fields().iter().enumerate();
                let wanted = roots.filter(|(_, root)| names.contains(&root.name())).map(|(at, _)| at);
                ProjectionMask::roots(metadata.parquet_schema(), wanted.collect::<Vec<_>>())
            }
        };
        let options = ArrowReaderOptions::default().with_schema(Arc::new(with_views(&read_as)));
        let metadata = caught(|| ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options));
        let metadata = metadata.map_err(|error| file.error(UNREADABLE, error))?;
        let batches = caught(|| Batches::open(input, ReaderSpec { metadata, projection }));
        let batches = batches.map_err(|error| file.error(UNREADABLE, error))?;
        let read = batches.schema();
        let fields = read.fields().iter().map(|field| schema.field_with_name(field.name()).cloned());
        let fields = fields.collect::<Result<Vec<_>, _>>();
        let fields = fields.map_err(|error| EngineError::internal("a column of Parquet was lost").caused_by(error))?;
        let shape = ParquetShape { rows, schema, is_of_iceberg };
        let schema = Arc::new(Schema::new(fields));
        Ok((shape, Self { batches, schema, file, position: 0, current: None, done: false }))
    }

    /// Returns the schema of the columns that are read.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl ParquetRows {
    /// Returns the next part of the current batch.
    fn next_part(&mut self) -> Option<Result<RecordBatch, EngineError>> {
        let part = self.current.as_mut()?.next_part();
        match (part, &self.current) {
            (Some(part), Some(current)) => Some(own_rows(&current.rows, part, &self.schema)),
            _ => {
                self.current = None;
                None
            }
        }
    }

    /// Measures a batch, whose rows may share texts.
    fn measured(&self, rows: RecordBatch) -> Result<CurrentBatch, EngineError> {
        let mut row_bytes = vec![0_usize; rows.num_rows()];
        for (field, column) in self.schema.fields().iter().zip(rows.columns()) {
            for (row, (sum, bytes)) in row_bytes.iter_mut().zip(cell_bytes(column)).enumerate() {
                if bytes > MAX_CELL_BYTES && self.file.is_input() {
                    let position = format!("{} row {}", self.file.name, self.position + row as u64 + 1);
                    return Err(cell_too_large(&position, field.name(), bytes).into());
                }
                *sum = sum.saturating_add(bytes);
            }
        }
        Ok(CurrentBatch { rows, row_bytes, returned: 0 })
    }
}

impl CurrentBatch {
    /// Returns the next rows that make a batch of about `BATCH_BYTES`.
    fn next_part(&mut self) -> Option<Range<usize>> {
        let start = self.returned;
        let mut bytes = 0_usize;
        for row in &self.row_bytes[start..] {
            if self.returned > start && bytes.saturating_add(*row) > BATCH_BYTES {
                break;
            }
            bytes = bytes.saturating_add(*row);
            self.returned += 1;
        }
        (self.returned > start).then_some(start..self.returned)
    }
}

impl Iterator for ParquetRows {
    type Item = Result<RecordBatch, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            if let Some(part) = self.next_part() {
                return Some(part);
            }
            let next = caught(|| Ok(self.batches.next())).unwrap_or_else(|error| Some(Err(error.into())));
            let measured = match next {
                None => {
                    self.done = true;
                    return None;
                }
                Some(Ok(rows)) => self.measured(rows),
                Some(Err(_)) if self.batches.are_too_large() => Err(self.file.too_large()),
                Some(Err(error)) => Err(self.file.error("has damaged Parquet data", error)),
            };
            match measured {
                Ok(batch) => {
                    self.position += batch.rows.num_rows() as u64;
                    self.current = Some(batch);
                }
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// Returns the problem of a column of times in a zone that nothing here knows: they could not be written as text.
fn unknown_time_zone(file: &str, schema: &Schema) -> Option<Problem> {
    let fields = schema.flattened_fields();
    let mut zones = fields.into_iter().filter_map(|field| match field.data_type() {
        DataType::Timestamp(_, Some(zone)) => Some((field, zone)),
        _ => None,
    });
    let (field, _) = zones.find(|(_, zone)| Tz::from_str(zone).is_err())?;
    let rule = format!("has times in the unknown zone of {}", shortened(&field.data_type().to_string()));
    let remedy = "name a zone of the IANA database such as `Europe/Berlin`, or convert the times to UTC";
    Some(Problem::without_value(format!("{file}, column `{}`", shortened(field.name())), rule).remedy(remedy))
}

/// Removes the metadata that writers add to the schema (such as the index of pandas), which would outlive the columns that it
/// describes.
fn without_metadata(schema: &Schema) -> SchemaRef {
    Arc::new(Schema::new(schema.fields().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_schema::{Field, TimeUnit};

    fn schema(zone: Option<&str>) -> Schema {
        let times = DataType::Timestamp(TimeUnit::Millisecond, zone.map(Into::into));
        let list = DataType::List(Arc::new(Field::new("item", times, true)));
        Schema::new(vec![Field::new("id", DataType::Int64, false), Field::new("seen", list, true)])
    }

    #[test]
    fn a_time_zone_that_nothing_knows_is_a_problem_of_its_column() {
        for zone in [None, Some("UTC"), Some("Europe/Berlin"), Some("+02:00")] {
            assert_eq!(unknown_time_zone("a.parquet", &schema(zone)), None);
        }
        let problem = unknown_time_zone("a.parquet", &schema(Some("Europe0Berlin"))).unwrap().to_string();
        assert!(problem.starts_with("a.parquet, column `item`: has times in the unknown zone of "), "{problem}");
        assert!(problem.contains("Europe0Berlin"), "{problem}");
    }
}
