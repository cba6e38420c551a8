//! Number of rows and columns of a dataset, from the footers of as many files as the run may need.

use crate::error::EngineError;
use crate::hub::{Dataset, DatasetFile};
use crate::rows::parquet_read::{ParquetRows, ParquetShape};
use crate::rows::table_shape::{TableInspection, TableShape};
use crate::rows::unified::{FileTraits, NameForm};
use bedrock_batch_domain::input::{PromptConfig, RunRequest};
use bedrock_batch_domain::problem::Problem;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};

/// Warning about files that were not opened.
const LEFT_OUT: &str = "dataset files not opened because the run's limits were reached; their rows are not counted";
/// Maximum number of files that are opened. Each costs a request to the Hub, which limits their rate, and a function ends after
/// fifteen minutes.
const MAX_OPENED_FILES: usize = 1_000;
/// Form in which the names of columns are read.
pub(super) const DATASET_NAMES: NameForm = NameForm::One;
/// Maximum number of footers that are read at the same time.
const MAX_CONCURRENT_FILES: usize = 8;

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
        ) => {
            let records = u64::from(jobs).saturating_mul(u64::from(request.max_records_per_job.unwrap_or(u32::MAX)));
            records.saturating_mul(u64::from(request.rows_per_request()))
        }
        _ => u64::MAX,
    };
    total.min(in_jobs)
}

/// Counts the rows of the first files that have at least `max_rows` of them, and unites their columns. The other files are
/// dropped: a dataset may have thousands of them. To be used on a blocking thread.
pub(super) fn inspect(
    runtime: &Handle,
    dataset: &mut Dataset,
    max_rows: u64,
    mut table: TableInspection,
) -> Result<TableShape, EngineError> {
    let traits = FileTraits::new(DATASET_NAMES);
    let mut opened = 0;
    while opened < dataset.files.len() && (table.rows() == 0 || table.rows() < max_rows) {
        let rows = table.rows();
        if opened >= MAX_OPENED_FILES {
            return Err(too_many_files(dataset, rows).into());
        }
        let last = (opened + next_files(opened, rows, max_rows)).min(dataset.files.len()).min(MAX_OPENED_FILES);
        let files = &dataset.files[opened..last];
        for (file, shape) in files.iter().zip(shapes(runtime, dataset, files)) {
            if table.rows() > 0 && table.rows() >= max_rows {
                // The earlier files had more rows than expected.
                break;
            }
            table.add(&file.name, shape?.of_file(&file.name), &traits);
            opened += 1;
        }
    }
    if table.rows() == 0 {
        let rule = "has no rows in this split";
        return Err(Problem::new("dataset_id", dataset.id(), rule).remedy("choose another split").into());
    }
    let unopened = (dataset.files.len() - opened) as u64;
    dataset.files.truncate(opened);
    let mut shape = table.finish()?;
    if unopened > 0 {
        shape.warnings.insert(LEFT_OUT.to_owned(), unopened);
    }
    Ok(shape)
}

/// Returns the number of files to open next: as many as the run needs if they are as long as those before them.
fn next_files(opened: usize, rows: u64, max_rows: u64) -> usize {
    match opened {
        // Most runs need only one.
        0 => 1,
        _ => {
            let mean = (rows / opened as u64).max(1);
            let needed = max_rows.saturating_sub(rows).div_ceil(mean);
            usize::try_from(needed).unwrap_or(usize::MAX).clamp(1, MAX_CONCURRENT_FILES)
        }
    }
}

/// Reads the footers of files concurrently.
fn shapes(runtime: &Handle, dataset: &Dataset, files: &[DatasetFile]) -> Vec<Result<ParquetShape, EngineError>> {
    let tasks = files.iter().map(|file| {
        let (reader, name) = (dataset.reader(runtime, file), file.name.clone());
        runtime.spawn_blocking(move || Ok(ParquetRows::open(reader?, &name, None)?.0))
    });
    let tasks: Vec<JoinHandle<Result<ParquetShape, EngineError>>> = tasks.collect();
    let shape = |task| {
        let read: Result<_, JoinError> = runtime.block_on(task);
        read.unwrap_or_else(|error| Err(EngineError::died("a worker thread", error)))
    };
    tasks.into_iter().map(shape).collect()
}

fn too_many_files(dataset: &Dataset, rows: u64) -> Problem {
    let rule = format!(
        "has {} files in this split; a run opens at most {MAX_OPENED_FILES}, and the first ones have {rows} rows",
        dataset.files.len()
    );
    let remedy = match rows {
        0 => "choose another configuration or split".to_owned(),
        _ => format!("set max_records_total to at most {rows}, or choose another configuration or split"),
    };
    Problem::new("dataset_id", dataset.id(), rule).remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::input::StackLimits;
    use bedrock_batch_domain::prompt::{ExpandedLayout, Prompt};
    use rstest::rstest;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn request(max_num_jobs: Option<u32>, max_records_total: Option<u64>) -> RunRequest {
        let input = json!({"dataset_id": "a/b", "job_name_prefix": "p", "model_id": "m", "prompt_id": "q",
            "max_records_per_job": 200, "max_num_jobs": max_num_jobs, "max_records_total": max_records_total});
        let limits = StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 };
        RunRequest::read(&input, limits).0.unwrap()
    }

    #[rstest]
    #[case(None, None, u64::MAX, u64::MAX)]
    #[case(None, Some(70), 70, 70)]
    #[case(Some(3), None, 600, u64::MAX)]
    #[case(Some(3), Some(700), 600, 700)]
    #[case(Some(3), Some(500), 500, 500)]
    fn limits_on_jobs_limit_rows_only_if_each_row_has_one_prompt(
        #[case] jobs: Option<u32>,
        #[case] total: Option<u64>,
        #[case] of_one_prompt: u64,
        #[case] of_others: u64,
    ) {
        let prompt = Prompt::parse("description = \"d\"\ntemplate = \"{x}\"").unwrap();
        let single = PromptConfig::Single { prompt_id: "q".to_owned() };
        for prompt_config in [PromptConfig::None, single, PromptConfig::Inline { prompt: Some(Box::new(prompt)) }] {
            assert_eq!(max_rows(&RunRequest { prompt_config, ..request(jobs, total) }), of_one_prompt);
        }
        let mapped = PromptConfig::Mapped { column_name: "c".to_owned(), mapping: None };
        let expanded = PromptConfig::Expanded {
            category_column: "c".to_owned(),
            expansion_mapping: BTreeMap::new(),
            layout: ExpandedLayout::default(),
        };
        for prompt_config in [PromptConfig::Unreadable, mapped, expanded] {
            assert_eq!(max_rows(&RunRequest { prompt_config, ..request(jobs, total) }), of_others);
        }
    }

    #[rstest]
    #[case::first(0, 0, u64::MAX, 1)]
    #[case::all(1, 10, u64::MAX, MAX_CONCURRENT_FILES)]
    #[case::few(2, 20, 45, 3)]
    #[case::without_rows(3, 0, 100, MAX_CONCURRENT_FILES)]
    fn as_many_files_are_opened_at_once_as_are_needed(
        #[case] opened: usize,
        #[case] rows: u64,
        #[case] max_rows: u64,
        #[case] expected: usize,
    ) {
        assert_eq!(next_files(opened, rows, max_rows), expected);
    }
}
