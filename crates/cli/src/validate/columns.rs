//! Columns and rows of a local file or of a folder of files.

use crate::failure::Failure;
use crate::local_files::input_files_under;
use crate::local_tables::{LocalTable, is_csv, is_parquet};
use bedrock_batch_domain::columns::RECORD_ID;
use bedrock_batch_domain::image::looks_like_image;
use bedrock_batch_domain::input::{CsvOptions, IMAGE_COLUMN, InputType};
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_engine::images::is_image_name;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Columns and number of rows of a local input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalInput {
    pub(super) columns: Vec<String>,
    /// Number of rows, if all of them are known.
    pub(super) rows: Option<u64>,
    /// Warnings, as lines.
    pub(super) warnings: Vec<String>,
}

/// Number of bytes by which images are recognized.
const FIRST_BYTES: u64 = 1024;

/// Returns the columns of the first CSV or Parquet file at `path`, a file or a folder, and the number of rows of all of them. For
/// images, returns the columns that rows of images have. `field` is the field that names the path, `csv` the form of CSV files.
pub(super) fn of(path: &Path, input_type: InputType, csv: &CsvOptions, field: &str) -> Result<LocalInput, Failure> {
    let shown = path.display().to_string();
    let cannot = |error: std::io::Error| Failure::Usage(format!("{shown}: {error}"));
    let is_folder = std::fs::metadata(path).map_err(cannot)?.is_dir();
    let files = if is_folder { input_files_under(path).map_err(cannot)? } else { vec![path.to_owned()] };
    if files.is_empty() {
        return Err(Failure::Usage(format!("{shown}: the folder contains no files")));
    }
    let (tables, others): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|file| is_csv(file) || is_parquet(file));
    let images = others.iter().map(|file| is_image(file)).collect::<Result<Vec<bool>, _>>().map_err(cannot)?;
    let image_count = images.iter().filter(|is_image| **is_image).count();
    match input_type {
        // A table among images can be named itself.
        InputType::Image if tables.is_empty() || image_count > 0 => {
            if image_count == 0 {
                let remedy = "name a folder of images, or a table that names them";
                return Err(usage(&Problem::new(field, &shown, "contains no image").remedy(remedy)));
            }
            let columns = [RECORD_ID, IMAGE_COLUMN, "file_name"].map(str::to_owned).to_vec();
            Ok(LocalInput { columns, rows: Some(image_count as u64), warnings: Vec::new() })
        }
        InputType::Text if tables.is_empty() && image_count > 0 => {
            let remedy = "set input_type to `image`, so that each of them is sent as a row";
            Err(usage(&Problem::new(field, &shown, "contains images, but input_type is `text`").remedy(remedy)))
        }
        InputType::Text if !others.is_empty() => {
            let other = others.first().map(|file| file.display().to_string()).unwrap_or_default();
            let rule = "is neither CSV nor Parquet by its name (.csv, .parquet)";
            let remedy = match extension(Path::new(&other)).as_str() {
                "xlsx" | "xls" | "xlsm" | "ods" => "save the sheet as CSV UTF-8, and name that file",
                _ => "convert it, or keep it out of the folder",
            };
            Err(usage(&Problem::new(field, other, rule).remedy(remedy)))
        }
        InputType::Image | InputType::Text => of_tables(path, &tables, csv),
    }
}

fn usage(problem: &Problem) -> Failure {
    Failure::Usage(problem.to_string())
}

fn of_tables(path: &Path, tables: &[PathBuf], csv: &CsvOptions) -> Result<LocalInput, Failure> {
    let table = LocalTable::read(path, csv)?;
    let warnings = table.warning_lines().collect();
    let rows = match table.rows {
        None if tables.iter().all(|file| is_parquet(file)) => Some(rows_of_parquet(tables)?),
        rows => rows,
    };
    if rows == Some(0) {
        return Err(Failure::Usage(format!("{}: contains no rows; add rows", path.display())));
    }
    Ok(LocalInput { columns: table.columns, rows, warnings })
}

fn rows_of_parquet(tables: &[PathBuf]) -> Result<u64, Failure> {
    let mut rows = 0;
    for file in tables {
        let name = file.display().to_string();
        let open = File::open(file).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
        rows += ParquetRows::open(open, &name, None)?.0.rows;
    }
    Ok(rows)
}

/// Returns true for an image by its name, or else by its first bytes.
fn is_image(file: &Path) -> std::io::Result<bool> {
    if file.file_name().and_then(|name| name.to_str()).is_some_and(is_image_name) {
        return Ok(true);
    }
    let mut first = Vec::new();
    File::open(file)?.take(FIRST_BYTES).read_to_end(&mut first)?;
    Ok(looks_like_image(&first))
}

fn extension(file: &Path) -> String {
    file.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Returns the content of a file: the first bytes of an image or of a workbook, or a text.
    fn content(of: &str) -> &[u8] {
        match of {
            "<png>" => b"\x89PNG\r\n\x1a\n",
            "<zip>" => b"PK\x03\x04",
            text => text.as_bytes(),
        }
    }

    fn found(files: &[(&str, &str)], input_type: InputType) -> Result<LocalInput, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, of) in files {
            std::fs::write(folder.path().join(name), content(of)).unwrap();
        }
        let path = match files {
            [(name, _)] => folder.path().join(name),
            _ => folder.path().to_owned(),
        };
        of(&path, input_type, &CsvOptions::default(), "s3_uri").map_err(|failure| failure.to_string())
    }

    #[rstest]
    #[case(&[("a.csv", "x,y\n1,\"2\n3\"\n4,5\n")], InputType::Text, "x y", 2)]
    #[case(&[("a.csv", "x\n1\n"), ("b.csv", "x\n2\n3\n")], InputType::Text, "x", 3)]
    #[case(&[("a.csv", "x\n1\n"), ("_SUCCESS", ""), ("_b.csv", "y\n2\n")], InputType::Text, "x", 1)]
    #[case(&[("a.jpg", ""), ("_old.jpg", "")], InputType::Image, "record_id image_path file_name", 1)]
    #[case(&[("a.csv", "image_path\n1\n")], InputType::Image, "image_path", 1)]
    #[case(&[("a.jpg", ""), ("b.jfif", ""), ("no_ending", "<png>"), ("notes.txt", "x")], InputType::Image, "record_id image_path file_name", 3)]
    #[case(&[("no_ending", "<png>")], InputType::Image, "record_id image_path file_name", 1)]
    fn rows_of_local_inputs_are_counted(
        #[case] files: &[(&str, &str)],
        #[case] input_type: InputType,
        #[case] columns: &str,
        #[case] rows: u64,
    ) {
        let found = found(files, input_type).unwrap();
        assert_eq!((found.columns.join(" ").as_str(), found.rows), (columns, Some(rows)));
    }

    #[rstest]
    #[case::header(&[("a.csv", "x,y\n")], InputType::Text, "contains a header, but no rows")]
    #[case::workbook(&[("rows.xlsx", "<zip>")], InputType::Text, "is neither CSV nor Parquet by its name (.csv, .parquet); save the sheet as CSV")]
    #[case::workbook_for_images(&[("rows.xlsx", "<zip>")], InputType::Image, "contains no image")]
    #[case::images(&[("a.jpg", "<png>"), ("b.png", "<png>")], InputType::Text, "contains images, but input_type is `text`; set input_type to `image`")]
    #[case::image(&[("a.jpg", "<png>")], InputType::Text, "contains images, but input_type is `text`")]
    #[case::among_tables(&[("a.csv", "x\n1\n"), ("b.txt", "x")], InputType::Text, "b.txt`: is neither CSV nor Parquet by its name")]
    fn inputs_that_a_run_would_refuse_are_told(
        #[case] files: &[(&str, &str)],
        #[case] input_type: InputType,
        #[case] expected: &str,
    ) {
        let refused = found(files, input_type).unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
}
