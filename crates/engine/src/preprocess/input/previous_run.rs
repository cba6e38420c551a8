//! Answers of an earlier run as an input.

use super::objects::{Format, Sources};
use crate::error::EngineError;
use crate::objects::{Bucket, ObjectMeta};
use crate::rows::csv_dialect::CsvReading;
use bedrock_batch_domain::check::{Resolved, output_columns};
use bedrock_batch_domain::columns::Column;
use bedrock_batch_domain::input::{OutputFormat, PreviousRun};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::problem::Problem;
use std::collections::HashMap;

/// Returns the files of answered rows of an earlier run, in the order of its rows, and its plan.
pub(super) async fn answers_of(bucket: &Bucket, previous: &PreviousRun) -> Result<(Sources, Plan), EngineError> {
    let run_id = &previous.run_id;
    let problem = |rule: &str| Problem::new("previous_run.run_id", run_id, rule);
    let Some(plan) = bucket.find_json::<Plan>(&Layout::plan_key(run_id)).await? else {
        let rule = "this run does not exist, or it ended before anything was submitted";
        return Err(problem(rule).remedy("check its name").into());
    };
    if !bucket.contains(&Layout::summary_key(run_id)).await? {
        let rule = "the run has not finished (no summary)";
        return Err(problem(rule).remedy("wait for its end, or collect its answers").into());
    }
    let layout = Layout::new(&plan.request.job_name_prefix, run_id);
    let parquet = plan.request.output_formats.contains(&OutputFormat::Parquet);
    let csv = CsvReading::of_answers(plan.request.answers.csv_safe_cells);
    let (format, ending) = if parquet { (Format::Parquet, "parquet") } else { (Format::Csv, "csv") };
    let found = bucket.list(&layout.output_prefix()).await?;
    let mut found: HashMap<String, ObjectMeta> =
        found.into_iter().map(|found| (found.uri.key.clone(), found)).collect();
    let mut objects = Vec::new();
    for key in plan.output_keys(ending) {
        match found.remove(&key) {
            Some(object) => objects.push(object),
            None => return Err(problem(&format!("its file {} no longer exists", bucket.uri(key))).into()),
        }
    }
    Ok((Sources::of_run(run_id, format, csv, objects), plan))
}

/// Returns the columns of a run's answered rows, each with its origin.
pub(super) fn columns_after(plan: &Plan, names: Vec<String>, stage_name: &str) -> Vec<Column> {
    let resolved = Resolved {
        model: plan.model.clone(),
        on_demand: plan.on_demand.clone(),
        model_warnings: Vec::new(),
        prompts: plan.prompts.clone(),
        replaced: Vec::new(),
        output_column_prefix: plan.request.answers.output_column_prefix.clone(),
    };
    let known = output_columns(&resolved, &plan.columns, stage_name);
    let mut origins: HashMap<String, String> = known.into_iter().map(|column| (column.name, column.origin)).collect();
    let columns = names.into_iter().map(|name| {
        let origin = origins.remove(&name).unwrap_or_else(|| stage_name.to_owned());
        Column { name, origin }
    });
    columns.collect()
}
