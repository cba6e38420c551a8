//! All functions of a run, with the same clients.

use crate::services::{BUCKET, Services};
use crate::submissions::run_id;
use bedrock_batch_domain::ids::ExecutionArn;
use bedrock_batch_domain::input::StackLimits;
use bedrock_batch_domain::job::JobLimits;
use bedrock_batch_domain::model::ModelTable;
use bedrock_batch_domain::prompt::PromptLibrary;
use bedrock_batch_domain::run::Step;
use bedrock_batch_engine::continue_run::{Continuation, RunContinuer};
use bedrock_batch_engine::deployment::Deployment;
use bedrock_batch_engine::finalize::Finalizer;
use bedrock_batch_engine::hub::Hub;
use bedrock_batch_engine::invoke::{InvokeInput, Times};
use bedrock_batch_engine::model_lookup::ModelLookup;
use bedrock_batch_engine::next_step::NextStepper;
use bedrock_batch_engine::postprocess::Postprocessor;
use bedrock_batch_engine::preprocess::{InputReader, Preprocessor, StartInput};
use bedrock_batch_engine::reconcile::Reconciler;
use bedrock_batch_engine::settle::Settler;
use bedrock_batch_engine::stop::{EndedExecution, Stopper};
use bedrock_batch_engine::submit::{JobSettings, Submitter};
use bedrock_batch_engine::{EngineError, SweepTime};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Returns the time that functions have for going through many jobs: more than these need.
fn time() -> SweepTime {
    SweepTime::until(Instant::now() + Duration::from_mins(10))
}

/// Event of a function.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Start(StartInput),
    NextStep(Value),
    Submit(Value),
    Settle(Value),
    Reconcile,
    Invoke(Value),
    Postprocess(Value),
    Summarize(Value),
    Stop(EndedExecution),
}

/// All functions.
#[derive(Clone)]
pub(crate) struct UseCases {
    preprocessor: Preprocessor,
    continuer: RunContinuer,
    stepper: NextStepper,
    submitter: Submitter,
    postprocessor: Postprocessor,
    finalizer: Finalizer,
    services: Services,
}

const LIMITS: StackLimits =
    StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 };

/// Minimum number of records of a batch job.
pub(crate) const MINIMUM: u32 = 4;

pub(crate) fn deployment() -> Arc<Deployment> {
    let mut prompts = PromptLibrary::default();
    prompts.add("plain", "description = \"d\"\ntemplate = \"{text}\"").unwrap();
    prompts.add("other", "description = \"d\"\ntemplate = \"other {text}\"").unwrap();
    prompts.add("both", "description = \"d\"\nexpansion_rule = true\nprompts = [\"plain\", \"other\"]").unwrap();
    let overrides = format!("prices_as_of = \"2027-01-01\"\ndefault_limits = {{ min_records_per_job = {MINIMUM} }}\n");
    let models = ModelTable::with_overrides(&overrides).unwrap();
    Arc::new(Deployment {
        region: "us-east-1".to_owned(),
        limits: LIMITS,
        jobs: JobLimits { per_run: Some(LIMITS.max_concurrent_jobs), quota: None },
        prompts,
        models,
        lookup: ModelLookup::default(),
        output_buckets: Vec::new(),
    })
}

fn parsed<T: DeserializeOwned>(event: &Value) -> T {
    serde_json::from_value(event.clone()).unwrap()
}

fn written(result: &impl Serialize) -> Value {
    serde_json::to_value(result).unwrap()
}

impl UseCases {
    /// Creates the functions; their requests pass the gate under this number, or at once.
    pub(crate) fn new(services: &Services, deployment: &Arc<Deployment>, number: Option<usize>) -> Self {
        let (bucket, settler) = (services.bucket(number), services.settler(number));
        let jobs = settler.jobs.clone();
        let inputs = InputReader {
            bucket: bucket.clone(),
            input_buckets: vec![BUCKET.to_owned()],
            input_prefixes: Vec::new(),
            hub: Hub::default(),
        };
        let step_functions = settler.step_functions.clone();
        Self {
            preprocessor: Preprocessor { inputs, deployment: Arc::clone(deployment), jobs: jobs.clone() },
            continuer: RunContinuer { bucket: bucket.clone(), jobs: jobs.clone(), step_functions, limits: LIMITS },
            stepper: NextStepper { bucket: bucket.clone(), jobs: jobs.clone() },
            submitter: Submitter {
                settler,
                role_arn: "arn:aws:iam::1:role/r".to_owned(),
                timeout_hours: 24,
                job_settings: JobSettings::default(),
            },
            postprocessor: Postprocessor { bucket: bucket.clone(), jobs: jobs.clone(), late_answers: Duration::ZERO },
            finalizer: Finalizer { bucket, jobs, working_file_days: None },
            services: services.clone(),
        }
    }

    fn settler(&self) -> &Settler {
        &self.submitter.settler
    }

    /// Handles an event.
    pub(crate) async fn handle(&self, event: &Event) -> Result<Value, EngineError> {
        match event {
            Event::Start(start) => match Continuation::read(&start.input)? {
                Some(continuation) => Ok(written(&Box::pin(self.continuer.run(&continuation, start)).await?)),
                None => Ok(written(&Box::pin(self.preprocessor.run(start)).await?)),
            },
            Event::NextStep(step) => Ok(written(&Box::pin(self.stepper.run(parsed::<Step>(step))).await?)),
            Event::Submit(submission) => {
                Box::pin(self.submitter.run(&parsed(submission))).await?;
                Ok(Value::Null)
            }
            Event::Settle(job) => {
                self.settler().settle(&parsed(&job["name"]), Some(&parsed(&job["arn"]))).await?;
                Ok(Value::Null)
            }
            Event::Reconcile => {
                let reconciler = Reconciler { settler: self.settler().clone(), silence: Duration::ZERO };
                Ok(written(&reconciler.run(time()).await?))
            }
            Event::Invoke(job) => {
                let (now, minute) = (Instant::now(), Duration::from_mins(1));
                let times = Times { send_until: now + minute, wait_until: now + minute };
                let input = parsed::<InvokeInput>(job);
                Ok(written(&Box::pin(self.services.invoker().run(&input, times)).await?))
            }
            Event::Postprocess(task) => {
                Box::pin(self.postprocessor.run(&parsed(task))).await?;
                Ok(json!(0))
            }
            Event::Summarize(owner) => {
                let owner: ExecutionArn = parsed(owner);
                Ok(written(&Box::pin(self.finalizer.summarize(&run_id(), Some(&owner))).await?))
            }
            Event::Stop(ended) => {
                let (jobs, bedrock) = (self.settler().jobs.clone(), self.settler().bedrock.clone());
                Ok(written(&Stopper { jobs, bedrock }.stop(ended, time()).await?))
            }
        }
    }
}
