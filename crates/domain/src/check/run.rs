//! All that can be checked of one run whose columns may or may not be known.

use super::{Known, Resolved, column_problems, resolve};
use crate::columns::{Column, mapped};
use crate::input::{IMAGE_COLUMN, InputType, RunRequest};
use crate::problem::{Problem, listed};

/// The column that holds the name of an image's file, beside the image itself.
const FILE_NAME: &str = "file_name";
/// How names of tables end; under any other name there are images, where images are asked for.
const TABLES: [&str; 3] = [".csv", ".parquet", ".pq"];

/// What came of checking a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunCheck {
    /// All that is wrong. Problems name fields of the request, without a path in front.
    pub problems: Vec<Problem>,
    /// The columns under the names that prompts see; `None` where they are not known, so that nobody could say whether a
    /// prompt finds its columns.
    pub columns: Option<Vec<Column>>,
    /// What the request names; `None` if not all of it was found.
    pub resolved: Option<Resolved>,
}

/// Checks `request`, which reads `incoming`. `None`: nobody knows what it reads.
pub fn check_run(request: &RunRequest, known: &Known<'_>, incoming: Option<&[Column]>) -> RunCheck {
    let (resolved, mut problems) = resolve(request, known);
    let columns = match incoming.map(|columns| renamed(columns, request)) {
        Some(Ok(columns)) => Some(columns),
        Some(Err(wrong)) => {
            problems.extend(wrong);
            None
        }
        None => None,
    };
    if let (Some(columns), Some(resolved)) = (&columns, &resolved) {
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        problems.extend(column_problems(request, resolved, &names));
    }
    RunCheck { problems, columns, resolved }
}

/// The columns that rows of images have, without looking at them; `None` if the request reads no images, or a table that
/// names them.
pub fn image_columns(request: &RunRequest) -> Option<Vec<String>> {
    let rows = &request.rows;
    let uri = rows.s3_uri.as_deref()?.to_ascii_lowercase();
    let of_table = TABLES.iter().any(|ending| uri.ends_with(ending)) || rows.image_column != IMAGE_COLUMN;
    let are_images = rows.input_type == InputType::Image && !of_table;
    are_images.then(|| [IMAGE_COLUMN, FILE_NAME].map(str::to_owned).to_vec())
}

/// The columns under their new names, or the mappings of columns that there are not.
fn renamed(columns: &[Column], request: &RunRequest) -> Result<Vec<Column>, Vec<Problem>> {
    let mappings = &request.rows.column_mappings;
    let missing = match mapped(columns, mappings) {
        Ok(columns) => return Ok(columns.into_iter().map(|(column, _)| column).collect()),
        Err(missing) => missing,
    };
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let wrong = mappings.iter().filter(|(_, old)| missing.contains(old)).map(|(new, old)| {
        let rule = "there is no such column";
        Problem::new(format!("column_mappings.{new}"), old, rule).remedy(format!("the columns are {}", listed(&names)))
    });
    Err(wrong.collect())
}
