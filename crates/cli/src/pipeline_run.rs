//! Pipeline runs, and the runs that are their stages.

use crate::executions::{ENDED_LONG_AGO, Execution, Orchestrator};
use crate::failure::Failure;
use crate::run::Run;
use crate::run_progress::RunProgress;
use crate::stack::Stack;
use crate::totals::usd;
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::pipeline::{FrozenStage, Pipeline, PipelineSummary};
use bedrock_batch_domain::printable;
use bedrock_batch_domain::summary::RunOutput;

/// Maximum number of characters of the reason of a failure in the line of its stage; `status` of its run shows all of it.
const MAX_REASON_CHARS: usize = 1000;

/// Current state of a pipeline run.
#[derive(Debug)]
pub(crate) struct PipelineRun {
    pub(crate) name: String,
    /// `Some` once its input has been validated.
    pub(crate) frozen: Option<Pipeline>,
    /// `None` if Step Functions no longer knows it.
    pub(crate) execution: Option<Execution>,
}

impl PipelineRun {
    pub(crate) fn stages(&self) -> &[FrozenStage] {
        self.frozen.as_ref().map_or(&[], |frozen| &frozen.stages)
    }

    /// Returns the execution if it is running.
    pub(crate) fn running(&self) -> Option<&Execution> {
        self.execution.as_ref().filter(|execution| execution.is_running())
    }

    /// Returns the outcome of the execution.
    pub(crate) fn outcome(&self) -> String {
        self.execution.as_ref().map_or_else(|| ENDED_LONG_AGO.to_owned(), Execution::outcome)
    }
}

/// Current state of a stage.
#[derive(Debug)]
pub(crate) struct StageState {
    /// Run of the stage, once it has started.
    pub(crate) run: Option<Run>,
    progress: Option<RunProgress>,
    /// Output of the run, once it has succeeded.
    pub(crate) output: Option<RunOutput>,
}

impl StageState {
    /// Returns `SUCCEEDED   105 in, 105 answered, 0 failed: $0.0079`. A stage that has not started is `waiting` while the
    /// pipeline runs, else `not started`.
    pub(crate) fn line(&self, pipeline_is_running: bool) -> String {
        let Some(run) = &self.run else {
            return if pipeline_is_running { "waiting" } else { "not started" }.to_owned();
        };
        let status = run.execution.as_ref().map_or(ENDED_LONG_AGO, |execution| execution.status.as_str());
        let reason = run.execution.as_ref().and_then(Execution::reason);
        let reason = reason.map(|reason| printable::shortened(&reason, MAX_REASON_CHARS));
        let progress = self.progress.as_ref().map(RunProgress::line);
        match self.output.as_ref().map(counts_line).or(reason).or(progress) {
            Some(more) => format!("{status:<9}  {more}"),
            None => status.to_owned(),
        }
    }
}

/// Returns `105 in, 103 answered, 2 failed: $0.0079`.
pub(crate) fn counts_line(output: &RunOutput) -> String {
    let summary = &output.summary;
    let [records, answered, failed, skipped] =
        [summary.records_in, summary.answered, summary.failed, summary.skipped].map(indicatif::HumanCount);
    let skipped = if summary.skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    let cost = summary.cost_usd.map_or_else(|| "cost unknown".to_owned(), usd);
    format!("{records} in, {answered} answered, {failed} failed{skipped}: {cost}")
}

impl Stack {
    /// Returns the frozen pipeline, if the name is that of a pipeline run whose input was valid.
    pub(crate) async fn pipeline(&self, name: &str) -> Result<Option<Pipeline>, Failure> {
        Ok(self.bucket.find_json(&Layout::pipeline_key(&RunId::of_execution(name))).await?)
    }

    /// Returns the totals of a pipeline run that succeeded.
    pub(crate) async fn pipeline_summary(&self, name: &str) -> Result<Option<PipelineSummary>, Failure> {
        Ok(self.bucket.find_json(&Layout::summary_key(&RunId::of_execution(name))).await?)
    }

    /// Returns the pipeline run with this name, or `None` if there is none.
    pub(crate) async fn pipeline_run(&self, name: &str) -> Result<Option<PipelineRun>, Failure> {
        let frozen = self.pipeline(name).await?;
        // The plan of a run shows that the name is that of a run; only names unknown to the bucket are looked up twice.
        if frozen.is_none() && self.plan(name).await?.is_some() {
            return Ok(None);
        }
        let execution = match &frozen {
            Some(frozen) => self.execution(&frozen.execution_arn).await?,
            None => self.execution_named(Orchestrator::Pipeline, name).await?,
        };
        let known = frozen.is_some() || execution.is_some();
        Ok(known.then(|| PipelineRun { name: name.to_owned(), frozen, execution }))
    }

    /// Returns the current state of a stage.
    pub(crate) async fn stage_state(&self, stage: &FrozenStage) -> Result<StageState, Failure> {
        let run = self.find_run(&stage.execution_name).await?;
        let plan = run.as_ref().and_then(|run| run.plan.as_ref());
        let progress = match plan {
            Some(plan) => Some(RunProgress::of(plan, &self.jobs(plan).await?)),
            None => None,
        };
        let done = run.as_ref().is_some_and(|run| run.execution.as_ref().is_none_or(Execution::has_succeeded));
        let output = if done { self.bucket.find_json(&Layout::summary_key(&stage.run_id)).await? } else { None };
        Ok(StageState { run, progress, output })
    }

    /// Returns the run whose rows a name and a stage refer to. For a pipeline run this is the given stage, or the last one.
    pub(crate) async fn resolve_run(&self, name: &str, stage: Option<&str>) -> Result<String, Failure> {
        let Some(pipeline) = self.pipeline(name).await? else {
            return match stage {
                None => Ok(name.to_owned()),
                Some(stage) => Err(Failure::Usage(format!(
                    "`{name}` is not a pipeline run with known stages: omit `--stage {stage}`"
                ))),
            };
        };
        let selected = select_stage(&pipeline, stage)?;
        if stage.is_none() && self.plan(&selected.execution_name).await?.is_none() {
            let names = stage_names(&pipeline);
            return Err(Failure::Usage(format!(
                "the last stage of pipeline run `{name}`, {}, has not written any rows yet: check its progress with \
                 `bedrock-batch status {name}`, or choose another stage with `--stage` ({names})",
                selected.stage_name
            )));
        }
        Ok(selected.execution_name.clone())
    }
}

fn select_stage<'a>(pipeline: &'a Pipeline, stage: Option<&str>) -> Result<&'a FrozenStage, Failure> {
    let found = match stage {
        None => pipeline.stages.last(),
        Some(name) => pipeline.stages.iter().find(|stage| stage.stage_name == name),
    };
    found.ok_or_else(|| {
        let (name, names) = (stage.unwrap_or_default(), stage_names(pipeline));
        Failure::Usage(format!("pipeline {} has no stage `{name}`: its stages are {names}", pipeline.pipeline_name))
    })
}

fn stage_names(pipeline: &Pipeline) -> String {
    pipeline.stages.iter().map(|stage| stage.stage_name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipeline() -> Pipeline {
        let stage = |name: &str| FrozenStage {
            stage_name: name.to_owned(),
            run_id: RunId::of_execution(&format!("p-{name}")),
            execution_name: format!("p-{name}"),
            job_name_prefix: name.parse().unwrap(),
            model_id: "m".to_owned(),
        };
        Pipeline {
            pipeline_run_id: RunId::of_execution("p"),
            pipeline_name: "clothing".to_owned(),
            execution_arn: "arn:aws:states:eu-west-1:1:execution:pipelines:p".parse().unwrap(),
            started_at: "t".to_owned(),
            bucket: "b".to_owned(),
            presigned_url_expiry_days: 7,
            stages: vec![stage("classify"), stage("list")],
        }
    }

    #[test]
    fn the_last_stage_is_selected_by_default() {
        let pipeline = pipeline();
        assert_eq!(select_stage(&pipeline, None).unwrap().execution_name, "p-list");
        assert_eq!(select_stage(&pipeline, Some("classify")).unwrap().execution_name, "p-classify");
        let refused = select_stage(&pipeline, Some("sort")).unwrap_err();
        assert_eq!(refused.to_string(), "pipeline clothing has no stage `sort`: its stages are classify, list");
    }

    fn state(status: Option<&str>, cause: Option<&str>, progress: bool) -> StageState {
        let execution = |status: &str| Execution {
            arn: "arn:aws:states:us-east-1:1:execution:machine:c".parse().unwrap(),
            status: status.to_owned(),
            error: None,
            cause: cause.map(str::to_owned),
            earlier_run: None,
        };
        let run = |status| Run { name: "c".to_owned(), plan: None, execution: Some(execution(status)), stopped: false };
        StageState { run: status.map(run), progress: progress.then(RunProgress::default), output: None }
    }

    #[test]
    fn the_line_of_a_stage_shows_its_status_with_progress_or_reason() {
        assert_eq!(state(None, None, false).line(true), "waiting");
        assert_eq!(state(None, None, false).line(false), "not started");
        assert_eq!(state(Some("RUNNING"), None, false).line(true), "RUNNING");
        assert!(state(Some("RUNNING"), None, true).line(true).starts_with("RUNNING    jobs: 0 submitted"));
        assert_eq!(state(Some("FAILED"), Some("no access"), true).line(false), "FAILED     no access");
    }
}
