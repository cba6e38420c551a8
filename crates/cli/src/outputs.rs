//! Output files of a run.

use crate::failure::Failure;
use crate::run_progress::quantity;
use crate::stack::Stack;
use crate::terminal::errln;
use arrow_array::RecordBatch;
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::summary::RunOutput;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::objects::ObjectMeta;
use bedrock_batch_engine::rows::csv_dialect::CsvReading;
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

/// Reads the run's output from its `summary.json`.
pub(crate) async fn run_output(stack: &Stack, run_id: &RunId) -> Result<RunOutput, Failure> {
    Ok(stack.bucket.get_json(&Layout::summary_key(run_id)).await?)
}

/// Lists the run's files of answered rows, in order.
pub(crate) async fn files(stack: &Stack, run: &str, partial: bool) -> Result<Vec<ObjectMeta>, Failure> {
    let plan = stack.plan(run).await?.ok_or_else(|| {
        Failure::Usage(format!(
            "run `{run}` has no plan yet: it does not exist, failed before it submitted anything, or is still being \
             prepared (`bedrock-batch status {run}`)"
        ))
    })?;
    let layout = Layout::new(&plan.request.job_name_prefix, &plan.run_id);
    let formats = plan.request.output_formats.iter();
    let named: HashSet<String> = formats.flat_map(|format| plan.output_keys(format.extension())).collect();
    // The names of files on this machine are those of the plan, whatever else someone stored beside them.
    let listed = stack.bucket.list(&layout.output_prefix()).await?;
    let (mut found, others): (Vec<_>, Vec<_>) = listed.into_iter().partition(|found| named.contains(&found.uri.key));
    if !others.is_empty() {
        let objects = quantity(others.len() as u64, "object");
        errln!("left out {objects} under {} that the run did not write", stack.bucket.uri(layout.output_prefix()));
    }
    if found.is_empty() {
        let advice = format!("check its progress: `bedrock-batch status {run}`");
        return Err(Failure::Usage(format!("run `{run}` has not written any rows yet: {advice}")));
    }
    // Sorts 9999 before 10000, and duplicates-0000 after both.
    found.sort_by(|a, b| (a.uri.key.len(), &a.uri.key).cmp(&(b.uri.key.len(), &b.uri.key)));
    if found.len() < named.len() && !partial {
        let (found, all) = (found.len(), named.len());
        let progress = format!("run `{run}` is not complete: {found} of {all} files exist");
        return Err(Failure::Usage(format!("{progress}; `--partial` downloads those")));
    }
    Ok(found)
}

/// Returns true if cells of the run's CSV files have guards (`csv_safe_cells`).
pub(crate) async fn has_guarded_cells(stack: &Stack, run: &str) -> Result<bool, Failure> {
    Ok(stack.plan(run).await?.is_some_and(|plan| plan.request.answers.csv_safe_cells))
}

/// Keeps the files of one format: Parquet if there are any, else CSV. A run may have written both.
pub(crate) fn single_format<T>(files: Vec<T>, name: impl Fn(&T) -> &str) -> Vec<T> {
    let extension = if files.iter().any(|file| name(file).ends_with(".parquet")) { ".parquet" } else { ".csv" };
    files.into_iter().filter(|file| name(file).ends_with(extension)).collect()
}

/// Opens a downloaded file of answered rows. `are_guarded` is true for a run with `csv_safe_cells`: the rows are shown and
/// written as JSON, where formulas do nothing.
pub(crate) fn open(
    path: &Path,
    are_guarded: bool,
) -> Result<Box<dyn Iterator<Item = Result<RecordBatch, EngineError>>>, Failure> {
    let name = path.display().to_string();
    let file = File::open(path)?;
    if path.extension().is_some_and(|extension| extension == "csv") {
        return Ok(Box::new(CsvRows::read(file, &name, &CsvReading::of_answers(are_guarded), None)?));
    }
    Ok(Box::new(ParquetRows::open(file, &name, None)?.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_from_a_single_format() {
        let taken = |files: &[&'static str]| single_format(files.to_vec(), |file| file);
        assert_eq!(
            taken(&["0000.csv", "0000.parquet", "duplicates-0000.parquet"]),
            ["0000.parquet", "duplicates-0000.parquet"]
        );
        assert_eq!(taken(&["0000.csv", "duplicates-0000.csv"]), ["0000.csv", "duplicates-0000.csv"]);
    }
}
