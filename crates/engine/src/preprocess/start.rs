//! The use case: checks the request, writes the chunks, and freezes the plan.

use super::dataset_pin::{pin_commit, pinned_commit};
use super::freeze::RunToFreeze;
use super::input::InputReader;
use super::model_pin::{ModelFacts, models_of_start, pin_models};
use super::row_budget::RowBudget;
use super::start_input::StartInput;
use super::validated_request::ValidatedRequest;
use super::write_rows::write_rows;
use crate::deployment::Deployment;
use crate::error::EngineError;
use crate::job_table::{JobTable, Ownership};
use crate::name_claim::{claim_name, name_taken};
use crate::objects::{Pages, blocking};
use bedrock_batch_domain::check::{Catalog, ToSend, cost_problem, on_demand_cap};
use bedrock_batch_domain::ids::RunId;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::pipeline::pipeline_of_stage;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::problem::{Problem, Problems};
use bedrock_batch_domain::prompt::PromptLibrary;
use bedrock_batch_domain::run::Step;
use serde_json::Value;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Starts runs.
#[derive(Debug, Clone)]
pub struct Preprocessor {
    /// Reader of inputs.
    pub inputs: InputReader,
    /// Rules of the deployment, against which requests are checked.
    pub deployment: Arc<Deployment>,
    /// Job table.
    pub jobs: JobTable,
}

impl Preprocessor {
    /// Starts a run: returns its first step.
    ///
    /// # Errors
    /// Returns `InvalidInput` with all problems of the input, and an error if an AWS request fails.
    pub async fn run(&self, input: &StartInput) -> Result<Step, EngineError> {
        let run_id = RunId::of_execution(&input.execution_name);
        let pipeline = pipeline_of_stage(&input.input);
        if let Some(plan) = self.finished(input, &run_id).await? {
            // The plan is written last: an earlier attempt of this start has done everything, and only its result was lost.
            self.acquire(input, &run_id).await?;
            return Ok(Step::first(&plan, &input.execution_arn));
        }
        let bucket = &self.inputs.bucket;
        let request = self.inputs.resolve_config(input.input.clone()).await?;
        let pinned = pinned_commit(bucket, &run_id, input, &request).await?;
        let frozen = self.frozen_prompts(pipeline).await?;
        // A pipeline may have been validated before prompts were frozen.
        let prompts = frozen.as_ref().unwrap_or(&self.deployment.prompts);
        let facts = models_of_start(bucket, &run_id, input, &request, &self.deployment.lookup).await?;
        let ModelFacts { aws, overrides } = &facts;
        let models = self.deployment.models(bucket, overrides.as_deref(), &input.started_at, aws.clone())?;
        let catalog = Catalog { prompts, ..self.deployment.catalog(&models) };
        let model_id = request.get("model_id").and_then(Value::as_str);
        let quota = self.deployment.jobs.shared(model_id.and_then(|id| aws.job_quota(id)));
        let limits = self.deployment.limits_of(model_id, aws);
        let (pinned, buckets) = (pinned.as_deref(), &self.deployment.output_buckets);
        let checking = ValidatedRequest::check(&request, &self.inputs, limits, &catalog, pinned, buckets);
        let mut checked = Box::pin(checking).await?;
        let layout = Layout::new(&checked.request.job_name_prefix, &run_id);
        let inputs = self.inputs.clone();
        let (checked, budget) = blocking(move || {
            let budget = RowBudget::plan(&mut checked, &inputs)?;
            Ok((Arc::new(checked), budget))
        })
        .await?;
        if quota == Some(0) && budget.lane == Lane::Batch {
            Problems::check(vec![no_jobs(&checked.request.model_id)])?;
        }
        self.claim(input, &run_id).await?;
        // From here on, the run may have to be stopped.
        self.acquire(input, &run_id).await?;
        pin_models(bucket, &run_id, input, &facts).await?;
        if let Some(dataset) = &checked.input.sources.dataset {
            pin_commit(bucket, &run_id, input, &dataset.commit).await?;
        }
        let owned = Ownership::new(&self.jobs, &run_id, &input.execution_arn);
        let uploads = bucket.uploads(&Handle::current()).checked(move || owned.clone().ensure());
        let written = {
            let (inputs, checked, layout) = (self.inputs.clone(), Arc::clone(&checked), layout.clone());
            let sink = uploads.clone();
            blocking(move || write_rows(&inputs, &checked, budget, &layout, &sink)).await?
        };
        uploads.finish().await?;
        let counts = budget.counts(&checked, &written)?;
        let lane = budget.lane;
        let on_demand = match lane {
            Lane::OnDemand => counts.records,
            Lane::Batch => {
                written.chunks.last().copied().filter(|last| *last < budget.limits.min_records).map_or(0, u64::from)
            }
        };
        let max_on_demand_records = self.check_cost(&checked, &layout, (counts.records, on_demand), lane).await?;
        if let Some(quota) = quota {
            self.jobs.change_job_places(&checked.request.model_id, |places| places.set_limit(quota)).await?;
        }
        let run = RunToFreeze {
            input,
            run_id: &run_id,
            layout: &layout,
            checked: &checked,
            counts,
            lane,
            max_on_demand_records,
            written: &written,
        };
        run.freeze(bucket, self.jobs.name()).await
    }

    /// Returns the prompts that validate has checked for the pipeline run of this stage, even if other prompts were deployed
    /// since. `pipeline` is the bucket and the name of that run.
    async fn frozen_prompts(&self, pipeline: Option<(String, RunId)>) -> Result<Option<PromptLibrary>, EngineError> {
        match pipeline.filter(|(bucket, _)| bucket == self.inputs.bucket.name()) {
            Some((_, run)) => self.inputs.bucket.find_json(&Layout::pipeline_prompts_key(&run)).await,
            None => Ok(None),
        }
    }

    async fn claim(&self, input: &StartInput, run_id: &RunId) -> Result<(), EngineError> {
        let is_ours = claim_name(&self.inputs.bucket, run_id, &input.execution_arn, &input.started_at).await?;
        if is_ours { Ok(()) } else { Err(name_taken(&input.execution_name, "execution").into()) }
    }

    /// Checks the run against its maximum cost, by the records that were written, of which some are sent on demand in any case. Returns
    /// the maximum number of those that may be, if it is limited.
    async fn check_cost(
        &self,
        checked: &ValidatedRequest,
        layout: &Layout,
        (records, on_demand): (u64, u64),
        lane: Lane,
    ) -> Result<Option<u64>, EngineError> {
        let (request, resolved) = (&checked.request, &checked.resolved);
        let mut bytes = 0;
        if request.max_cost_usd.is_some() || request.invocation.max_on_demand_usd.is_some() {
            let bucket = &self.inputs.bucket;
            let mut pages = Pages::new(bucket.client(), &bucket.uri(layout.records_prefix()));
            while let Some(page) = pages.next().await? {
                bytes += page.iter().map(|object| object.bytes).sum::<u64>();
            }
        }
        let to_send = ToSend { records, bytes, lane };
        let mut problems = Vec::from_iter(cost_problem(request, resolved, to_send));
        let cap = on_demand_cap(request, resolved, to_send, on_demand).map_err(|problem| problems.push(problem));
        Problems::check(problems)?;
        Ok(cap.unwrap_or_default())
    }

    async fn acquire(&self, input: &StartInput, run_id: &RunId) -> Result<(), EngineError> {
        let is_owner = self.jobs.acquire_run(run_id, &input.execution_arn, None).await?;
        if is_owner { Ok(()) } else { Err(name_taken(&input.execution_name, "run").into()) }
    }

    /// Returns the plan of an earlier attempt of this start, if one has finished.
    ///
    /// Checks that no earlier run had this name. Step Functions allows the reuse of a name once it has forgotten the execution,
    /// but the files of the earlier run would be taken for those of this one.
    async fn finished(&self, input: &StartInput, run_id: &RunId) -> Result<Option<Plan>, EngineError> {
        let bucket = &self.inputs.bucket;
        // A pipeline run with this name would share the folder.
        if bucket.contains(&Layout::pipeline_key(run_id)).await? {
            return Err(name_taken(&input.execution_name, "pipeline").into());
        }
        match bucket.find_json::<Plan>(&Layout::plan_key(run_id)).await? {
            Some(earlier) if earlier.started_at != input.started_at => {
                Err(name_taken(&input.execution_name, "run").into())
            }
            earlier => Ok(earlier),
        }
    }
}

/// Returns the problem of a run in batch in an account without any batch job of its model.
fn no_jobs(model_id: &str) -> Problem {
    let rule = "the account's quota of batch jobs of this model is 0, as Service Quotas says";
    let remedy = "request an increase of \"Sum of in-progress and submitted batch inference jobs\" for the model there, choose \
                  another model, or set `processing_mode` to `realtime`";
    Problem::new("model_id", model_id, rule).remedy(remedy)
}
