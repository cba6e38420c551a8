//! Completed and failed stages of a pipeline run.

use super::Notifier;
use super::linker::Linker;
use crate::error::EngineError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::email::{DoneStage, StageReport};
use bedrock_batch_domain::ids::ExecutionArn;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::pipeline::{FailedChild, FrozenStage, Pipeline};
use bedrock_batch_domain::summary::RunOutput;

/// Failed stage, with the error of its execution.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FailedAt {
    /// Position of the stage, from 0.
    pub(super) index: usize,
    /// Name of the error that it ended with.
    pub(super) error: Option<String>,
    /// Cause of that error.
    pub(super) cause: Option<String>,
    /// Status of its execution.
    pub(super) status: Option<String>,
}

impl Notifier {
    /// Returns the stage named by the cause of the pipeline's failure, else the first one whose execution has not succeeded.
    pub(super) async fn failed_stage(&self, pipeline: &Pipeline, cause: &str) -> Result<Option<FailedAt>, EngineError> {
        let child = FailedChild::read(cause);
        let named = child.as_ref().and_then(|child| position(pipeline, child));
        if let (Some(index), Some(child)) = (named, child) {
            return Ok(Some(FailedAt { index, error: child.error, cause: child.cause, status: child.status }));
        }
        for (index, stage) in pipeline.stages.iter().enumerate() {
            let execution = pipeline.execution_arn.of_stage(&stage.execution_name);
            let Some(child) = self.described(&execution).await? else {
                // Its execution was not started.
                return Ok(Some(FailedAt { index, ..FailedAt::default() }));
            };
            if child.status.as_deref() != Some("SUCCEEDED") {
                return Ok(Some(FailedAt { index, error: child.error, cause: child.cause, status: child.status }));
            }
        }
        Ok(None)
    }

    /// Describes an execution; returns `None` if it does not exist.
    pub(super) async fn described(&self, arn: &ExecutionArn) -> Result<Option<FailedChild>, EngineError> {
        match self.step_functions.describe_execution().execution_arn(arn.as_str()).send().await {
            Ok(found) => Ok(Some(FailedChild {
                execution_arn: Some(arn.clone()),
                name: found.name().map(str::to_owned),
                status: Some(found.status().as_str().to_owned()),
                error: found.error().map(str::to_owned),
                cause: found.cause().map(str::to_owned),
            })),
            Err(error) if matches!(error.code(), Some("ExecutionDoesNotExist" | "InvalidArn")) => Ok(None),
            Err(error) => Err(EngineError::from_aws(format!("cannot describe {arn}"), &error)),
        }
    }

    /// Returns the stages before the failed one, with links to their files.
    pub(super) async fn done_stages(
        &self,
        stages: &[FrozenStage],
        linker: &Linker,
    ) -> Result<Vec<DoneStage>, EngineError> {
        let mut done = Vec::new();
        for stage in stages {
            let Some(output) = self.bucket.find_json::<RunOutput>(&Layout::summary_key(&stage.run_id)).await? else {
                break;
            };
            let files = linker.files(&stage.run_id, &output).await?;
            done.push(DoneStage { report: report(stage, output), files });
        }
        Ok(done)
    }
}

/// Creates the report of a stage.
pub(super) fn report(stage: &FrozenStage, output: RunOutput) -> StageReport {
    StageReport { stage_name: Some(stage.stage_name.clone()), model_id: stage.model_id.clone(), output }
}

fn position(pipeline: &Pipeline, child: &FailedChild) -> Option<usize> {
    let name = child.execution_name()?;
    pipeline.stages.iter().position(|stage| stage.execution_name == name)
}
