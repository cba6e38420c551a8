//! Input on this machine, read as a run will read it once it is uploaded.

use crate::failure::Failure;
use crate::local_files::{files_under, name_within};
use bedrock_batch_domain::check::COLUMNS_OF_IMAGES;
use bedrock_batch_domain::hive_folders::hive_columns;
use bedrock_batch_domain::image::looks_like_image;
use bedrock_batch_domain::input::{CsvOptions, InputType, OnMissingColumns, TableOptions, sheet_beside};
use bedrock_batch_domain::lake_table::{LOGS, LakeFormat, folder_of_partition};
use bedrock_batch_domain::problem::{Problem, Problems};
use bedrock_batch_domain::table_files::{MARKERS_IGNORED, TableFormat, is_marker};
use bedrock_batch_engine::images::{FIRST_BYTES, ImageCount, ObjectKind, is_image_name};
use bedrock_batch_engine::rows::csv_dialect::CsvReading;
use bedrock_batch_engine::rows::csv_inspect::inspect_csv;
use bedrock_batch_engine::rows::jsonl::JsonTable;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bedrock_batch_engine::rows::table_shape::{FileShape, TableInspection};
use bedrock_batch_engine::rows::unified::{FileTraits, MissingColumns, NameForm};
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

/// Options for the files of an input.
#[derive(Debug, Clone, Default)]
pub(super) struct FileOptions {
    /// Form of CSV files.
    pub(super) csv: CsvOptions,
    /// Sheet of workbooks.
    pub(super) sheet: Option<String>,
    pub(super) table: TableOptions,
}

impl FileOptions {
    /// Checks that options for CSV files and for workbooks are for files of this format, or for images if that is `None`.
    fn check_unused(&self, format: Option<TableFormat>) -> Result<(), Failure> {
        let found = format.map_or("images", TableFormat::name);
        let csv = self.csv.problem_beside(found).filter(|_| format != Some(TableFormat::Csv));
        let has_sheet = self.sheet.is_some() && format != Some(TableFormat::Workbook);
        let problems = csv.into_iter().chain(has_sheet.then(|| sheet_beside(found)));
        Problems::check(problems.collect()).map_err(|problems| Failure::Usage(problems.to_string()))
    }
}

/// File of an input.
struct LocalFile {
    path: PathBuf,
    /// Name within the folder that is uploaded.
    name: String,
}

impl LocalInput {
    /// Reads the file or folder at `path`, which `field` names.
    pub(super) fn read(
        path: &Path,
        input_type: InputType,
        options: &FileOptions,
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
            options.check_unused(None)?;
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
        if let Some((format, table)) = table_of_partition(path).filter(|_| is_folder) {
            return Err(usage(&format.problem(field, table.display())));
        }
        if let Some((format, table)) =
            files.iter().filter(|_| is_folder).find_map(|file| LakeFormat::of_log(&file.name))
        {
            return Err(usage(&format.problem(field, path.join(table).display())));
        }
        let (markers, tables): (Vec<LocalFile>, Vec<LocalFile>) =
            files.into_iter().partition(|file| is_folder && is_marker(&file.name));
        if tables.is_empty() {
            return Err(Failure::Usage(format!("{shown}: {NO_FILES}")));
        }
        let mut table = Self::of_tables(&tables, is_folder, options, field)?;
        if !markers.is_empty() {
            table.warnings.insert(MARKERS_IGNORED.to_owned(), markers.len() as u64);
        }
        Ok(table)
    }

    fn of_tables(files: &[LocalFile], is_folder: bool, options: &FileOptions, field: &str) -> Result<Self, Failure> {
        let names: Vec<String> = files.iter().map(|file| file.path.display().to_string()).collect();
        let format = TableFormat::of_all(field, &names).map_err(|problems| Failure::Usage(problems.to_string()))?;
        options.check_unused(Some(format))?;
        let mut json = match format {
            TableFormat::JsonLines => inspect_json_lines(files, &names)?,
            _ => Vec::new(),
        }
        .into_iter();
        let reading = CsvReading::of_input(&options.csv);
        let mut table = TableInspection::new(match options.table.on_missing_columns {
            OnMissingColumns::Null => MissingColumns::AreNull,
            OnMissingColumns::Error => MissingColumns::AreProblems,
        });
        for (file, name) in files.iter().zip(&names) {
            let has_folders = is_folder && options.table.hive_columns;
            let folders = if has_folders { hive_columns(&file.name) } else { Vec::new() };
            let open = || Ok(File::open(&file.path)?);
            let (names, shape) = match (format, json.next()) {
                (TableFormat::JsonLines, Some(shape)) => (NameForm::AsWritten, shape),
                (TableFormat::Workbook, _) => {
                    (NameForm::AsWritten, inspect_workbook(open()?, name, options.sheet.as_deref(), false)?)
                }
                (TableFormat::Csv | TableFormat::JsonLines, _) => {
                    (NameForm::AsWritten, inspect_csv(open, name, &reading, false)?)
                }
                (TableFormat::Parquet, _) => (NameForm::One, inspect_parquet(&file.path, name, is_folder, field)?),
            };
            table.add(name, shape, &FileTraits { names, folders });
        }
        let table = table.finish().map_err(|problems| Failure::Usage(problems.to_string()))?;
        let columns = table.schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok(Self { columns, rows: table.rows, warnings: table.warnings })
    }
}

/// Returns the shapes of the files, whose columns are those of all.
fn inspect_json_lines(files: &[LocalFile], names: &[String]) -> Result<Vec<FileShape>, Failure> {
    let mut table = JsonTable::default();
    for (LocalFile { path, .. }, name) in files.iter().zip(names) {
        table.add_file(File::open(path).map_err(|error| cannot_read(path, &error))?, name)?;
    }
    Ok(table.finish().map_err(|problem| usage(&problem))?.files())
}

fn inspect_parquet(path: &Path, name: &str, is_in_folder: bool, field: &str) -> Result<FileShape, Failure> {
    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    let bytes = file.metadata().map_err(|error| cannot_read(path, &error))?.len();
    if bytes == 0 {
        return Ok(FileShape::empty(Problem::without_value(name, "is empty").remedy("add rows")));
    }
    let shape = ParquetRows::open(file, name, None)?.0;
    if shape.is_of_iceberg && is_in_folder {
        return Err(usage(&LakeFormat::Iceberg.problem(field, name)));
    }
    Ok(shape.of_file(name))
}

/// Returns the table of which a folder is a partition, if that keeps files which it no longer contains.
fn table_of_partition(path: &Path) -> Option<(LakeFormat, PathBuf)> {
    let folder = folder_of_partition(path.to_str()?)?;
    let log = LOGS.into_iter().find(|(_, log)| Path::new(folder).join(log).is_dir());
    log.map(|(format, _)| (format, PathBuf::from(folder)))
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
