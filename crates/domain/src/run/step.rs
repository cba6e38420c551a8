//! The object that is passed from state to state of the state machine: the output of preprocess and of every next step.

use super::phase::{Mode, Phase};
use super::remainder::Remainder;
use super::shape::RunShape;
use super::state::RunState;
use super::step_name::StepName;
use crate::ids::{ExecutionArn, RunId};
use crate::input::ProcessingMode;
use crate::lane::Lane;
use crate::layout::Layout;
use crate::model::InvocationType;
use crate::plan::Plan;
use serde::{Deserialize, Serialize};

/// Next work of the state machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredStep", into = "StoredStep")]
pub struct Step {
    /// State of the state machine.
    pub step: StepName,
    /// The run.
    pub run_id: RunId,
    /// Bucket of the stack.
    pub bucket: String,
    /// The running execution: that of the run, or the one that resumes or collects it.
    pub execution_arn: ExecutionArn,
    /// Key of the manifest that the state reads.
    pub manifest_key: String,
    /// Maximum number of its items that are processed concurrently.
    pub max_concurrency: u32,
    /// The model, for batch jobs.
    pub model_id: String,
    /// Format in which Bedrock reads the records.
    pub invocation_type: InvocationType,
    /// If true, jobs that Bedrock does not accept in batch are sent on demand.
    pub on_demand_allowed: bool,
    /// State of the run during this work.
    pub state: RunState,
}

/// Maximum number of chunks that are joined concurrently.
const MAX_CONCURRENT_JOINS: u32 = 20;

/// Returns the maximum number of items of a step's manifest that are processed concurrently.
fn concurrency(plan: &Plan, step: StepName) -> u32 {
    match step {
        StepName::ProcessJobs | StepName::RetryJobs => plan.request.max_concurrent_jobs,
        // One function at a time, so that the request limits apply to the whole run.
        StepName::AnswerOnDemand | StepName::Finish => 1,
        StepName::JoinChunks => MAX_CONCURRENT_JOINS,
    }
}

impl Step {
    /// Returns the first step of a run: the jobs of its first pass.
    pub fn first(plan: &Plan, execution_arn: &ExecutionArn) -> Self {
        let last_round = plan.request.invocation.max_retry_rounds;
        let (state, lane) = RunState::first(&RunShape::from(plan), plan.lane, last_round);
        let step = state.phase.step(lane);
        Self {
            step,
            run_id: plan.run_id.clone(),
            bucket: plan.bucket.clone(),
            execution_arn: execution_arn.clone(),
            manifest_key: Layout::pass_jobs_key(&plan.run_id, state.pass),
            max_concurrency: concurrency(plan, step),
            model_id: plan.model.id.clone(),
            invocation_type: plan.model.family.invocation_type(),
            on_demand_allowed: plan.request.invocation.processing_mode == ProcessingMode::Auto,
            state,
        }
    }

    /// Returns the step after this one. `lane` is that of the jobs, if there are any.
    #[must_use]
    pub fn followed_by(&self, plan: &Plan, state: RunState, lane: Lane, manifest_key: String) -> Self {
        let step = state.phase.step(lane);
        Self { step, state, manifest_key, max_concurrency: concurrency(plan, step), ..self.clone() }
    }
}

/// Step in its stored format. Version 1 wrote no `phase`.
#[derive(Serialize, Deserialize)]
struct StoredStep {
    step: StepName,
    #[serde(default)]
    phase: Option<Phase>,
    run_id: RunId,
    bucket: String,
    execution_arn: ExecutionArn,
    manifest_key: String,
    max_concurrency: u32,
    model_id: String,
    invocation_type: InvocationType,
    #[serde(rename = "falls_back")]
    on_demand_allowed: bool,
    pass: u32,
    round: u32,
    last_round: u32,
    mode: Mode,
    /// If true, the pass after this one is its remainder. Functions of version 1 also read it, while a deployment replaces
    /// them one by one.
    #[serde(default, rename = "rest")]
    has_remainder: bool,
}

impl StoredStep {
    /// Returns the phase of a step of version 1, whose three kinds of joins differ only in the keys of their manifests.
    /// Executions that were started by version 1 still pass such steps on; no other code inspects the key.
    fn phase_of_version_1(&self) -> Phase {
        match self.step {
            StepName::ProcessJobs => Phase::AnswerAndJoin,
            StepName::RetryJobs | StepName::AnswerOnDemand => Phase::Answer,
            StepName::JoinChunks if self.manifest_key == Layout::last_join_key(&self.run_id, self.pass) => {
                Phase::LastJoin
            }
            StepName::JoinChunks if self.manifest_key == Layout::wide_key(&self.run_id, self.pass) => Phase::Pivot,
            StepName::JoinChunks => Phase::Join,
            StepName::Finish => Phase::Finished,
        }
    }
}

impl From<StoredStep> for Step {
    fn from(stored: StoredStep) -> Self {
        let state = RunState {
            phase: stored.phase.unwrap_or_else(|| stored.phase_of_version_1()),
            mode: stored.mode,
            pass: stored.pass,
            round: stored.round,
            last_round: stored.last_round,
            remainder: stored.has_remainder.then_some(Remainder { pass: stored.pass + 1 }),
        };
        Self {
            step: stored.step,
            run_id: stored.run_id,
            bucket: stored.bucket,
            execution_arn: stored.execution_arn,
            manifest_key: stored.manifest_key,
            max_concurrency: stored.max_concurrency,
            model_id: stored.model_id,
            invocation_type: stored.invocation_type,
            on_demand_allowed: stored.on_demand_allowed,
            state,
        }
    }
}

impl From<Step> for StoredStep {
    fn from(step: Step) -> Self {
        Self {
            step: step.step,
            phase: Some(step.state.phase),
            run_id: step.run_id,
            bucket: step.bucket,
            execution_arn: step.execution_arn,
            manifest_key: step.manifest_key,
            max_concurrency: step.max_concurrency,
            model_id: step.model_id,
            invocation_type: step.invocation_type,
            on_demand_allowed: step.on_demand_allowed,
            pass: step.state.pass,
            round: step.state.round,
            last_round: step.state.last_round,
            mode: step.state.mode,
            has_remainder: step.state.remainder.is_some(),
        }
    }
}
