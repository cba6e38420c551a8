//! The files that a run has written.

use crate::failure::Failure;
use crate::stack::Stack;
use arrow_array::RecordBatch;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_domain::summary::RunOutput;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::objects::{Found, get_json, list};
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use std::fs::File;
use std::path::Path;

/// The run's output, from its `summary.json`.
pub(crate) async fn run_output(stack: &Stack, run_id: &str) -> Result<RunOutput, Failure> {
    Ok(get_json(&stack.s3, &stack.bucket, &Layout::summary_key(run_id)).await?)
}

/// The run's files of answered rows, in order.
pub(crate) async fn files(stack: &Stack, run: &str, partial: bool) -> Result<Vec<Found>, Failure> {
    let plan = stack.plan(run).await?.ok_or_else(|| {
        Failure::Usage(format!("run `{run}` has no plan yet: it is unknown, failed early, or is being prepared"))
    })?;
    let layout = Layout::new(&plan.request.job_name_prefix, &plan.run_id);
    let mut found = list(&stack.s3, &S3Uri::new(&stack.bucket, layout.output_prefix())).await?;
    if found.is_empty() {
        return Err(Failure::Usage(format!("run `{run}` has written no rows yet: `bedrock-batch status {run}`")));
    }
    // 9999 comes before 10000, and duplicates-0000 after them.
    found.sort_by(|a, b| (a.uri.key.len(), &a.uri.key).cmp(&(b.uri.key.len(), &b.uri.key)));
    let chunks = plan.counts.jobs as usize + plan.counts.duplicate_chunks as usize;
    let all = chunks * plan.request.output_formats.len();
    if found.len() < all && !partial {
        let there = format!("run `{run}` is not complete: {} of {all} files are there", found.len());
        return Err(Failure::Usage(format!("{there}; `--partial` takes what there is")));
    }
    Ok(found)
}

/// Files of one format: Parquet where there are such, else CSV. Runs may have written both.
pub(crate) fn of_one_format<T>(files: Vec<T>, name: impl Fn(&T) -> &str) -> Vec<T> {
    let ending = if files.iter().any(|file| name(file).ends_with(".parquet")) { ".parquet" } else { ".csv" };
    files.into_iter().filter(|file| name(file).ends_with(ending)).collect()
}

/// Opens a downloaded file of answered rows.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Iterator<Item = Result<RecordBatch, EngineError>>>, Failure> {
    let name = path.display().to_string();
    let file = File::open(path)?;
    if path.extension().is_some_and(|ending| ending == "csv") {
        return Ok(Box::new(CsvRows::open(file, &name, None)?));
    }
    Ok(Box::new(ParquetRows::open(file, &name, None)?.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_from_one_format() {
        let taken = |files: &[&'static str]| of_one_format(files.to_vec(), |file| file);
        assert_eq!(
            taken(&["0000.csv", "0000.parquet", "duplicates-0000.parquet"]),
            ["0000.parquet", "duplicates-0000.parquet"]
        );
        assert_eq!(taken(&["0000.csv", "duplicates-0000.csv"]), ["0000.csv", "duplicates-0000.csv"]);
    }
}
