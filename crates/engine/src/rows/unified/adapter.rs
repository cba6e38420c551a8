//! Batches of a file with the columns of its table.

use super::FileTraits;
use super::convert::{Unconverted, convert};
use crate::error::EngineError;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow_schema::{DataType, Schema, SchemaRef};
use bedrock_batch_domain::problem::{Problem, shortened};
use std::collections::HashMap;
use std::sync::Arc;

/// Gives batches of one file the columns of its table.
#[derive(Debug, Clone)]
pub struct Adapter {
    file: String,
    schema: SchemaRef,
    /// Origins of the table's columns; `None` if batches have these columns already.
    origins: Option<Vec<Origin>>,
}

/// Origin of the values of a column.
#[derive(Debug, Clone)]
enum Origin {
    /// Column of the file, by its place.
    Inside(usize),
    /// Value that the folders of the file name.
    Folder(Option<String>),
    Missing,
}

impl Adapter {
    /// Creates the adapter for a file with these columns, of a table with the columns of `table`.
    pub fn new(table: &SchemaRef, file: &str, schema: &Schema, traits: &FileTraits) -> Self {
        let adapter = |origins| Self { file: file.to_owned(), schema: Arc::clone(table), origins };
        if table.as_ref() == schema {
            return adapter(None);
        }
        let inside = schema.fields().iter().enumerate();
        let mut origins: HashMap<_, Origin> =
            inside.map(|(place, field)| (traits.names.of(field.name()), Origin::Inside(place))).collect();
        for (name, value) in traits.columns_of_folders(schema) {
            origins.insert(name.into(), Origin::Folder(value.map(str::to_owned)));
        }
        let of_table = table.fields().iter().map(|field| {
            let origin = origins.remove(field.name().as_str());
            origin.unwrap_or(Origin::Missing)
        });
        adapter(Some(of_table.collect()))
    }

    /// Returns rows of the file as rows of the table. Columns that need no conversion are not copied.
    ///
    /// # Errors
    /// Returns `InvalidInput` if a value is none of the type that its column has in the table.
    pub fn adapt(&self, batch: &RecordBatch) -> Result<RecordBatch, EngineError> {
        let Some(origins) = &self.origins else { return Ok(batch.clone()) };
        let rows = batch.num_rows();
        // There may be thousands of columns that a file lacks.
        let mut nulls: HashMap<&DataType, ArrayRef> = HashMap::new();
        let mut columns = Vec::with_capacity(origins.len());
        for (field, origin) in self.schema.fields().iter().zip(origins) {
            columns.push(match origin {
                Origin::Inside(place) => {
                    let converted = convert(batch.column(*place), field.data_type());
                    converted.map_err(|why| self.unconverted(field.name(), field.data_type(), why))?
                }
                Origin::Folder(Some(value)) => Arc::new(StringArray::new_repeated(value, rows)),
                Origin::Folder(None) | Origin::Missing => {
                    let of_type = nulls.entry(field.data_type());
                    Arc::clone(of_type.or_insert_with(|| new_null_array(field.data_type(), rows)))
                }
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| EngineError::internal("rows of a file do not fit its table").caused_by(error))
    }

    fn unconverted(&self, column: &str, to: &DataType, why: Unconverted) -> EngineError {
        let to = shortened(&to.to_string());
        let rule = match why {
            Unconverted::Value(rule) => rule.to_owned(),
            Unconverted::Arrow(error) => {
                format!("has values that {to}, the type for all files, does not hold: {error}")
            }
        };
        let place = format!("{}, column `{}`", self.file, shortened(column));
        Problem::without_value(place, rule).remedy("write the column with one type in all files").into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MissingColumns, NameForm, Unifier};
    use super::*;
    use crate::rows::cell_text::as_text;
    use arrow_array::cast::AsArray;
    use arrow_array::{Array, Int8Array, Int32Array, Int64Array};
    use arrow_cast::cast;
    use proptest::prelude::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn texts(cells: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(cells.to_vec()))
    }

    /// Returns the rows of files as one table.
    fn table(files: &[(RecordBatch, FileTraits)]) -> Vec<RecordBatch> {
        let mut unifier = Unifier::new(MissingColumns::AreNull);
        for (rows, traits) in files {
            unifier.add("f", &rows.schema(), traits);
        }
        let schema = unifier.finish().unwrap().schema;
        let adapted =
            files.iter().map(|(rows, traits)| Adapter::new(&schema, "f", &rows.schema(), traits).adapt(rows).unwrap());
        adapted.collect()
    }

    #[test]
    fn rows_of_files_with_the_columns_of_the_table_are_not_copied() {
        let rows = batch(vec![("a", texts(&["x"])), ("b", texts(&["y"]))]);
        let traits = FileTraits::new(NameForm::AsWritten);
        let other = batch(vec![("b", texts(&["y"])), ("a", texts(&["x"]))]);
        let table = table(&[(rows.clone(), traits.clone()), (other.clone(), traits)]);
        assert!(Arc::ptr_eq(&rows.schema(), &table[0].schema()), "the batch is passed on");
        assert!(Arc::ptr_eq(rows.column(0), table[0].column(0)));
        assert!(Arc::ptr_eq(other.column(1), table[1].column(0)), "columns change their places alone");
        assert_eq!(table[0], table[1]);
    }

    #[test]
    fn columns_are_found_by_name_and_missing_ones_are_null() {
        let folder = |value: Option<&str>| FileTraits {
            names: NameForm::One,
            folders: vec![
                ("country".to_owned(), value.map(str::to_owned)),
                ("b".to_owned(), Some("unread".to_owned())),
            ],
        };
        let one = batch(vec![(" b ", texts(&["x", "y"])), ("n", Arc::new(Int32Array::from(vec![1, 2])))]);
        let two = batch(vec![("b", texts(&["z"])), ("m", Arc::new(Int64Array::from(vec![3])))]);
        let table = table(&[(one, folder(Some("DE"))), (two, folder(None))]);
        let names: Vec<String> = table[0].schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, ["b", "n", "country", "m"]);
        assert_eq!(table[0].column(2).as_string::<i32>(), &StringArray::from(vec!["DE", "DE"]));
        assert_eq!(table[1].column(0).as_string::<i32>().value(0), "z");
        let nulls: Vec<usize> =
            table.iter().flat_map(|rows| rows.columns()).map(|column| column.null_count()).collect();
        assert_eq!(nulls, [0, 0, 0, 2, 0, 1, 1, 0]);
    }

    #[test]
    fn columns_that_a_file_lacks_share_their_memory() {
        let names: Vec<String> = (0..1000).map(|number| format!("c{number}")).collect();
        let wide = batch(names.iter().map(|name| (name.as_str(), texts(&["x"]))).collect());
        let narrow = batch(vec![("c0", texts(&["y"; 4096]))]);
        let traits = FileTraits::new(NameForm::AsWritten);
        let table = table(&[(wide, traits.clone()), (narrow, traits)]);
        assert!(Arc::ptr_eq(table[1].column(1), table[1].column(999)));
    }

    /// Returns a column of these numbers in one of several types.
    fn in_type(numbers: &[i8], of: usize) -> ArrayRef {
        let whole: ArrayRef = Arc::new(Int8Array::from(numbers.to_vec()));
        let texts = as_text(&whole).unwrap();
        let to = [DataType::Int8, DataType::Int16, DataType::Int64, DataType::Decimal128(5, 0), DataType::Null];
        match to.get(of) {
            Some(DataType::Null) => new_null_array(&DataType::Null, numbers.len()),
            Some(to) => cast(&whole, to).unwrap(),
            None => Arc::new(texts),
        }
    }

    proptest! {
        #[test]
        fn every_cell_of_every_file_is_in_the_table_or_the_files_are_refused(
            files in prop::collection::vec((prop::collection::vec(any::<i8>(), 1..4), 0..7_usize, 0..5_usize, any::<u8>()), 1..5),
        ) {
            let traits = FileTraits::new(NameForm::AsWritten);
            let batches: Vec<RecordBatch> = files.iter().map(|(numbers, one, two, form)| {
                let mut columns = vec![("id", in_type(numbers, 5)), ("one", in_type(numbers, *one)), ("two", in_type(numbers, *two))];
                columns.rotate_left(usize::from(form % 3));
                columns.retain(|(name, _)| *name != "two" || form & 8 == 0);
                RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
            }).collect();
            let mut unifier = Unifier::new(MissingColumns::AreNull);
            for batch in &batches {
                unifier.add("f", &batch.schema(), &traits);
            }
            // Texts and numbers are no column of one type.
            let has = |texts: bool| files.iter().any(|(_, one, ..)| *one != 4 && (*one >= 5) == texts);
            let Ok(unified) = unifier.finish() else {
                prop_assert!(has(true) && has(false));
                return Ok(());
            };
            prop_assert!(!has(true) || !has(false));
            for batch in &batches {
                let adapted = Adapter::new(&unified.schema, "f", &batch.schema(), &traits).adapt(batch).unwrap();
                prop_assert_eq!(adapted.schema(), Arc::clone(&unified.schema));
                for (field, column) in unified.schema.fields().iter().zip(adapted.columns()) {
                    let expected = match batch.column_by_name(field.name()) {
                        Some(own) => as_text(own).unwrap(),
                        None => StringArray::new_null(batch.num_rows()),
                    };
                    prop_assert_eq!(as_text(column).unwrap(), expected);
                }
            }
        }
    }

    #[test]
    fn a_value_that_the_table_cannot_hold_names_its_file_and_column() {
        let whole = batch(vec![("n", Arc::new(Int64Array::from(vec![i64::MAX])))]);
        let to = Arc::new(Schema::new(vec![arrow_schema::Field::new("n", DataType::Float64, true)]));
        let adapter = Adapter::new(&to, "s3://b/a.parquet", &whole.schema(), &FileTraits::new(NameForm::One));
        let message = adapter.adapt(&whole).unwrap_err().message();
        let expected = "s3://b/a.parquet, column `n`: has whole numbers beyond 2^53";
        assert!(message.contains(expected), "{message}");
    }
}
