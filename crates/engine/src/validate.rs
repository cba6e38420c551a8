//! Validate: the first step of a pipeline. Everything is checked before any costs are incurred, and all names of the
//! pipeline run are frozen, so that nothing has to be looked up between stages. A repetition changes nothing.

use crate::config_object::CONFIG_S3_URI;
use crate::copies::destination_problems;
use crate::deployment::Deployment;
use crate::error::EngineError;
use crate::model_overrides::model_overrides;
use crate::name_claim::{claim_name, name_taken};
use crate::preprocess::{InputReader, InputSummary, StartInput};
use bedrock_batch_domain::ids::{ExecutionArn, RunId};
use bedrock_batch_domain::input::{OutputFormat, RowSource, RunRequest};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::pipeline::{
    Pipeline, PipelineExecution, PipelineLimits, PipelineRequest, StageRows, check, stage_input_key,
};
use bedrock_batch_domain::problem::{Problem, Problems};
use bedrock_batch_domain::s3_uri::S3Uri;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Input of validate.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum ValidateInput {
    /// Start of an execution of the pipeline orchestrator.
    Pipeline(StartInput),
}

/// Valid pipeline, for the state machine to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValidPipeline {
    /// Id of the pipeline run.
    pub pipeline_run_id: RunId,
    /// Bucket of the stack.
    pub bucket: String,
    /// ARN of the execution of the pipeline orchestrator.
    pub execution_arn: ExecutionArn,
    /// Time at which it started.
    pub started_at: String,
    /// Stages, in order.
    pub stages: Vec<StageExecution>,
}

/// Execution of the batch orchestrator to be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageExecution {
    /// Position of the stage, from 0.
    pub index: usize,
    /// Name of the stage.
    pub stage_name: String,
    /// Name of the execution.
    pub execution_name: String,
    /// Input of the execution, which names the object that contains the real input.
    pub input: Value,
}

/// Validates pipelines. Created once per process.
#[derive(Debug)]
pub struct Validator {
    /// Reader of inputs.
    pub inputs: InputReader,
    /// Rules of the deployment, against which stages are checked.
    pub deployment: Arc<Deployment>,
    /// If true, the stack has a download function.
    pub download_links: bool,
}

impl Validator {
    /// Checks and freezes a pipeline.
    ///
    /// # Errors
    /// Returns `InvalidInput` with all problems, and another error if an AWS request fails.
    pub async fn run(&self, input: ValidateInput) -> Result<ValidPipeline, EngineError> {
        let ValidateInput::Pipeline(start) = input;
        let bucket = &self.inputs.bucket;
        if let Some(pipeline) = self.frozen(&start).await? {
            // A repetition returns the frozen pipeline.
            return Ok(valid(pipeline));
        }
        let config = self.inputs.resolve_config(start.input.clone()).await?;
        let request = self.check(&config, &start.started_at).await?;
        let StartInput { execution_name: name, execution_arn: arn, started_at, .. } = &start;
        let execution = PipelineExecution { name, arn, started_at };
        let Some(pipeline) = request.freeze(execution, bucket.name()) else {
            return Err(EngineError::internal("a pipeline without problems could not be read"));
        };
        let run = &pipeline.pipeline_run_id;
        if !claim_name(bucket, run, arn, started_at).await? {
            return Err(name_taken(name, "execution").into());
        }
        for (index, input) in request.stage_inputs(&pipeline).iter().enumerate() {
            bucket.put_json(&stage_input_key(run, index), input).await?;
        }
        let (prompts, _) = self.deployment.prompts.with(&request.prompts);
        bucket.put_json(&Layout::pipeline_prompts_key(run), &prompts).await?;
        // The pipeline is written last, so that its existence implies that of all other files.
        bucket.put_json(&Layout::pipeline_key(run), &pipeline).await?;
        tracing::info!(pipeline_run_id = %run, stages = pipeline.stages.len(), "pipeline_validated");
        Ok(valid(pipeline))
    }

    /// Returns the pipeline that an earlier invocation for the same execution has frozen.
    ///
    /// A different execution with this name is an error: Step Functions allows the reuse of a name once it has forgotten the
    /// execution, but the files would be mixed. So is a run of the batch orchestrator with this name, since they would share
    /// a folder.
    async fn frozen(&self, start: &StartInput) -> Result<Option<Pipeline>, EngineError> {
        let bucket = &self.inputs.bucket;
        let run = RunId::of_execution(&start.execution_name);
        if bucket.contains(&Layout::plan_key(&run)).await? {
            return Err(name_taken(&start.execution_name, "run").into());
        }
        let Some(earlier) = bucket.find_json::<Pipeline>(&Layout::pipeline_key(&run)).await? else { return Ok(None) };
        if earlier.started_at == start.started_at {
            Ok(Some(earlier))
        } else {
            Err(name_taken(&start.execution_name, "pipeline").into())
        }
    }

    /// Checks everything that can be checked, and collects the problems of all parts.
    async fn check(&self, config: &Value, started_at: &str) -> Result<PipelineRequest, EngineError> {
        let limits = PipelineLimits { stack: self.deployment.limits, download_links: self.download_links };
        let (request, mut problems) = PipelineRequest::read(config, limits);
        let Some(mut request) = request else {
            Problems::check(problems)?;
            return Err(EngineError::internal("a pipeline without problems could not be read"));
        };
        problems.extend(self.read_generated_prompts(&mut request).await?);
        let mut inputs = BTreeMap::new();
        let mut references = BTreeMap::new();
        for (index, stage) in request.stages.iter().enumerate() {
            if let Some(run) = &stage.run {
                let (read, found) = self.inputs.references(run).await?;
                references.insert(index, read);
                problems.extend(found.into_iter().map(|problem| request.placed(index, problem)));
            }
            let Some(run) = stage.run.as_ref().filter(|_| stage.rows == StageRows::Own && stage.is_addressed()) else {
                continue;
            };
            match self.inputs.inspect(&without_mappings(run)).await {
                Ok(InputSummary { columns, no_csv }) => {
                    inputs.insert(index, columns);
                    if let Some(writer) = writer_of_csv(&request, index) {
                        problems.extend(no_csv.into_iter().map(|problem| request.placed(writer, problem)));
                    }
                }
                Err(error) => {
                    let invalid = error.into_problems()?;
                    problems.extend(invalid.as_slice().iter().map(|problem| request.placed(index, problem.clone())));
                }
            }
        }
        problems.extend(self.problems_of_destinations(&request).await?);
        let runs = request.stages.iter().filter_map(|stage| stage.run.as_ref());
        let ids = runs.flat_map(|run| std::iter::once(&run.model_id).chain(&run.invocation.fallback_model_id));
        let aws = self.deployment.lookup.query(ids.map(String::as_str).collect()).await;
        let bucket = &self.inputs.bucket;
        let overrides = model_overrides(bucket).await?;
        let models = self.deployment.models(bucket, overrides.as_deref(), started_at, aws)?;
        problems.extend(check(&request, &self.deployment.catalog(&models), &inputs, &references).problems);
        Problems::check(problems)?;
        Ok(request)
    }

    /// Reads the generated prompts that stages name, and returns the problems of their files.
    async fn read_generated_prompts(&self, request: &mut PipelineRequest) -> Result<Vec<Problem>, EngineError> {
        let mut problems = Vec::new();
        for index in 0..request.stages.len() {
            let Some(run) = request.stages.get_mut(index).and_then(|stage| stage.run.as_mut()) else { continue };
            match self.inputs.generated_prompt(run).await {
                Ok(Some(prompt)) => run.prompt_config.set_generated(prompt),
                Ok(None) => {}
                Err(error) => {
                    let invalid = error.into_problems()?;
                    problems.extend(invalid.as_slice().iter().map(|problem| request.placed(index, problem.clone())));
                }
            }
        }
        Ok(problems)
    }

    /// Returns the problems of the folders that stages copy their answered rows to.
    async fn problems_of_destinations(&self, request: &PipelineRequest) -> Result<Vec<Problem>, EngineError> {
        let mut problems = Vec::new();
        for (index, run) in request.stages.iter().enumerate().filter_map(|(at, stage)| Some((at, stage.run.as_ref()?)))
        {
            let found = destination_problems(&self.inputs.bucket, &self.deployment.output_buckets, run).await?;
            problems.extend(found.into_iter().map(|problem| request.placed(index, problem)));
        }
        Ok(problems)
    }
}

/// Returns the request without column mappings, which the check applies itself.
fn without_mappings(run: &RunRequest) -> RunRequest {
    let rows = RowSource { column_mappings: BTreeMap::new(), ..run.rows.clone() };
    RunRequest { rows, ..run.clone() }
}

/// Returns the first stage that writes the columns that stage `index` reads to CSV: columns are passed from stage to stage.
fn writer_of_csv(request: &PipelineRequest, index: usize) -> Option<usize> {
    let following = request.stages.iter().enumerate().skip(index);
    let mut readers = following.take_while(|(at, stage)| *at == index || stage.rows == StageRows::Previous);
    let writes_csv = |run: &RunRequest| run.output_formats.contains(&OutputFormat::Csv);
    readers.find(|(_, stage)| stage.run.as_ref().is_some_and(writes_csv)).map(|(at, _)| at)
}

fn valid(pipeline: Pipeline) -> ValidPipeline {
    let Pipeline { pipeline_run_id, bucket, execution_arn, started_at, stages, .. } = pipeline;
    let stages = stages.into_iter().enumerate().map(|(index, stage)| {
        let config = S3Uri::new(&bucket, stage_input_key(&pipeline_run_id, index)).to_string();
        StageExecution {
            index,
            stage_name: stage.stage_name,
            execution_name: stage.execution_name,
            input: json!({ CONFIG_S3_URI: config }),
        }
    });
    let stages = stages.collect();
    ValidPipeline { pipeline_run_id, bucket, execution_arn, started_at, stages }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::input::StackLimits;
    use rstest::rstest;

    #[rstest]
    #[case(&["parquet", "parquet"], 0, None)]
    #[case(&["csv", "parquet"], 0, Some(0))]
    #[case(&["parquet", "parquet", "csv"], 0, Some(2))]
    fn columns_are_passed_on_to_the_first_stage_that_writes_csv(
        #[case] formats: &[&str],
        #[case] index: usize,
        #[case] expected: Option<usize>,
    ) {
        assert_eq!(writer_of_csv(&pipeline(formats, None), index), expected);
    }

    #[test]
    fn columns_end_at_a_stage_that_reads_another_input() {
        let request = pipeline(&["parquet", "csv"], Some(1));
        assert_eq!((writer_of_csv(&request, 0), writer_of_csv(&request, 1)), (None, Some(1)));
    }

    /// Returns a pipeline with stages that write these formats, of which `own` reads S3 like the first one.
    fn pipeline(formats: &[&str], own: Option<usize>) -> PipelineRequest {
        let stages = formats.iter().enumerate().map(|(at, formats)| {
            let mut stage = json!({"stage_name": at.to_string(), "job_name_prefix": at.to_string(), "model_id": "m",
                "prompt_id": "p", "output_formats": [formats]});
            let (field, value) = match at {
                0 => ("input_s3_uri", json!("s3://bucket/a.parquet")),
                _ if own == Some(at) => ("input_s3_uri", json!("s3://bucket/b.parquet")),
                _ => ("use_previous_output", json!(true)),
            };
            stage[field] = value;
            stage
        });
        let stack = StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 };
        let config = json!({"pipeline_name": "p", "stages": stages.collect::<Vec<_>>()});
        let (request, problems) = PipelineRequest::read(&config, PipelineLimits { stack, download_links: false });
        assert_eq!(problems, []);
        request.unwrap()
    }
}
