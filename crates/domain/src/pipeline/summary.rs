//! Totals of a pipeline run: `runs/<pipeline run>/summary.json` and its execution's output.

use super::Pipeline;
use crate::ids::RunId;
use crate::row_error::RowErrorCode;
use crate::summary::RunOutput;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Totals of a pipeline run, and the location of its final rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PipelineSummary {
    /// Id of the pipeline run.
    pub pipeline_run_id: RunId,
    /// Name of the pipeline.
    pub pipeline_name: String,
    /// `completed` if every row of every stage has an answer, `completed_with_errors` if some rows have an `error`.
    pub status: String,
    /// Address of the rows of the last stage.
    pub output_prefix: String,
    /// Files of the last stage, in order; truncated if the list would be too long for Step Functions.
    pub output_paths: Vec<String>,
    /// Number of files.
    pub output_path_count: u64,
    /// Totals of the stages, in order.
    pub stages: Vec<StageTotals>,
    /// Cost of all stages in US dollars; `null` if a price is unknown.
    pub cost_usd: Option<f64>,
}

/// Totals of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageTotals {
    /// Name of the stage.
    pub stage_name: String,
    /// Id of its run.
    pub run_id: RunId,
    /// Status of the run: `completed` or `completed_with_errors`.
    pub status: String,
    /// Number of rows that it read.
    pub records_in: u64,
    /// Number of rows with an answer.
    pub answered: u64,
    /// Number of rows without an answer.
    pub failed: u64,
    /// Number of those rows by the code of the reason.
    #[serde(default)]
    pub failed_codes: BTreeMap<RowErrorCode, u64>,
    /// Cost in US dollars; `null` if a price is unknown.
    pub cost_usd: Option<f64>,
}

impl PipelineSummary {
    /// Combines the outputs of the stages, in order.
    pub fn new(pipeline: &Pipeline, outputs: &[RunOutput]) -> Self {
        let stages = pipeline.stages.iter().zip(outputs).map(|(stage, output)| StageTotals {
            stage_name: stage.stage_name.clone(),
            run_id: output.run_id.clone(),
            status: output.status.clone(),
            records_in: output.summary.records_in,
            answered: output.summary.answered,
            failed: output.summary.failed,
            failed_codes: output.summary.failed_codes.clone(),
            cost_usd: output.summary.cost_usd,
        });
        let with_errors = outputs.iter().any(|output| output.status != "completed");
        let last = outputs.last();
        Self {
            pipeline_run_id: pipeline.pipeline_run_id.clone(),
            pipeline_name: pipeline.pipeline_name.clone(),
            status: if with_errors { "completed_with_errors" } else { "completed" }.to_owned(),
            output_prefix: last.map(|output| output.output_prefix.clone()).unwrap_or_default(),
            output_paths: last.map(|output| output.output_paths.clone()).unwrap_or_default(),
            output_path_count: last.map_or(0, |output| output.output_path_count),
            stages: stages.collect(),
            cost_usd: cost(outputs),
        }
    }
}

/// Adds up the costs; a single unknown cost makes the total unknown.
fn cost(outputs: &[RunOutput]) -> Option<f64> {
    // Not `sum`, which returns -0.0 for an empty iterator.
    outputs.iter().try_fold(0.0, |sum, output| Some(sum + output.summary.cost_usd?))
}

#[cfg(test)]
mod tests {
    use super::super::FrozenStage;
    use super::*;
    use crate::model::CachedTokens;
    use crate::summary::{Duplicates, Summary};

    fn output(run: &str, failed: u64, cost_usd: Option<f64>) -> RunOutput {
        let summary = Summary {
            records_in: 10,
            input_rows: 10,
            answered: 10 - failed,
            failed,
            skipped: 0,
            failed_reasons: BTreeMap::new(),
            failed_codes: BTreeMap::from([(RowErrorCode::NoAnswer, failed)]),
            skipped_reasons: BTreeMap::new(),
            skipped_codes: BTreeMap::new(),
            warnings: BTreeMap::new(),
            changed_values: BTreeMap::new(),
            repaired_answers: 0,
            mixed_types: BTreeMap::new(),
            guarded_cells: 0,
            models: None,
            jobs: 1,
            rounds: 1,
            retried: 0,
            duplicates: Duplicates::default(),
            fell_back: BTreeMap::new(),
            input_tokens: 1,
            output_tokens: 1,
            cached: CachedTokens::default(),
            lanes: BTreeMap::new(),
            cost_usd,
            on_demand_cost_usd: None,
            prices: Vec::new(),
        };
        let file = format!("s3://b/batch_output_parquet/p/{run}/0000.parquet");
        RunOutput::new(RunId::of_execution(run), format!("s3://b/batch_output_parquet/p/{run}/"), vec![file], summary)
    }

    fn pipeline() -> Pipeline {
        let stage = |name: &str| FrozenStage {
            stage_name: name.to_owned(),
            run_id: RunId::of_execution(&format!("r-{name}")),
            execution_name: format!("r-{name}"),
            job_name_prefix: "p".parse().unwrap(),
            model_id: "m".to_owned(),
        };
        Pipeline {
            pipeline_run_id: RunId::of_execution("r"),
            pipeline_name: "clothing".to_owned(),
            execution_arn: "arn:aws:states:eu-west-1:1:execution:pipelines:r".parse().unwrap(),
            started_at: "2026-11-20T13:05:07.000Z".to_owned(),
            bucket: "b".to_owned(),
            presigned_url_expiry_days: 7,
            stages: vec![stage("one"), stage("two")],
        }
    }

    #[test]
    fn files_are_those_of_the_last_stage_and_costs_those_of_all() {
        let summary =
            PipelineSummary::new(&pipeline(), &[output("r-one", 1, Some(0.5)), output("r-two", 0, Some(0.25))]);
        assert_eq!(summary.output_paths, ["s3://b/batch_output_parquet/p/r-two/0000.parquet"]);
        assert_eq!((summary.cost_usd, summary.status.as_str()), (Some(0.75), "completed_with_errors"));
        assert_eq!((summary.stages[0].answered, summary.stages[0].stage_name.as_str()), (9, "one"));
        assert_eq!(summary.stages[0].failed_codes, BTreeMap::from([(RowErrorCode::NoAnswer, 1)]));
    }

    #[test]
    fn an_unknown_price_makes_the_cost_unknown() {
        let summary = PipelineSummary::new(&pipeline(), &[output("r-one", 0, Some(0.5)), output("r-two", 0, None)]);
        assert_eq!((summary.cost_usd, summary.status.as_str()), (None, "completed"));
    }
}
