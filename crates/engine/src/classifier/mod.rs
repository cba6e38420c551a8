//! Classifier: checks the payload of the Python guide for medical device reports and starts a run for it.

mod objects;
mod start;

use crate::copies::destination_problems;
use crate::deployment::Deployment;
use crate::error::EngineError;
use crate::model_overrides::{model_overrides, table_with};
use crate::preprocess::InputReader;
use crate::time::now_as_text;
use bedrock_batch_domain::check::resolve;
use bedrock_batch_domain::classifier::{Classification, ClassifierDefaults, ReachableBuckets, payload_field};
use bedrock_batch_domain::ids::{ExecutionArn, RunId, StateMachineArn};
use bedrock_batch_domain::input::RunRequest;
use bedrock_batch_domain::problem::{Problem, Problems};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// Starts runs that classify reports.
#[derive(Debug, Clone)]
pub struct Classifier {
    /// Step Functions client.
    pub step_functions: aws_sdk_sfn::Client,
    /// ARN of the batch orchestrator.
    pub batch_orchestrator: StateMachineArn,
    /// Reader of inputs: the bucket of the stack, and those that it may read.
    pub inputs: InputReader,
    /// Rules of the deployment, against which payloads are checked.
    pub deployment: Arc<Deployment>,
    /// Values of absent fields.
    pub defaults: ClassifierDefaults,
}

/// Run that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StartedRun {
    /// Id of the run.
    pub run_id: RunId,
    /// ARN of its execution.
    pub execution_arn: ExecutionArn,
    /// Folder that its answers will be in.
    pub output_uri: String,
}

impl Classifier {
    /// Starts a run for a payload, once, however often the invocation with this request id is repeated.
    ///
    /// # Errors
    /// Returns `InvalidInput` with all problems of the payload, and another error if an AWS request fails.
    pub async fn start(&self, payload: &Value, request_id: &str) -> Result<StartedRun, EngineError> {
        let buckets = ReachableBuckets {
            own: self.inputs.bucket.name(),
            input: &self.inputs.input_buckets,
            output: &self.deployment.output_buckets,
        };
        let read = Classification::read(payload, request_id, &self.defaults, Some(buckets));
        let classification = match read {
            Ok(classification) => classification,
            Err(problems) => return Err(refused(problems)),
        };
        let bucket = &self.inputs.bucket;
        let overrides = model_overrides(bucket).await?;
        let models = table_with(&self.deployment.models, bucket, overrides.as_deref())?;
        let model = models.find(&classification.model_id);
        let minimum = model.map_or(0, |model| model.limits.min_records_per_job);
        let input = classification.execution_input(minimum);
        self.check(&classification, &input, overrides.as_deref()).await?;
        let execution_arn = self.start_once(&classification.execution_name, &input).await?;
        let run_id = classification.run_id();
        let output_uri = classification.output.of_run(&run_id).to_string();
        tracing::info!(%run_id, problem_type = classification.problem_type.name(), "classification_started");
        Ok(StartedRun { run_id, execution_arn, output_uri })
    }

    /// Checks what can be checked at once. The run itself checks the rows and the reference before it submits anything.
    async fn check(
        &self,
        classification: &Classification,
        input: &Value,
        overrides: Option<&str>,
    ) -> Result<(), EngineError> {
        let (request, mut problems) = RunRequest::read(input, self.deployment.limits);
        let Some(request) = request else { return Err(refused(problems)) };
        let aws = self.deployment.lookup.query(vec![request.model_id.as_str()]).await;
        let bucket = &self.inputs.bucket;
        let models = self.deployment.models(bucket, overrides, &now_as_text(), aws)?;
        problems.extend(resolve(&request, &self.deployment.catalog(&models)).1);
        problems.extend(destination_problems(bucket, &self.deployment.output_buckets, &request).await?);
        for (field, object) in [("input_key", &classification.reports), ("imdrf_key", &classification.reference)] {
            problems.extend(objects::missing(bucket.client(), field, object).await?);
        }
        if problems.is_empty() { Ok(()) } else { Err(refused(problems)) }
    }
}

/// Returns the error of a payload, whose problems name its fields.
fn refused(problems: Vec<Problem>) -> EngineError {
    let named = |problem: Problem| {
        let field = payload_field(&problem.field).to_owned();
        problem.of_field(field)
    };
    match Problems::check(problems.into_iter().map(named).collect()) {
        Err(problems) => problems.into(),
        Ok(()) => EngineError::internal("a payload without problems could not be read"),
    }
}
