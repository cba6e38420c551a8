//! Columns of a local file or of a folder of files.

use crate::failure::Failure;
use crate::local_files::files_under;
use bedrock_batch_domain::columns::RECORD_ID;
use bedrock_batch_domain::input::IMAGE_COLUMN;
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use std::fs::File;
use std::path::Path;

/// Returns the column names of a CSV or Parquet file, or of the first such file of a folder. For a folder of images,
/// returns the columns that rows of images have.
pub(super) fn of(path: &Path) -> Result<Vec<String>, Failure> {
    let shown = path.display().to_string();
    let cannot = |error: std::io::Error| Failure::Usage(format!("{shown}: {error}"));
    let is_folder = std::fs::metadata(path).map_err(cannot)?.is_dir();
    let files = if is_folder { files_under(path).map_err(cannot)? } else { vec![path.to_owned()] };
    for file in &files {
        let name = file.display().to_string();
        let schema = match extension(file).as_str() {
            "csv" => CsvRows::open(File::open(file).map_err(cannot)?, &name, None)?.schema(),
            "parquet" | "pq" => ParquetRows::open(File::open(file).map_err(cannot)?, &name, None)?.0.schema,
            _ => continue,
        };
        return Ok(schema.fields().iter().map(|field| field.name().clone()).collect());
    }
    if files.is_empty() {
        return Err(Failure::Usage(format!("{shown}: the folder contains no files")));
    }
    Ok([RECORD_ID, IMAGE_COLUMN, "file_name"].map(str::to_owned).to_vec())
}

fn extension(file: &Path) -> String {
    file.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase()
}
