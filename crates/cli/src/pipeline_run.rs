//! A pipeline run, and the runs that are its stages.

use crate::executions::{Execution, Orchestrator};
use crate::failure::Failure;
use crate::run::Run;
use crate::stack::Stack;
use crate::standing::Standing;
use crate::totals::usd;
use bedrock_batch_domain::layout::{Layout, run_id};
use bedrock_batch_domain::pipeline::{FrozenStage, Pipeline, PipelineSummary};
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_domain::summary::RunOutput;
use bedrock_batch_engine::objects::{get_json, head};
use serde::de::DeserializeOwned;

/// A pipeline run as it stands.
#[derive(Debug)]
pub(crate) struct PipelineRun {
    pub(crate) name: String,
    /// There once its input was found to be valid.
    pub(crate) frozen: Option<Pipeline>,
    /// None if Step Functions has forgotten it.
    pub(crate) execution: Option<Execution>,
}

impl PipelineRun {
    pub(crate) fn stages(&self) -> &[FrozenStage] {
        self.frozen.as_ref().map_or(&[], |frozen| &frozen.stages)
    }

    /// The execution, if it runs.
    pub(crate) fn running(&self) -> Option<&Execution> {
        self.execution.as_ref().filter(|execution| execution.is_running())
    }

    /// How it ended.
    pub(crate) fn end(&self) -> String {
        self.execution.as_ref().map_or_else(|| "over long ago".to_owned(), Execution::end)
    }
}

/// How a stage stands.
#[derive(Debug)]
pub(crate) struct StageNow {
    /// Its run, once it has begun.
    pub(crate) run: Option<Run>,
    standing: Option<Standing>,
    /// What it came to, once it is done.
    pub(crate) output: Option<RunOutput>,
}

impl StageNow {
    /// `SUCCEEDED   105 in, 105 answered, 0 failed: $0.0079`; one that never began waits, or was never begun.
    pub(crate) fn line(&self, pipeline_runs: bool) -> String {
        let Some(run) = &self.run else {
            return if pipeline_runs { "waiting" } else { "never begun" }.to_owned();
        };
        let status = run.execution.as_ref().map_or("over long ago", |execution| execution.status.as_str());
        let reason = run.execution.as_ref().and_then(Execution::reason);
        let standing = self.standing.as_ref().map(Standing::line);
        match self.output.as_ref().map(came_to).or(reason).or(standing) {
            Some(more) => format!("{status:<9}  {more}"),
            None => status.to_owned(),
        }
    }
}

/// `105 in, 103 answered, 2 failed: $0.0079`.
pub(crate) fn came_to(output: &RunOutput) -> String {
    let summary = &output.summary;
    let [records, answered, failed, skipped] =
        [summary.records_in, summary.answered, summary.failed, summary.skipped].map(indicatif::HumanCount);
    let skipped = if summary.skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    let cost = summary.cost_usd.map_or_else(|| "cost unknown".to_owned(), usd);
    format!("{records} in, {answered} answered, {failed} failed{skipped}: {cost}")
}

impl Stack {
    /// What a pipeline run has frozen, if the name is of one and its input was valid.
    pub(crate) async fn pipeline(&self, name: &str) -> Result<Option<Pipeline>, Failure> {
        self.json_if_there(&Layout::pipeline_key(&run_id(name))).await
    }

    /// The totals of a pipeline run that went well.
    pub(crate) async fn pipeline_summary(&self, name: &str) -> Result<Option<PipelineSummary>, Failure> {
        self.json_if_there(&Layout::summary_key(&run_id(name))).await
    }

    async fn json_if_there<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Failure> {
        if head(&self.s3, &S3Uri::new(&self.bucket, key)).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(get_json(&self.s3, &self.bucket, key).await?))
    }

    /// The pipeline run of this name; `None` if the name is of no pipeline run.
    pub(crate) async fn pipeline_run(&self, name: &str) -> Result<Option<PipelineRun>, Failure> {
        let frozen = self.pipeline(name).await?;
        // A run of this name is told by its plan; only names that the bucket does not know are looked up twice.
        if frozen.is_none() && self.plan(name).await?.is_some() {
            return Ok(None);
        }
        let own = || self.execution_arn(Orchestrator::Pipeline, name);
        let arn = frozen.as_ref().map_or_else(own, |frozen| frozen.execution_arn.clone());
        let execution = self.execution(&arn).await?;
        let known = frozen.is_some() || execution.is_some();
        Ok(known.then(|| PipelineRun { name: name.to_owned(), frozen, execution }))
    }

    /// How a stage stands.
    pub(crate) async fn stage_now(&self, stage: &FrozenStage) -> Result<StageNow, Failure> {
        let run = self.find_run(&stage.execution_name).await?;
        let plan = run.as_ref().and_then(|run| run.plan.as_ref());
        let standing = match plan {
            Some(plan) => Some(Standing::of(plan, &self.jobs(plan).await?)),
            None => None,
        };
        let over = run.as_ref().is_some_and(|run| run.execution.as_ref().is_none_or(Execution::has_succeeded));
        let output = if over { self.json_if_there(&Layout::summary_key(&stage.run_id)).await? } else { None };
        Ok(StageNow { run, standing, output })
    }

    /// The run whose rows are meant by a name and a stage: of a pipeline run, those of its last stage or of the one that
    /// is named.
    pub(crate) async fn run_meant(&self, name: &str, stage: Option<&str>) -> Result<String, Failure> {
        let Some(pipeline) = self.pipeline(name).await? else {
            return match stage {
                None => Ok(name.to_owned()),
                Some(stage) => Err(Failure::Usage(format!(
                    "`{name}` is no pipeline run whose stages are known: leave out `--stage {stage}`"
                ))),
            };
        };
        let meant = meant(&pipeline, stage)?;
        if stage.is_none() && self.plan(&meant.execution_name).await?.is_none() {
            let names = stage_names(&pipeline);
            return Err(Failure::Usage(format!(
                "the last stage of pipeline run `{name}`, {}, has written no rows yet: `bedrock-batch status {name}`; \
                 `--stage` takes those of another ({names})",
                meant.stage_name
            )));
        }
        Ok(meant.execution_name.clone())
    }
}

fn meant<'a>(pipeline: &'a Pipeline, stage: Option<&str>) -> Result<&'a FrozenStage, Failure> {
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
            run_id: format!("p-{name}"),
            execution_name: format!("p-{name}"),
            job_name_prefix: name.to_owned(),
            model_id: "m".to_owned(),
        };
        Pipeline {
            pipeline_run_id: "p".to_owned(),
            pipeline_name: "clothing".to_owned(),
            execution_arn: "arn".to_owned(),
            started_at: "t".to_owned(),
            bucket: "b".to_owned(),
            presigned_url_expiry_days: 7,
            stages: vec![stage("classify"), stage("list")],
        }
    }

    #[test]
    fn the_last_stage_is_meant_unless_another_is_named() {
        let pipeline = pipeline();
        assert_eq!(meant(&pipeline, None).unwrap().execution_name, "p-list");
        assert_eq!(meant(&pipeline, Some("classify")).unwrap().execution_name, "p-classify");
        let refused = meant(&pipeline, Some("sort")).unwrap_err();
        assert_eq!(refused.to_string(), "pipeline clothing has no stage `sort`: its stages are classify, list");
    }

    fn now(status: Option<&str>, cause: Option<&str>, standing: bool) -> StageNow {
        let execution = |status: &str| Execution {
            arn: "arn:a:b:c".to_owned(),
            status: status.to_owned(),
            error: None,
            cause: cause.map(str::to_owned),
            earlier_run: None,
        };
        let run = |status| Run { name: "c".to_owned(), plan: None, execution: Some(execution(status)), stopped: false };
        StageNow { run: status.map(run), standing: standing.then(Standing::default), output: None }
    }

    #[test]
    fn a_stage_says_how_it_stands() {
        assert_eq!(now(None, None, false).line(true), "waiting");
        assert_eq!(now(None, None, false).line(false), "never begun");
        assert_eq!(now(Some("RUNNING"), None, false).line(true), "RUNNING");
        assert!(now(Some("RUNNING"), None, true).line(true).starts_with("RUNNING    jobs: 0 submitted"));
        assert_eq!(now(Some("FAILED"), Some("no access"), true).line(false), "FAILED     no access");
    }
}
