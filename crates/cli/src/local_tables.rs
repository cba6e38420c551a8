//! Tables on this machine, read as a run reads them once they are uploaded.

use crate::failure::Failure;
use crate::local_files::input_files_under;
use bedrock_batch_domain::columns::RECORD_ID;
use bedrock_batch_domain::input::{CsvOptions, IMAGE_COLUMN};
use bedrock_batch_engine::rows::csv_dialect::CsvReading;
use bedrock_batch_engine::rows::csv_inspect::inspect_csv;
use bedrock_batch_engine::rows::csv_text::{is_csv_name, uncompressed_name};
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Table, as far as it was read.
#[derive(Debug, Default)]
pub(crate) struct LocalTable {
    /// Names of the columns.
    pub(crate) columns: Vec<String>,
    /// Number of rows, if all of them were read.
    pub(crate) rows: Option<u64>,
    /// Warnings with their number of occurrences.
    pub(crate) warnings: BTreeMap<String, u64>,
}

impl LocalTable {
    /// Reads a file or a folder of files; `csv` is the form of CSV files. For a folder of images, returns the columns that
    /// rows of images have.
    pub(crate) fn read(path: &Path, csv: &CsvOptions) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let cannot = |error: std::io::Error| Failure::Usage(format!("{shown}: {error}"));
        let is_folder = std::fs::metadata(path).map_err(cannot)?.is_dir();
        let files = if is_folder { input_files_under(path).map_err(cannot)? } else { vec![path.to_owned()] };
        if files.is_empty() {
            return Err(Failure::Usage(format!("{shown}: the folder contains no files")));
        }
        let Some(first) = files.iter().find(|file| is_csv(file) || is_parquet(file)) else {
            let columns = [RECORD_ID, IMAGE_COLUMN, "file_name"].map(str::to_owned).to_vec();
            return Ok(Self { columns, ..Self::default() });
        };
        // Among images, tables are not the input.
        if files.iter().all(|file| is_csv(file) || is_parquet(file)) {
            check_together(&shown, &files)?;
        }
        if is_parquet(first) {
            let rows = ParquetRows::open(File::open(first).map_err(cannot)?, &first.display().to_string(), None)?;
            let columns = rows.0.schema.fields().iter().map(|field| field.name().clone()).collect();
            return Ok(Self { columns, ..Self::default() });
        }
        // Among other files, which may be images, a table is not certain to be the input.
        let tables: &[PathBuf] =
            if files.iter().all(|file| is_csv(file)) { &files } else { std::slice::from_ref(first) };
        Self::of_csv(tables, csv)
    }

    fn of_csv(files: &[PathBuf], csv: &CsvOptions) -> Result<Self, Failure> {
        let reading = CsvReading::of_input(csv);
        let mut table = Self::default();
        for (number, file) in files.iter().enumerate() {
            let name = file.display().to_string();
            let found = inspect_csv(|| Ok(File::open(file)?), &name, &reading, false)?;
            let columns: Vec<String> = found.schema.fields().iter().map(|field| field.name().clone()).collect();
            if number == 0 {
                table.columns = columns;
            } else if columns != table.columns {
                let first = files[0].display();
                return Err(Failure::Usage(format!("{name}: has other columns than {first}: they must be the same")));
            }
            *table.rows.get_or_insert(0) += found.rows;
            for (warning, count) in found.warnings {
                *table.warnings.entry(warning).or_default() += count;
            }
        }
        if table.rows == Some(0) {
            let shown = files[0].display();
            return Err(Failure::Usage(format!("{shown}: contains a header, but no rows")));
        }
        Ok(table)
    }

    /// Returns the warnings as lines.
    pub(crate) fn warning_lines(&self) -> impl Iterator<Item = String> {
        self.warnings.iter().map(|(warning, count)| format!("warning: {warning}: {count}"))
    }
}

/// Checks that tables of one folder may be one input.
fn check_together(folder: &str, files: &[PathBuf]) -> Result<(), Failure> {
    if files.iter().any(|file| is_csv(file)) && files.iter().any(|file| is_parquet(file)) {
        return Err(Failure::Usage(format!("{folder}: contains both CSV and Parquet files; split it")));
    }
    let mut uncompressed = HashSet::new();
    let is_copy = |file: &&PathBuf| !uncompressed.insert(uncompressed_name(&file.to_string_lossy()).to_owned());
    files.iter().find(is_copy).map_or(Ok(()), |copy| {
        let rule = "has the rows of another file, and is compressed otherwise; remove one of the two";
        Err(Failure::Usage(format!("{}: {rule}", copy.display())))
    })
}

/// Returns true for the name of a CSV file.
pub(crate) fn is_csv(file: &Path) -> bool {
    file.file_name().and_then(|name| name.to_str()).is_some_and(is_csv_name)
}

/// Returns true for the name of a Parquet file.
pub(crate) fn is_parquet(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    extension.eq_ignore_ascii_case("parquet") || extension.eq_ignore_ascii_case("pq")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)], csv: &CsvOptions) -> Result<LocalTable, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        LocalTable::read(folder.path(), csv).map_err(|failure| failure.to_string())
    }

    #[test]
    fn local_tables_are_read_as_a_run_reads_them() {
        let csv = CsvOptions::default();
        let table = read(&[("a.csv", "id; text\n1;a\n"), ("b.tsv", "id\ttext\n2\tb\n3\tc\n")], &csv).unwrap();
        assert_eq!((table.columns.as_slice(), table.rows), (["id".to_owned(), "text".to_owned()].as_slice(), Some(3)));
        assert_eq!(table.warnings.len(), 2, "{:?}", table.warnings);
        let named = CsvOptions { delimiter: Some(','), ..CsvOptions::default() };
        assert_eq!(read(&[("a.csv", "id;text\n1;a\n")], &named).unwrap().columns, ["id;text"]);
    }

    #[test]
    fn what_a_run_would_refuse_is_refused_before_the_upload() {
        let refused = |files: &[(&str, &str)]| read(files, &CsvOptions::default()).unwrap_err();
        assert!(refused(&[("a.csv", "a,b\n1,\"x\" y\n")]).contains("line 2: there is text after a closing quote"));
        assert!(refused(&[("a.csv", "a\n")]).contains("a.csv: contains a header, but no rows"));
        assert!(refused(&[("a.csv", "a\n1\n"), ("b.csv", "b\n1\n")]).contains("b.csv: has other columns than"));
        assert!(refused(&[("a.csv", "PK\u{3}\u{4}")]).contains("Excel workbook"));
        assert!(refused(&[("a.csv", "a\n1\n"), ("b.parquet", "")]).contains("contains both CSV and Parquet files"));
        let copies = refused(&[("a.csv", "a\n1\n"), ("a.csv.gz", "a\n1\n"), ("b.csv.gz", "a\n1\n")]);
        assert!(copies.contains("a.csv.gz: has the rows of another file"), "{copies}");
    }
}
