//! State machine that submits one job and waits for it, with attempts that it has given up and that run nevertheless.

use crate::services::Services;
use crate::services::gate::{Decision, Gate};
use bedrock_batch_domain::ids::{ExecutionArn, JobArn, JobName, RunId};
use bedrock_batch_domain::model::InvocationType;
use bedrock_batch_domain::plan::JobItem;
use bedrock_batch_engine::reconcile::Reconciler;
use bedrock_batch_engine::submit::{JobSettings, SubmitInput, Submitter};
use bedrock_batch_engine::{EngineError, SweepTime};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Result of a function: its error name, if it failed.
type Ended = (usize, Result<(), String>);

/// Attempt to submit that the state machine waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Awaited {
    pub(crate) function: usize,
    pub(crate) token: String,
    execution: u32,
    retry: u32,
}

/// The state machine, and all functions that still run.
pub(crate) struct StateMachine {
    pub(crate) services: Services,
    pub(crate) awaited: Awaited,
    /// Requests that wait for a decision, by the function.
    pub(crate) waiting: BTreeMap<usize, oneshot::Sender<Decision>>,
    functions: BTreeMap<usize, JoinHandle<()>>,
    requests: mpsc::UnboundedReceiver<(usize, oneshot::Sender<Decision>)>,
    ends: (mpsc::UnboundedSender<Ended>, mpsc::UnboundedReceiver<Ended>),
    started: usize,
    /// True once the awaited attempt has returned without an error: its token waits for the answer.
    pub(crate) is_submitted: bool,
}

pub(crate) fn run_id() -> RunId {
    RunId::parse("r").unwrap()
}

pub(crate) fn execution(number: u32) -> ExecutionArn {
    ExecutionArn::parse(&format!("arn:aws:states:eu-west-1:1:execution:o:r-{number}")).unwrap()
}

pub(crate) fn job_name() -> JobName {
    JobName::parse("p-0000-0123456789a").unwrap()
}

/// Returns the event of an attempt to submit.
pub(crate) fn submission(run: &RunId, execution: &ExecutionArn, retry: u32, token: &str) -> SubmitInput {
    let job = JobItem {
        index: 0,
        name: job_name(),
        records: 100,
        input_uri: "s3://b/batch_inputs_json/p/r/0000.jsonl".to_owned(),
        output_uri: "s3://b/batch_outputs_json/p/r/0000/".to_owned(),
        round: 0,
        lane: serde_json::from_value(json!("batch")).unwrap(),
        is_remainder: false,
    };
    SubmitInput {
        task_token: token.to_owned(),
        redrive_count: 0,
        retry_count: retry,
        run_id: run.clone(),
        execution_arn: execution.clone(),
        model_id: "m".to_owned(),
        invocation_type: InvocationType::InvokeModel,
        on_demand_allowed: false,
        job,
    }
}

/// Returns a submitter whose requests pass the gate under this number, or at once.
pub(crate) fn submitter(services: &Services, number: Option<usize>) -> Submitter {
    let role_arn = "arn:aws:iam::1:role/r".to_owned();
    Submitter { settler: services.settler(number), role_arn, timeout_hours: 24, job_settings: JobSettings::default() }
}

impl StateMachine {
    /// Starts an execution with its first attempt.
    pub(crate) async fn start() -> Self {
        let (gate, requests) = Gate::new();
        let services = Services::start(Some(gate)).await;
        let awaited = Awaited { function: 0, token: String::new(), execution: 0, retry: 0 };
        let ends = mpsc::unbounded_channel();
        let (waiting, functions) = (BTreeMap::new(), BTreeMap::new());
        let mut machine =
            Self { services, awaited, waiting, functions, requests, ends, started: 0, is_submitted: false };
        machine.take_over(0).await;
        machine
    }

    /// Makes this execution the owner of the run, and starts its first attempt.
    async fn take_over(&mut self, number: u32) {
        let previous = number.checked_sub(1).map(execution);
        {
            let mut world = self.services.world();
            world.running = [execution(number).to_string()].into();
        }
        let jobs = self.services.settler(None).jobs;
        if let Some(previous) = &previous {
            assert!(jobs.stop_run(&run_id(), previous).await.unwrap());
        }
        assert!(jobs.acquire_run(&run_id(), &execution(number), previous.as_ref()).await.unwrap());
        self.attempt(number, 0).await;
    }

    /// Ends the execution, and resumes the run with another one.
    pub(crate) async fn resume(&mut self) {
        self.take_over(self.awaited.execution + 1).await;
    }

    /// Gives up the awaited attempt, which may continue to run, and starts another one.
    pub(crate) async fn retry(&mut self) {
        self.attempt(self.awaited.execution, self.awaited.retry + 1).await;
    }

    async fn attempt(&mut self, number: u32, retry: u32) {
        let token = format!("token-{number}-{retry}");
        let input = submission(&run_id(), &execution(number), retry, &token);
        self.awaited = Awaited { function: self.started, token, execution: number, retry };
        self.is_submitted = false;
        let submitter = submitter(&self.services, Some(self.started));
        self.run(async move { submitter.run(&input).await }).await;
    }

    /// Starts a function that handles an event of the job.
    pub(crate) async fn event(&mut self, arn: &str) {
        let settler = self.services.settler(Some(self.started));
        let arn = JobArn::parse(arn).unwrap();
        self.run(async move { settler.settle(&job_name(), Some(&arn)).await.map(|_| ()) }).await;
    }

    async fn run(&mut self, work: impl Future<Output = Result<(), EngineError>> + Send + 'static) {
        let (number, ends) = (self.started, self.ends.0.clone());
        self.started += 1;
        let task = tokio::spawn(async move {
            let done = work.await.map_err(|error| error.name().to_owned());
            // The state machine is dropped at the end of a test.
            let _ = ends.send((number, done));
        });
        self.functions.insert(number, task);
        self.wait_for(number).await;
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.functions.is_empty()
    }

    /// Decides about the request that a function waits for, and waits until it sends the next one or ends.
    pub(crate) async fn decide(&mut self, function: usize, decision: Decision) {
        let waiting = self.waiting.remove(&function).unwrap();
        waiting.send(decision).unwrap();
        if decision == Decision::Perform {
            self.wait_for(function).await;
            return;
        }
        if decision == Decision::DieAfter {
            // The request is performed by another task.
            self.settle_down().await;
        }
        self.functions.remove(&function).unwrap().abort();
        self.end(function, Err("Sandbox.Timedout".to_owned())).await;
    }

    /// Waits until the services have performed a request whose function has died.
    async fn settle_down(&self) {
        let before = || self.services.world().calls.values().sum::<u32>();
        let count = before();
        while before() == count {
            tokio::task::yield_now().await;
        }
    }

    async fn wait_for(&mut self, function: usize) {
        tokio::select! {
            request = self.requests.recv() => {
                let (number, decision) = request.unwrap();
                assert_eq!(number, function, "only one function runs at a time");
                self.waiting.insert(number, decision);
            }
            ended = self.ends.1.recv() => {
                let (number, done) = ended.unwrap();
                assert_eq!(number, function, "only one function runs at a time");
                self.functions.remove(&number);
                Box::pin(self.end(number, done)).await;
            }
        }
    }

    /// Reacts to the end of a function, as the state machine does.
    async fn end(&mut self, function: usize, done: Result<(), String>) {
        if function != self.awaited.function {
            return;
        }
        match done.as_ref().map_err(String::as_str) {
            Ok(()) => self.is_submitted = true,
            Err("Transient" | "Throttled" | "QuotaExceeded" | "Sandbox.Timedout") => Box::pin(self.retry()).await,
            Err(other) => panic!("the attempt that the state machine waits for ended with {other}"),
        }
    }
}

/// Plays a script: each byte is a decision.
async fn play(script: &[u8]) {
    let mut machine = StateMachine::start().await;
    for byte in script {
        let (what, which) = (byte % 16, usize::from(byte / 16));
        let function = machine.waiting.keys().nth(which % machine.waiting.len().max(1)).copied();
        match (what, function) {
            (0..=8, Some(function)) => machine.decide(function, Decision::Perform).await,
            (9, Some(function)) => machine.decide(function, Decision::DieBefore).await,
            (10, Some(function)) => machine.decide(function, Decision::DieAfter).await,
            (11, _) => machine.retry().await,
            (12, _) if which < 8 => machine.resume().await,
            (12, _) => {
                let mut world = machine.services.world();
                world.is_quota_used_up = !world.is_quota_used_up;
            }
            (13, _) => {
                let job = machine.services.world().jobs.first().map(|job| job.arn.clone());
                if let Some(arn) = job {
                    machine.event(&arn).await;
                }
            }
            (14, _) => {
                let mut world = machine.services.world();
                if world.jobs.first().is_some_and(|job| !job.is_over()) {
                    world.end_job(0, "Completed");
                }
            }
            // A function takes a minute at most, and Bedrock remembers a token for longer.
            (15, _) if machine.is_idle() => machine.services.world().pass_time(),
            _ => {}
        }
    }
    machine.services.world().is_quota_used_up = false;
    while let Some(function) = machine.waiting.keys().next_back().copied() {
        machine.decide(function, Decision::Perform).await;
    }
    check(&machine).await;
}

async fn check(machine: &StateMachine) {
    let services = &machine.services;
    assert!(machine.is_submitted, "the state machine waits for a token that was stored");
    {
        let mut world = services.world();
        assert_eq!(world.jobs.len(), 1, "one job: {:?}", world.jobs);
        let token = world.attribute(job_name().as_str(), "task_token");
        assert_eq!(token.as_ref(), Some(&machine.awaited.token), "no older attempt has replaced the token");
        assert_eq!(world.attribute(job_name().as_str(), "job_arn").as_ref(), Some(&world.jobs[0].arn));
        world.pass_time();
        if !world.jobs[0].is_over() {
            world.end_job(0, "Completed");
        }
    }
    let reconciler = Reconciler { settler: services.settler(None), silence: Duration::ZERO };
    let found = reconciler.run(SweepTime::until(Instant::now() + Duration::from_mins(10))).await.unwrap();
    assert_eq!(found.failed, 0);
    let world = services.world();
    let answer = world.answered.get(&machine.awaited.token);
    assert_eq!(answer, Some(&None), "the state machine gets its answer: {:?}", world.answered);
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]
    #[test]
    fn one_job_and_an_answer_for_the_latest_attempt_whatever_older_attempts_do(
        script in prop::collection::vec(any::<u8>(), 0..90),
    ) {
        block_on(play(&script));
    }
}
