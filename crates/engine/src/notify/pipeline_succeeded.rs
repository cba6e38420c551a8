//! Email about a pipeline whose stages are all complete.

use super::linker::Linker;
use super::{Notifier, shown_execution, stages};
use crate::error::EngineError;
use crate::time;
use bedrock_batch_domain::email::{Completed, Subject};
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::pipeline::{Pipeline, PipelineSummary};
use bedrock_batch_domain::summary::RunOutput;

impl Notifier {
    /// Adds up the totals of the stages, stores them, and sends them with links to the files of the last stage.
    pub(super) async fn pipeline_succeeded(&self, pipeline_run_id: &RunId) -> Result<PipelineSummary, EngineError> {
        let key = Layout::pipeline_key(pipeline_run_id);
        let pipeline: Pipeline = self.bucket.get_json(&key).await?;
        let mut outputs: Vec<RunOutput> = Vec::with_capacity(pipeline.stages.len());
        for stage in &pipeline.stages {
            outputs.push(self.bucket.get_json(&Layout::summary_key(&stage.run_id)).await?);
        }
        let summary = PipelineSummary::new(&pipeline, &outputs);
        self.bucket.put_json(&Layout::summary_key(pipeline_run_id), &summary).await?;
        let Some(last) = outputs.last() else { return Ok(summary) };
        let linker = Linker::new(self, pipeline.presigned_url_expiry_days).await?;
        let files = linker.files(pipeline_run_id, last).await?;
        let started = time::second(&pipeline.started_at);
        let email = Completed {
            subject: Subject::Pipeline(pipeline.pipeline_name.clone()),
            run_id: pipeline_run_id.clone(),
            started: started.map_or_else(|| pipeline.started_at.clone(), time::minute),
            seconds: started.and_then(|started| time::now().checked_sub(started)),
            stages: pipeline.stages.iter().zip(outputs).map(|(stage, output)| stages::report(stage, output)).collect(),
            files,
            links_end: linker.end(),
            console: shown_execution(&pipeline.execution_arn),
        };
        self.mailer.send(&email.email()).await?;
        tracing::info!(%pipeline_run_id, status = summary.status, "pipeline_completion_notified");
        Ok(summary)
    }
}
