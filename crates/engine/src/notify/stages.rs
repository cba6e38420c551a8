//! The stages of a pipeline run: which are complete, and which failed.

use super::Notifier;
use super::linker::Linker;
use crate::error::EngineError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bedrock_batch_domain::email::{DoneStage, StageReport};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::links::sibling_execution;
use bedrock_batch_domain::pipeline::{FailedChild, FrozenStage, Pipeline};
use bedrock_batch_domain::summary::RunOutput;

/// The stage that failed, and what its execution says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FailedAt {
    /// Its position, from 0.
    pub(super) index: usize,
    /// The error it ended with.
    pub(super) error: Option<String>,
    /// What that says.
    pub(super) cause: Option<String>,
    /// How it ended.
    pub(super) status: Option<String>,
}

impl Notifier {
    /// The stage that the cause of the pipeline's failure names, else the first whose execution has not succeeded.
    pub(super) async fn failed_stage(&self, pipeline: &Pipeline, cause: &str) -> Result<Option<FailedAt>, EngineError> {
        let child = FailedChild::read(cause);
        let named = child.as_ref().and_then(|child| position(pipeline, child));
        if let (Some(index), Some(child)) = (named, child) {
            return Ok(Some(FailedAt { index, error: child.error, cause: child.cause, status: child.status }));
        }
        for (index, stage) in pipeline.stages.iter().enumerate() {
            let Some(arn) = sibling_execution(&pipeline.execution_arn, &stage.execution_name) else { continue };
            let Some(child) = self.described(&arn).await? else {
                // It was to be started, and was not.
                return Ok(Some(FailedAt { index, ..FailedAt::default() }));
            };
            if child.status.as_deref() != Some("SUCCEEDED") {
                return Ok(Some(FailedAt { index, error: child.error, cause: child.cause, status: child.status }));
            }
        }
        Ok(None)
    }

    /// How an execution stands; `None` if there is none of this ARN.
    pub(super) async fn described(&self, arn: &str) -> Result<Option<FailedChild>, EngineError> {
        match self.step_functions.describe_execution().execution_arn(arn).send().await {
            Ok(found) => Ok(Some(FailedChild {
                execution_arn: Some(arn.to_owned()),
                name: found.name().map(str::to_owned),
                status: Some(found.status().as_str().to_owned()),
                error: found.error().map(str::to_owned),
                cause: found.cause().map(str::to_owned),
            })),
            Err(error) if matches!(error.code(), Some("ExecutionDoesNotExist" | "InvalidArn")) => Ok(None),
            Err(error) => Err(EngineError::from_aws(format!("cannot look at {arn}"), &error)),
        }
    }

    /// The stages before the one that failed, with links to their files.
    pub(super) async fn done_stages(
        &self,
        stages: &[FrozenStage],
        linker: &Linker,
    ) -> Result<Vec<DoneStage>, EngineError> {
        let mut done = Vec::new();
        for stage in stages {
            let Some(output) = self.read::<RunOutput>(&Layout::summary_key(&stage.run_id)).await? else { break };
            let files = linker.files(&stage.run_id, &output).await?;
            done.push(DoneStage { report: report(stage, output), files });
        }
        Ok(done)
    }
}

/// What a stage came to.
pub(super) fn report(stage: &FrozenStage, output: RunOutput) -> StageReport {
    StageReport { stage_name: Some(stage.stage_name.clone()), model_id: stage.model_id.clone(), output }
}

fn position(pipeline: &Pipeline, child: &FailedChild) -> Option<usize> {
    let name = child.execution_name()?;
    pipeline.stages.iter().position(|stage| stage.execution_name == name)
}
