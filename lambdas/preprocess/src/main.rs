//! Lambda `preprocess`: starts a run, continues an earlier one, or takes the next step. See
//! [`bedrock_batch_engine::preprocess`], [`bedrock_batch_engine::continue_run`] and [`bedrock_batch_engine::next_step`].

mod action;

use action::Action;
use bedrock_batch_engine::continue_run::{Continuation, RunContinuer};
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::next_step::NextStepper;
use bedrock_batch_engine::preprocess::Preprocessor;
use bedrock_batch_engine::{EngineError, TimedStep, keep_freed_memory};
use bedrock_batch_lambda_host::{deployment, environment, input_reader, log_as_json, required, serve};
use lambda_runtime::Error;
use std::sync::Arc;

/// The use cases of this function.
struct UseCases {
    preprocessor: Preprocessor,
    continuer: RunContinuer,
    stepper: NextStepper,
}

impl UseCases {
    async fn run(&self, action: Action) -> Result<TimedStep, EngineError> {
        match action {
            Action::Start(start) => {
                let step = match Continuation::read(&start.input)? {
                    Some(continuation) => self.continuer.run(&continuation, &start).await?,
                    None => Box::pin(self.preprocessor.run(&start)).await?,
                };
                Ok(TimedStep::first(step, &start.started_at))
            }
            Action::NextStep { state } => {
                let (done, began_at) = state.begun();
                Ok(TimedStep::followed_by(self.stepper.run(state.step).await?, done, began_at))
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    keep_freed_memory();
    let config = bedrock_batch_aws::sdk_config().await;
    let jobs = JobTable::new(aws_sdk_dynamodb::Client::new(&config), required(environment::TASK_TABLE_NAME)?);
    let (inputs, mut deployment) = (input_reader(&config)?, deployment(&config)?);
    if deployment.jobs.quota.is_none() {
        let quotas = aws_sdk_servicequotas::Client::new(&bedrock_batch_aws::bedrock_config(&config));
        deployment.lookup = deployment.lookup.with_quotas(quotas);
    }
    let deployment = Arc::new(deployment);
    let bucket = inputs.bucket.clone();
    let use_cases = Arc::new(UseCases {
        continuer: RunContinuer {
            bucket: bucket.clone(),
            jobs: jobs.clone(),
            step_functions: aws_sdk_sfn::Client::new(&config),
            limits: deployment.limits,
        },
        stepper: NextStepper { bucket, jobs: jobs.clone() },
        preprocessor: Preprocessor { inputs, deployment, jobs },
    });
    serve(move |action: Action| {
        let use_cases = Arc::clone(&use_cases);
        async move { use_cases.run(action).await }
    })
    .await
}
