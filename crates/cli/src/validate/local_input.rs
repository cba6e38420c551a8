//! Input on this machine, read as a run will read it once it is uploaded.

use crate::failure::Failure;
use crate::local_files::{files_under, name_within};
use bedrock_batch_domain::check::COLUMNS_OF_IMAGES;
use bedrock_batch_domain::image::looks_like_image;
use bedrock_batch_domain::input::{CsvOptions, InputType, sheet_beside};
use bedrock_batch_domain::problem::{Problem, Problems};
use bedrock_batch_domain::table_files::{MARKERS_IGNORED, TableFormat, is_marker};
use bedrock_batch_engine::images::{FIRST_BYTES, ImageCount, ObjectKind, is_image_name};
use bedrock_batch_engine::rows::csv_dialect::CsvReading;
use bedrock_batch_engine::rows::csv_inspect::inspect_csv;
use bedrock_batch_engine::rows::jsonl::JsonTable;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bedrock_batch_engine::rows::workbook::inspect_workbook;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Rule that a folder breaks in which there is nothing to read.
const NO_FILES: &str = "the folder contains no files";

/// Columns and number of rows of a local input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LocalInput {
    pub(super) columns: Vec<String>,
    pub(super) rows: u64,
    /// Warnings with their number of occurrences.
    pub(super) warnings: BTreeMap<String, u64>,
}

/// File of an input.
struct LocalFile {
    path: PathBuf,
    /// Name within the folder that is uploaded.
    name: String,
}

impl LocalInput {
    /// Reads the file or folder at `path`, which `field` names; `csv` is the form of CSV files, `sheet` that of workbooks.
    pub(super) fn read(
        path: &Path,
        input_type: InputType,
        csv: &CsvOptions,
        sheet: Option<&str>,
        field: &str,
    ) -> Result<Self, Failure> {
        let shown = path.display();
        let is_folder = std::fs::metadata(path).map_err(|error| cannot_read(path, &error))?.is_dir();
        let files = files_at(path, is_folder).map_err(|error| cannot_read(path, &error))?;
        if files.is_empty() {
            return Err(Failure::Usage(format!("{shown}: {NO_FILES}")));
        }
        let has_tables = files.iter().any(|file| TableFormat::of(&file.name).is_some());
        // Of images and tables in a folder, images are meant: a table among them can be named itself.
        if input_type == InputType::Image && (!has_tables || files.iter().any(|file| is_image_name(&file.name))) {
            check_unused(csv, sheet, None)?;
            return match count_images(&files)? {
                ImageCount { images: 0, .. } => {
                    let remedy = "name a folder of images, or a table that names them";
                    Err(usage(&Problem::new(field, shown, "contains no image").remedy(remedy)))
                }
                count => Ok(Self {
                    columns: COLUMNS_OF_IMAGES.map(str::to_owned).to_vec(),
                    rows: count.images,
                    warnings: count.warnings(),
                }),
            };
        }
        if !has_tables && count_images(&files)?.images > 0 {
            let remedy = "set input_type to `image`, so that each of them is sent as a row";
            let rule = "contains images, but input_type is `text`";
            return Err(usage(&Problem::new(field, shown, rule).remedy(remedy)));
        }
        let (markers, tables): (Vec<LocalFile>, Vec<LocalFile>) =
            files.into_iter().partition(|file| is_folder && is_marker(&file.name));
        if tables.is_empty() {
            return Err(Failure::Usage(format!("{shown}: {NO_FILES}")));
        }
        let mut table = Self::of_tables(&tables, csv, sheet, field)?;
        if !markers.is_empty() {
            table.warnings.insert(MARKERS_IGNORED.to_owned(), markers.len() as u64);
        }
        Ok(table)
    }

    fn of_tables(files: &[LocalFile], csv: &CsvOptions, sheet: Option<&str>, field: &str) -> Result<Self, Failure> {
        let names: Vec<String> = files.iter().map(|file| file.path.display().to_string()).collect();
        let format = TableFormat::of_all(field, &names).map_err(|problems| Failure::Usage(problems.to_string()))?;
        check_unused(csv, sheet, Some(format))?;
        if format == TableFormat::JsonLines {
            return Self::of_json_lines(files, &names);
        }
        let reading = CsvReading::of_input(csv);
        let mut table = Self::default();
        for (LocalFile { path, .. }, name) in files.iter().zip(&names) {
            let (schema, rows) = match format {
                TableFormat::Csv | TableFormat::Workbook => {
                    let open = || Ok(File::open(path)?);
                    let found = match format {
                        TableFormat::Workbook => inspect_workbook(open()?, name, sheet, false)?,
                        _ => inspect_csv(open, name, &reading, false)?,
                    };
                    for (warning, count) in found.warnings {
                        *table.warnings.entry(warning).or_default() += count;
                    }
                    (found.schema, found.rows)
                }
                TableFormat::JsonLines | TableFormat::Parquet => {
                    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
                    let found = ParquetRows::open(file, name, None)?.0;
                    (found.schema, found.rows)
                }
            };
            let columns: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
            if table.columns.is_empty() {
                table.columns = columns;
            } else if columns != table.columns {
                let first = names.first().map_or("", String::as_str);
                return Err(Failure::Usage(format!("{name}: has other columns than {first}: they must be the same")));
            }
            table.rows += rows;
        }
        if table.rows == 0 {
            let rule = match format {
                TableFormat::Csv | TableFormat::Workbook => "contains a header, but no rows",
                TableFormat::JsonLines | TableFormat::Parquet => "contains no rows",
            };
            return Err(Failure::Usage(format!("{}: {rule}; add rows", names.first().map_or("", String::as_str))));
        }
        Ok(table)
    }

    fn of_json_lines(files: &[LocalFile], names: &[String]) -> Result<Self, Failure> {
        let mut table = JsonTable::default();
        for (LocalFile { path, .. }, name) in files.iter().zip(names) {
            table.add_file(File::open(path).map_err(|error| cannot_read(path, &error))?, name)?;
        }
        let shape = table.finish().map_err(|problem| usage(&problem))?;
        if shape.rows == 0 {
            return Err(Failure::Usage(format!(
                "{}: contains no rows; add some",
                names.first().map_or("", String::as_str)
            )));
        }
        let columns = shape.columns.schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok(Self { columns, rows: shape.rows, warnings: shape.warnings })
    }
}

/// Checks that options for CSV files and for workbooks are for files of this format, or for images if that is `None`.
fn check_unused(csv: &CsvOptions, sheet: Option<&str>, format: Option<TableFormat>) -> Result<(), Failure> {
    let found = format.map_or("images", TableFormat::name);
    let csv = csv.problem_beside(found).filter(|_| format != Some(TableFormat::Csv));
    let sheet = sheet.filter(|_| format != Some(TableFormat::Workbook)).map(|_| sheet_beside(found));
    Problems::check(csv.into_iter().chain(sheet).collect()).map_err(|problems| Failure::Usage(problems.to_string()))
}

/// Lists the file, or all files of the folder.
fn files_at(path: &Path, is_folder: bool) -> io::Result<Vec<LocalFile>> {
    let (root, paths) = if is_folder {
        (path, files_under(path)?)
    } else {
        (path.parent().unwrap_or(Path::new("")), vec![path.to_owned()])
    };
    let files = paths.into_iter().map(|path| Ok(LocalFile { name: name_within(root, &path)?, path }));
    files.collect()
}

fn count_images(files: &[LocalFile]) -> Result<ImageCount, Failure> {
    let mut count = ImageCount::default();
    for LocalFile { path, name } in files {
        let kind = match ObjectKind::of(name) {
            ObjectKind::Unclear if begins_like_image(path).map_err(|error| cannot_read(path, &error))? => {
                ObjectKind::Image
            }
            kind => kind,
        };
        count.add(kind);
    }
    Ok(count)
}

fn begins_like_image(path: &Path) -> io::Result<bool> {
    let mut first = Vec::new();
    File::open(path)?.take(FIRST_BYTES).read_to_end(&mut first)?;
    Ok(looks_like_image(&first))
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("{}: {error}", path.display()))
}

fn usage(problem: &Problem) -> Failure {
    Failure::Usage(problem.to_string())
}

#[cfg(test)]
mod tests;
