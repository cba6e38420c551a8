//! Number of rows and columns of a dataset, from the footers of as many files as the run may need.

use super::shape::{Shape, difference};
use crate::error::EngineError;
use crate::hub::Dataset;
use crate::rows::parquet_read::ParquetRows;
use arrow_schema::SchemaRef;
use bedrock_batch_domain::input::{PromptConfig, RunRequest};
use bedrock_batch_domain::problem::Problem;
use std::collections::BTreeMap;
use tokio::runtime::Handle;

/// Warning about files that were not opened.
const LEFT_OUT: &str =
    "files of the dataset behind the last row that the limits of the run let in; their rows are not counted";

/// Returns the maximum number of rows of a run, as far as its request determines it. If the prompts depend on the rows, some
/// rows may have no record, so the limit on jobs does not limit rows.
pub(super) fn max_rows(request: &RunRequest) -> u64 {
    let total = request.max_records_total.unwrap_or(u64::MAX);
    let in_jobs = match (&request.prompt_config, request.max_num_jobs) {
        (
            PromptConfig::Single { .. }
            | PromptConfig::Inline { .. }
            | PromptConfig::Templates { .. }
            | PromptConfig::None,
            Some(jobs),
        ) => u64::from(jobs).saturating_mul(u64::from(request.max_records_per_job)),
        _ => u64::MAX,
    };
    total.min(in_jobs)
}

/// Counts the rows of the first files that have at least `max_rows` of them, and compares their columns. The other files are
/// dropped: a dataset may have thousands of them.
pub(super) fn inspect(runtime: &Handle, dataset: &mut Dataset, max_rows: u64) -> Result<Shape, EngineError> {
    let mut rows = 0;
    let mut schema: Option<SchemaRef> = None;
    let mut opened = 0;
    for file in &dataset.files {
        if rows > 0 && rows >= max_rows {
            break;
        }
        let (shape, _) = ParquetRows::open(dataset.reader(runtime, file)?, &file.name, None)?;
        rows += shape.rows;
        opened += 1;
        match &schema {
            Some(first) if *first != shape.schema => {
                let rule = format!("has other columns than the file before it: {}", difference(first, &shape.schema));
                let remedy = "choose another configuration, or store the rows in S3";
                return Err(Problem::new("dataset_id", &file.name, rule).remedy(remedy).into());
            }
            Some(_) => {}
            None => schema = Some(shape.schema),
        }
    }
    let Some(schema) = schema.filter(|_| rows > 0) else {
        let rule = "has no rows in this split";
        return Err(Problem::new("dataset_id", dataset.id(), rule).remedy("choose another split").into());
    };
    let unopened = (dataset.files.len() - opened) as u64;
    dataset.files.truncate(opened);
    let mut ignored = BTreeMap::new();
    if unopened > 0 {
        ignored.insert(LEFT_OUT.to_owned(), unopened);
    }
    Ok(Shape { rows, schema, types: None, ignored })
}
