//! All checks of one run, whose columns may or may not be known.

use super::{
    Catalog, Resolved, certain_prefix_problems, column_problems, reference_note, reference_problems, resolve,
    shown_column_problems,
};
use crate::columns::{Column, mapped};
use crate::input::{IMAGE_COLUMN, InputType, RunRequest};
use crate::problem::{Problem, listed};
use crate::reference::Reference;

/// Column with the file name of an image.
const FILE_NAME: &str = "file_name";
/// Extensions of tables; with any other name, an input of images consists of the images themselves.
const TABLE_EXTENSIONS: [&str; 3] = [".csv", ".parquet", ".pq"];

/// Result of checking a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunCheck {
    /// All problems. They name fields of the request, without a path prefix.
    pub problems: Vec<Problem>,
    /// Columns under the names that prompts see; `None` if unknown, so that the columns of prompts could not be checked.
    pub columns: Option<Vec<Column>>,
    /// Model and prompts of the request; `None` if some of them were not found.
    pub resolved: Option<Resolved>,
    /// Tokens that references add to each request, in words, as far as their content is known.
    pub reference_note: Option<String>,
}

/// Checks `request`, which reads the columns `incoming`, or unknown columns if that is `None`. `references` are those whose
/// content is known.
pub fn check_run(
    request: &RunRequest,
    catalog: &Catalog<'_>,
    incoming: Option<&[Column]>,
    references: &[Reference],
) -> RunCheck {
    let (mut resolved, mut problems) = resolve(request, catalog);
    if let Some(resolved) = &mut resolved {
        resolved.prompts.references = references.to_vec();
        problems.extend(reference_problems(request, resolved));
    }
    let columns = match incoming.map(|columns| renamed(columns, request)) {
        Some(Ok(columns)) => Some(columns),
        Some(Err(found)) => {
            problems.extend(found);
            None
        }
        None => None,
    };
    match (&columns, &resolved) {
        (Some(columns), Some(resolved)) => {
            let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
            problems.extend(column_problems(request, resolved, &names));
            problems.extend(certain_prefix_problems(resolved, columns));
        }
        (None, Some(resolved)) if !resolved.prompts.names_prompts_by_row() => {
            problems.extend(shown_column_problems(request, &resolved.prompts, None));
        }
        _ => {}
    }
    let reference_note = resolved.as_ref().and_then(|resolved| reference_note(request, resolved));
    RunCheck { problems, columns, resolved, reference_note }
}

/// Returns the columns of rows that are images, which are always the same; returns `None` if the request reads no images, or
/// a table that names them.
pub fn image_columns(request: &RunRequest) -> Option<Vec<String>> {
    let rows = &request.rows;
    let uri = rows.s3_uri.as_deref()?.to_ascii_lowercase();
    let of_table =
        TABLE_EXTENSIONS.iter().any(|extension| uri.ends_with(extension)) || rows.image_column != IMAGE_COLUMN;
    let are_images = rows.input_type == InputType::Image && !of_table;
    are_images.then(|| [IMAGE_COLUMN, FILE_NAME].map(str::to_owned).to_vec())
}

/// Renames the columns.
///
/// # Errors
/// Returns a problem for each mapping of a column that does not exist.
fn renamed(columns: &[Column], request: &RunRequest) -> Result<Vec<Column>, Vec<Problem>> {
    let mappings = &request.rows.column_mappings;
    let missing = match mapped(columns, mappings) {
        Ok(columns) => return Ok(columns.into_iter().map(|(column, _)| column).collect()),
        Err(missing) => missing,
    };
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let problems = mappings.iter().filter(|(_, old)| missing.contains(old)).map(|(new, old)| {
        let rule = "this column does not exist";
        Problem::new(format!("column_mappings.{new}"), old, rule).remedy(format!("the columns are {}", listed(&names)))
    });
    Err(problems.collect())
}
