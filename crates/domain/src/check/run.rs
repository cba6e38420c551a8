//! All checks of one run, whose columns may or may not be known.

use super::{
    Catalog, Resolved, certain_prefix_problems, column_problems, reference_note, reference_problems, resolve,
    shown_column_problems,
};
use crate::columns::{Column, mapped};
use crate::input::{IMAGE_COLUMN, InputType, RunRequest};
use crate::problem::{Problem, listed};
use crate::reference::Reference;
use crate::table_files::TableFormat;

/// Columns of rows that are images: the address of each, and the name of its file.
pub const COLUMNS_OF_IMAGES: [&str; 2] = [IMAGE_COLUMN, "file_name"];

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
    // With any other name than that of a table, an input of images consists of the images themselves.
    let is_table = TableFormat::of(rows.s3_uri.as_deref()?).is_some() || rows.image_column != IMAGE_COLUMN;
    let are_images = rows.input_type == InputType::Image && !is_table;
    are_images.then(|| COLUMNS_OF_IMAGES.map(str::to_owned).to_vec())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::StackLimits;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("s3://bucket/photos/", true)]
    #[case("s3://bucket/a.jpg", true)]
    #[case("s3://bucket/a.csv", false)]
    #[case("s3://bucket/A.TSV", false)]
    #[case("s3://bucket/a.csv.gz", false)]
    #[case("s3://bucket/a.tsv.zst", false)]
    #[case("s3://bucket/a.parquet", false)]
    fn the_columns_of_a_table_that_names_images_are_its_own(#[case] uri: &str, #[case] are_images: bool) {
        let stack = StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 };
        let input =
            json!({"s3_uri": uri, "job_name_prefix": "p", "model_id": "m", "prompt_id": "p", "input_type": "image"});
        let (request, problems) = RunRequest::read(&input, stack);
        assert_eq!(problems, []);
        assert_eq!(image_columns(&request.unwrap()).is_some(), are_images);
    }
}
