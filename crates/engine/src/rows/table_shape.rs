//! Rows and columns of a table, determined by a first pass over its files.

use super::csv_infer::ColumnTypes;
use super::unified::{FileTraits, MissingColumns, Unifier};
use arrow_schema::{Schema, SchemaRef};
use bedrock_batch_domain::problem::{Problem, Problems};
use bedrock_batch_domain::table_files::EMPTY_FILES;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows and columns of one file.
#[derive(Debug, Clone)]
pub struct FileShape {
    /// Number of rows.
    pub rows: u64,
    /// Columns. Those of a CSV are all of text.
    pub schema: SchemaRef,
    /// Types of the columns of a CSV, if they are inferred.
    pub types: Option<ColumnTypes>,
    /// Warnings with their number of occurrences.
    pub warnings: BTreeMap<String, u64>,
    /// Problem of an input that has no other rows, if the file has none.
    pub why_empty: Problem,
}

impl FileShape {
    /// Creates the shape of a file without anything.
    pub fn empty(why_empty: Problem) -> Self {
        Self { rows: 0, schema: Arc::new(Schema::empty()), types: None, warnings: BTreeMap::new(), why_empty }
    }
}

/// Rows and columns of a table.
#[derive(Debug, Clone)]
pub struct TableShape {
    /// Number of rows.
    pub rows: u64,
    /// Columns with their types.
    pub schema: SchemaRef,
    /// Types of the columns of CSV files, if they are inferred.
    pub types: Option<ColumnTypes>,
    /// Files that were passed over, columns that some files lack, and what was read in another form than it was written, with
    /// their numbers.
    pub warnings: BTreeMap<String, u64>,
}

/// Collects the shape of a table from the shapes of its files, in their order. It keeps nothing per file.
#[derive(Debug)]
pub struct TableInspection {
    rows: u64,
    unifier: Unifier,
    types: Option<ColumnTypes>,
    warnings: BTreeMap<String, u64>,
    empty_files: u64,
    why_empty: Option<Problem>,
}

impl TableInspection {
    /// Creates the shape of a table without files.
    pub fn new(missing: MissingColumns) -> Self {
        Self {
            rows: 0,
            unifier: Unifier::new(missing),
            types: None,
            warnings: BTreeMap::new(),
            empty_files: 0,
            why_empty: None,
        }
    }

    /// Returns the number of rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a file. One without rows is passed over: programs that write in parallel leave such files, often without types.
    /// Returns true if the file has rows.
    pub fn add(&mut self, file: &str, shape: FileShape, traits: &FileTraits) -> bool {
        if shape.rows == 0 {
            self.empty_files += 1;
            self.why_empty.get_or_insert(shape.why_empty);
            return false;
        }
        self.rows += shape.rows;
        self.unifier.add(file, &shape.schema, traits);
        for (warning, count) in shape.warnings {
            *self.warnings.entry(warning).or_default() += count;
        }
        if let Some(types) = shape.types {
            self.types.get_or_insert_default().unite(types);
        }
        true
    }

    /// Returns the table.
    ///
    /// # Errors
    /// Returns the problems of its columns, or that of the first file without rows if all are.
    pub fn finish(mut self) -> Result<TableShape, Problems> {
        if let Some(problem) = self.why_empty.filter(|_| self.rows == 0) {
            return Err(problem.into());
        }
        let unified = self.unifier.finish()?;
        self.warnings.extend(unified.warnings);
        if self.empty_files > 0 {
            self.warnings.insert(EMPTY_FILES.to_owned(), self.empty_files);
        }
        let schema = match &self.types {
            Some(types) => types.typed(&unified.schema),
            None => unified.schema,
        };
        Ok(TableShape { rows: self.rows, schema, types: self.types, warnings: self.warnings })
    }
}

#[cfg(test)]
mod tests {
    use super::super::csv_dialect::CsvReading;
    use super::super::csv_inspect::inspect_csv;
    use super::super::unified::NameForm;
    use super::*;
    use arrow_schema::DataType;

    fn table(files: &[(&str, &str)], with_types: bool) -> Result<TableShape, String> {
        let mut table = TableInspection::new(MissingColumns::AreNull);
        for (name, text) in files {
            let shape = inspect_csv(|| Ok(text.as_bytes()), name, &CsvReading::default(), with_types).unwrap();
            let has_rows = table.add(name, shape, &FileTraits::new(NameForm::AsWritten));
            assert_eq!(has_rows, text.lines().count() > 1);
        }
        table.finish().map_err(|problems| problems.to_string())
    }

    #[test]
    fn files_without_rows_are_passed_over_and_counted() {
        let files =
            [("0.csv", ""), ("1.csv", "id,text\n"), ("2.csv", "text,id\nx,1\n"), ("3.csv", "\n"), ("4.csv", "z\n")];
        let shape = table(&files, false).unwrap();
        let names: Vec<&str> = shape.schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!((shape.rows, names), (1, vec!["text", "id"]));
        assert_eq!(shape.warnings, BTreeMap::from([(EMPTY_FILES.to_owned(), 4)]));
    }

    #[test]
    fn a_table_without_any_row_is_refused_with_the_reason_of_its_first_file() {
        let refused = table(&[("0.csv", ""), ("1.csv", "id,text\n")], false).unwrap_err();
        assert_eq!(refused, "0.csv: is empty; a CSV begins with a line of column names");
        let refused = table(&[("1.csv", "id,text\n"), ("0.csv", "")], false).unwrap_err();
        assert_eq!(refused, "1.csv: contains a header, but no rows; add rows");
    }

    #[test]
    fn types_of_text_files_are_those_of_all_files() {
        let files = [("0.csv", "n,m\n1,x\n"), ("1.csv", "m,n,only\n0.10,1.5,true\n")];
        let shape = table(&files, true).unwrap();
        let types: Vec<&DataType> = shape.schema.fields().iter().map(|field| field.data_type()).collect();
        assert_eq!(types, [&DataType::Float64, &DataType::Utf8, &DataType::Boolean]);
        assert_eq!(shape.types.unwrap().typed(&table(&files, false).unwrap().schema), shape.schema);
    }
}
