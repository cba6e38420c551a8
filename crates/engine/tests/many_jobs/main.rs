//! Sweeps over many jobs: reconcile, stop-jobs and finalize.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "it also serves other tests")]
#[path = "../test_stack/mod.rs"]
mod test_stack;
mod world;

use aws_sdk_s3::config::Region;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bedrock_batch_aws::TimeLimits;
use bedrock_batch_domain::input::{RunRequest, StackLimits};
use bedrock_batch_domain::run::Step;
use bedrock_batch_engine::continue_run::{Continuation, RunContinuer};
use bedrock_batch_engine::finalize::{Finalizer, StateError};
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::objects::Bucket;
use bedrock_batch_engine::preprocess::StartInput;
use bedrock_batch_engine::reconcile::{Reconciled, Reconciler};
use bedrock_batch_engine::settle::Settler;
use bedrock_batch_engine::stop::{EndedExecution, Stopper};
use bedrock_batch_engine::{EngineError, SweepTime};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;
use world::{Job, OWNER, RUN, Server};

/// Settings of the functions for the server, with limits divided by `impatience`.
async fn config(server: &Server, impatience: u32) -> aws_config::SdkConfig {
    let loader = bedrock_batch_aws::loader().endpoint_url(server.serve().await).region(Region::new("us-east-1"));
    let config = loader.credentials_provider(test_stack::credentials()).load().await;
    TimeLimits::SHORT.divided_by(impatience).apply(&config)
}

fn table(config: &aws_config::SdkConfig) -> JobTable {
    JobTable::new(aws_sdk_dynamodb::Client::new(config), "jobs".to_owned())
}

async fn reconciler(server: &Server, impatience: u32) -> Reconciler {
    let config = config(server, impatience).await;
    let settler = Settler {
        jobs: table(&config),
        bedrock: aws_sdk_bedrock::Client::new(&config),
        step_functions: aws_sdk_sfn::Client::new(&config),
    };
    Reconciler { settler, silence: Duration::from_mins(10) }
}

async fn stopper(server: &Server) -> Stopper {
    let config = config(server, 1).await;
    Stopper { jobs: table(&config), bedrock: aws_sdk_bedrock::Client::new(&config) }
}

/// Time of a sweep in a function that has this long left.
fn within(time: Duration) -> SweepTime {
    SweepTime::until(Instant::now() + time)
}

const LONG: Duration = Duration::from_mins(5);

fn ended() -> EndedExecution {
    EndedExecution { execution_arn: OWNER.parse().unwrap(), name: RUN.to_owned(), input: None }
}

fn server(jobs: usize) -> Server {
    let server = Server::default();
    {
        let mut world = server.world();
        world.jobs = (0..jobs).map(Job::new).collect();
        world.run = Some((OWNER.to_owned(), false));
        world.running.insert(OWNER.to_owned());
    }
    server
}

/// Jobs of the tests are submitted at a fixed time.
fn without_age(done: Reconciled) -> Reconciled {
    Reconciled { oldest_seconds: 0, ..done }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_silent_job_is_checked_in_turn() {
    let server = server(250);
    server.world().jobs[3].is_corrupt = true;
    let reconciler = reconciler(&server, 1).await;
    let done = reconciler.run(within(LONG)).await.unwrap();
    assert_eq!(without_age(done), Reconciled { open: 250, failed: 1, ..Reconciled::default() });
    assert_eq!(server.world().checked.iter().collect::<BTreeSet<_>>().len(), 250);
    // All of them were checked just now.
    assert_eq!(reconciler.run(within(LONG)).await.unwrap(), Reconciled::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_are_not_reached_in_time_are_counted_and_first_in_the_next_turn() {
    let server = server(60);
    // Bedrock does not respond, so that each turn ends after some of the jobs.
    server.world().bedrock_hangs = true;
    let reconciler = reconciler(&server, 50).await;
    let mut turns = 0;
    let mut reached: BTreeSet<String> = BTreeSet::new();
    while reached.len() < 60 {
        let done = reconciler.run(within(Duration::from_millis(90_300))).await.unwrap();
        assert_eq!(done.open + done.left + reached.len() as u64, 60, "{done:?}");
        // A client that is that impatient repeats a call that a busy machine answers late: within a turn, a job may be noted twice.
        let of_turn: BTreeSet<String> = std::mem::take(&mut server.world().checked).into_iter().collect();
        assert!(reached.is_disjoint(&of_turn), "none twice before all once");
        reached.extend(of_turn);
        turns += 1;
        assert!(turns < 100, "{} jobs were reached", reached.len());
    }
    assert_eq!(reached.len(), 60);
    assert!(turns > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_an_execution_that_is_gone_are_stopped() {
    let server = server(3);
    server.world().running.clear();
    let done = reconciler(&server, 1).await.run(within(LONG)).await.unwrap();
    assert_eq!(without_age(done), Reconciled { open: 3, stopped: 3, ..Reconciled::default() });
    assert_eq!(server.world().stopped.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(server.world().run, Some((OWNER.to_owned(), true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_resumed_while_its_jobs_are_checked_is_left_alone() {
    let server = server(1);
    {
        // The old execution has ended, and another one acquires the run between the check and the stop.
        let mut world = server.world();
        world.running.clear();
        world.acquires = Some(OWNER.replace(":r", ":resumed"));
    }
    let done = reconciler(&server, 1).await.run(within(LONG)).await.unwrap();
    assert_eq!(without_age(done), Reconciled { open: 1, ..Reconciled::default() });
    assert_eq!(server.world().stopped, Vec::<String>::new());
    assert_eq!(server.world().run, Some((OWNER.replace(":r", ":resumed"), false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_without_an_arn_are_found_by_one_listing() {
    let server = server(150);
    {
        let mut world = server.world();
        for number in 0..100 {
            world.jobs[number].has_arn = false;
        }
        world.at_bedrock = (0..50).map(|number| (Job::id(number), format!("p-{number:06}-x"))).collect();
    }
    let done = reconciler(&server, 1).await.run(within(LONG)).await.unwrap();
    assert_eq!((done.open, done.failed, server.world().listings), (150, 0, 1));
    server.world().listings = 0;
    let done = stopper(&server).await.stop(&ended(), within(LONG)).await.unwrap();
    assert_eq!((done.stopped, done.over, server.world().listings), (100, 50, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_a_stop_does_not_reach_are_an_error_that_is_retried() {
    let server = server(30);
    let stopper = stopper(&server).await;
    let error = stopper.stop(&ended(), within(Duration::ZERO)).await.unwrap_err();
    assert_eq!((error.name(), error.message().contains("30 jobs of run r were not reached")), ("Transient", true));
    assert_eq!(server.world().stopped.len(), 0);
    assert_eq!(stopper.stop(&ended(), within(LONG)).await.unwrap().stopped, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_run_that_is_resumed_while_they_are_stopped_are_left_alone() {
    let server = server(100);
    let next = OWNER.replace(":r", ":resumed");
    server.world().acquires_after_stop = Some(next.clone());
    let done = stopper(&server).await.stop(&ended(), within(LONG)).await.unwrap();
    let world = server.world();
    assert_eq!(done.stopped, world.stopped.len() as u64);
    // Those that were being stopped at that moment, which are 16 at most.
    assert!((1..=16).contains(&world.stopped.len()), "{:?}", world.stopped);
    assert_eq!(world.run, Some((next, false)));
}

/// Number of jobs of the largest run; `MANY_JOBS=100000` measures the memory of the functions.
fn many() -> usize {
    std::env::var("MANY_JOBS").ok().and_then(|jobs| jobs.parse().ok()).unwrap_or(3_000)
}

/// Stores the plan of a run that started at this time.
fn put_plan(server: &Server, jobs: usize, started_at: &str) {
    let request = json!({"job_name_prefix": "p", "model_id": "m", "s3_uri": "s3://inputs/a.csv"});
    let stack = StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 20 };
    let request = RunRequest::read(&request, stack).0.unwrap();
    let limits = json!({"min_records_per_job": 100, "max_records_per_job": 1000, "max_file_bytes": 1, "max_job_bytes": 1,
        "max_record_bytes": 1});
    let model =
        json!({"id": "m", "family": "nova", "limits": limits, "batch_price": null, "prices_as_of": "2026-01-01"});
    let plan = json!({"run_id": RUN, "execution_arn": OWNER, "started_at": started_at, "bucket": "b",
        "task_table": "jobs", "request": request, "prompts": {"choice": {"mode": "none"}, "prompts": []},
        "model": model, "sources": [], "columns": [], "on_demand": {"model": model, "fallback": null},
        "counts": {"rows": jobs * 100, "records": jobs * 100, "skipped": {}, "rejected": {}, "warnings": {}, "jobs": jobs}});
    server.world().objects.insert("runs/r/plan.json".to_owned(), plan.to_string().into_bytes());
}

const DAY: i64 = 24 * 3600;

/// Resumes a run of three jobs that started this number of days ago.
async fn resumed(days: i64) -> (Server, Result<Step, EngineError>) {
    let server = server(3);
    server.world().running.clear();
    let now = DateTime::from(SystemTime::now()).secs();
    put_plan(&server, 3, &DateTime::from_secs(now - days * DAY).fmt(Format::DateTime).unwrap());
    let jobs = (0..3).map(|number| {
        json!({"index": number, "name": format!("p-{number:06}-x"), "records": 100, "input_uri": "s3://b/i", "output_uri": "s3://b/o"})
    });
    let jobs = serde_json::to_vec(&jobs.collect::<Vec<_>>()).unwrap();
    server.world().objects.insert("runs/r/jobs.json".to_owned(), jobs);
    let config = config(&server, 1).await;
    let continuer = RunContinuer {
        bucket: Bucket::new(bedrock_batch_aws::s3_client(&config), "b"),
        jobs: table(&config),
        step_functions: aws_sdk_sfn::Client::new(&config),
        limits: StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 20 },
    };
    let start: StartInput = serde_json::from_value(json!({"input": {"resume_run": RUN},
        "execution_arn": OWNER.replace(":r", ":resumed"), "execution_name": "resumed", "started_at": "2026-11-30T00:00:00Z"}))
    .unwrap();
    let continuation = Continuation::read(&start.input).unwrap().unwrap();
    let step = continuer.run(&continuation, &start).await;
    (server, step)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_79_days_is_resumed_and_its_items_outlast_the_execution() {
    let (server, step) = resumed(79).await;
    assert_eq!(step.unwrap().manifest_key, "runs/r/resumed/resumed/jobs.json");
    let after_its_end = DateTime::from(SystemTime::now()).secs() + (365 + 90) * DAY;
    let world = server.world();
    assert_eq!(world.expiries.len(), 3);
    assert!(world.expiries.values().all(|expiry| *expiry > after_its_end), "{:?}", world.expiries);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_80_to_90_days_are_refused_and_left_as_they_are() {
    for days in [80, 85, 90, 91] {
        let (server, step) = resumed(days).await;
        let error = step.unwrap_err();
        assert_eq!(error.name(), "InvalidInput");
        assert!(error.message().contains("is so old that its jobs are no longer known; start a new run"), "{error:#}");
        let world = server.world();
        assert_eq!((world.expiries.len(), &world.run), (0, &Some((OWNER.to_owned(), false))));
    }
}

fn finished(jobs: usize) -> Server {
    let server = server(jobs);
    let counts: Arc<str> = json!({"rows": 100, "answered": 99, "failed": {"the model returned no answer": 1},
        "failed_codes": {"empty_answer": 1}, "unanswered": 0, "retried": 0, "warnings": {}, "usage": [{"lane": "batch",
        "model_id": "m", "answers": 99, "input_tokens": 10, "output_tokens": 20}], "kinds": vec![json!(["text"]); 20],
        "types": vec!["text"; 20], "stamp": ""})
    .to_string()
    .into();
    for job in &mut server.world().jobs {
        (job.status, job.updated, job.counts) = ("Completed", None, Some(Arc::clone(&counts)));
    }
    put_plan(&server, jobs, "2026-01-01T00:00:00Z");
    server
}

/// Prints the maximum resident memory of this process so far, where the system reports it.
#[expect(clippy::print_stdout, reason = "it is read with MANY_JOBS and --nocapture")]
fn print_memory(after: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{after}: {:?}", status.lines().find_map(|line| line.strip_prefix("VmHWM:")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_many_jobs_is_stopped_and_summarized_page_by_page() {
    let jobs = many();
    let server = finished(jobs);
    print_memory("before");
    let config = config(&server, 1).await;
    let s3 = bedrock_batch_aws::s3_client(&config);
    let finalizer = Finalizer { bucket: Bucket::new(s3, "b"), jobs: table(&config), working_file_days: None };
    let run_id = RUN.parse().unwrap();
    let output = finalizer.summarize(&run_id, None).await.unwrap();
    print_memory("summarize");
    let summary = output.summary;
    assert_eq!(
        (summary.answered, summary.failed, summary.jobs),
        (99 * jobs as u64, jobs as u64, u32::try_from(jobs).unwrap())
    );
    assert_eq!(output.output_path_count, jobs as u64);
    let error = StateError { error: "States.X".to_owned(), cause: "a cause".to_owned() };
    assert_eq!(finalizer.explain_failure(&run_id, error).await.unwrap().cause, "a cause");
    let done = stopper(&server).await.stop(&ended(), within(LONG)).await.unwrap();
    print_memory("stop");
    assert_eq!((done.stopped, done.over), (0, jobs as u64));
}
