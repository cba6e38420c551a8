//! Items of the job table that belong to another run, or that a later attempt has changed.

use crate::services::{Job, Services};
use crate::submissions::{execution, job_name, run_id, submission, submitter};
use bedrock_batch_domain::ids::{ItemName, JobName, RunId};
use bedrock_batch_domain::job::JobAttempt;
use bedrock_batch_domain::join_order::JoinOrder;
use bedrock_batch_domain::join_task::{JoinStamp, JoinTask};
use bedrock_batch_domain::layout::client_request_token;
use bedrock_batch_domain::summary::ChunkCounts;
use bedrock_batch_engine::SweepTime;
use bedrock_batch_engine::finalize::{Finalizer, StateError};
use bedrock_batch_engine::job_table::{NewJob, Ownership, Waiting};
use bedrock_batch_engine::reconcile::Reconciler;
use bedrock_batch_engine::submit::{SubmitInput, Submitter};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

fn other_run() -> RunId {
    RunId::parse("other").unwrap()
}

/// Starts services in which execution number 0 owns run `r`, and returns its submitter, without a gate.
async fn owned() -> (Services, Submitter) {
    let services = Services::start(None).await;
    assert!(services.settler(None).jobs.acquire_run(&run_id(), &execution(0), None).await.unwrap());
    let submitter = submitter(&services, None);
    (services, submitter)
}

/// Submits the job of this run.
async fn submitted() -> Services {
    let (services, submitter) = owned().await;
    submitter.run(&submission(&run_id(), &execution(0), 0, "token")).await.unwrap();
    services
}

#[tokio::test]
async fn a_job_name_of_another_run_is_a_clash_that_changes_nothing_and_explains_the_failure() {
    let services = submitted().await;
    let jobs = services.settler(None).jobs;
    assert!(jobs.acquire_run(&other_run(), &execution(1), None).await.unwrap());
    let before = services.world().items[job_name().as_str()].clone();
    let clash = submitter(&services, None).run(&submission(&other_run(), &execution(1), 0, "other")).await.unwrap_err();
    assert_eq!(clash.name(), "NameClash");
    assert!(clash.message().contains("belongs to run r, not to run other"), "{clash}");
    assert_eq!(services.world().items[job_name().as_str()], before);
    assert_eq!(services.world().jobs.len(), 1);

    let counts = jobs.set_counts(&other_run(), item(&job_name()), order(9, 0), &ChunkCounts::default()).await;
    let input = submission(&other_run(), &execution(1), 0, "other");
    let (run, owner) = (other_run(), execution(1));
    let new = NewJob { run_id: &run, execution_arn: &owner, model_id: "m", on_demand_allowed: false, item: &input.job };
    let on_demand = jobs.begin_on_demand(&new).await;
    let progress = jobs.record_progress(&run, &job_name(), 7).await;
    let lease = jobs.lease(&run, &job_name(), "holder", Duration::from_secs(1)).await;
    let arn = services.world().jobs[0].arn.parse().unwrap();
    let errors = [
        counts.unwrap_err(),
        on_demand.unwrap_err(),
        progress.unwrap_err(),
        lease.unwrap_err(),
        jobs.clear_failure(&run, &job_name()).await.unwrap_err(),
        jobs.set_arn(&run, &job_name(), &arn).await.unwrap_err(),
        jobs.begin_join(&run, item(&job_name()), order(9, 0)).await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.name() == "NameClash"), "{errors:?}");
    assert_eq!(services.world().items[job_name().as_str()], before);

    let finalizer = Finalizer { bucket: services.bucket(None), jobs, working_file_days: None };
    let error = StateError { error: "States.ExceedToleratedFailureThreshold".to_owned(), cause: String::new() };
    let explained = finalizer.explain_failure(&run, error).await.unwrap();
    assert_eq!((explained.error, explained.cause), ("NameClash".to_owned(), clash.message()));
}

fn item(name: &JobName) -> (ItemName<'_>, u32) {
    (name.into(), 0)
}

fn order(epoch: u64, pass: u32) -> JoinOrder {
    let stamp = JoinStamp::AfterPass { execution: "e".to_owned(), pass };
    JoinOrder::of(&JoinTask::Chunk { chunk: 0, name: job_name(), attempts: Vec::new(), types: None, stamp }, epoch)
}

#[tokio::test]
async fn an_older_attempt_changes_nothing_after_a_newer_one() {
    let (services, submitter) = owned().await;
    submitter.run(&submission(&run_id(), &execution(0), 1, "newer")).await.unwrap();
    let before = services.world().items.clone();
    let older = submitter.run(&submission(&run_id(), &execution(0), 0, "older")).await.unwrap_err();
    assert_eq!(older.name(), "Superseded");
    assert_eq!(services.world().items, before);
    // The newest one may be invoked twice, and a redriven execution counts its retries from 0 again.
    submitter.run(&submission(&run_id(), &execution(0), 1, "newer")).await.unwrap();
    let redriven = submission(&run_id(), &execution(0), 0, "redriven");
    submitter.run(&SubmitInput { redrive_count: 1, ..redriven }).await.unwrap();
    assert_eq!(services.world().attribute(job_name().as_str(), "task_token").unwrap(), "redriven");
    assert_eq!(services.world().jobs.len(), 1);
}

#[tokio::test]
async fn an_exhausted_quota_costs_no_listing() {
    let (services, submitter) = owned().await;
    services.world().is_quota_used_up = true;
    for retry in 0..3 {
        let error = submitter.run(&submission(&run_id(), &execution(0), retry, "t")).await.unwrap_err();
        assert_eq!(error.name(), "QuotaExceeded");
    }
    services.world().is_quota_used_up = false;
    submitter.run(&submission(&run_id(), &execution(0), 3, "t")).await.unwrap();
    let world = services.world();
    assert_eq!((world.calls.get("List"), world.calls["Create"]), (None, 4));
}

#[tokio::test]
async fn a_refusal_does_not_hide_a_job_that_another_invocation_may_create() {
    let services = Services::start(None).await;
    let jobs = services.settler(None).jobs;
    let (run, owner, name) = (run_id(), execution(0), job_name());
    let input = submission(&run, &owner, 0, "t");
    let new = NewJob { run_id: &run, execution_arn: &owner, model_id: "m", on_demand_allowed: false, item: &input.job };
    let attempt = JobAttempt { epoch: 1, redrive: 0, retry: 0 };
    let waiting = |invocation| Waiting { token: "t", attempt, invocation };
    assert!(!jobs.begin(&new, &waiting("one")).await.unwrap().may_exist);
    assert!(jobs.begin(&new, &waiting("two")).await.unwrap().may_exist, "invocation one may create it");
    jobs.note_not_created(&run, &name, "one").await.unwrap();
    assert!(jobs.begin(&new, &waiting("three")).await.unwrap().may_exist, "invocation two may create it");
    jobs.note_not_created(&run, &name, "three").await.unwrap();
    assert!(!jobs.begin(&new, &waiting("four")).await.unwrap().may_exist);
}

#[tokio::test]
async fn a_job_that_a_slow_invocation_creates_after_others_were_refused_is_found() {
    let (services, submitter) = owned().await;
    services.world().is_quota_used_up = true;
    submitter.run(&submission(&run_id(), &execution(0), 0, "t")).await.unwrap_err();
    // Another invocation has begun to create the job, and is slow.
    let slow = json!({"S": "slow"});
    services.world().items.get_mut(job_name().as_str()).unwrap().insert("creation".to_owned(), slow);
    submitter.run(&submission(&run_id(), &execution(0), 1, "t")).await.unwrap_err();
    {
        let mut world = services.world();
        world.is_quota_used_up = false;
        // Bedrock has forgotten its token by the next attempt.
        let token = client_request_token(&run_id(), &job_name());
        world.jobs.push(Job::forgotten("slow", &job_name(), &token, "InProgress"));
    }
    submitter.run(&submission(&run_id(), &execution(0), 2, "t")).await.unwrap();
    let world = services.world();
    assert_eq!(world.jobs.len(), 1);
    assert_eq!(world.attribute(job_name().as_str(), "job_arn").as_ref(), Some(&world.jobs[0].arn));
}

#[tokio::test]
async fn a_job_that_a_straggler_creates_after_it_was_given_up_is_followed_to_its_end() {
    let (services, submitter) = owned().await;
    let jobs = &submitter.settler.jobs;
    // The straggler has begun to create the job, as its item says; then its execution ends.
    services.world().is_quota_used_up = true;
    submitter.run(&submission(&run_id(), &execution(0), 0, "t")).await.unwrap_err();
    services.world().running.clear();
    let reconciler = Reconciler { settler: submitter.settler.clone(), silence: Duration::ZERO };
    let sweep = async || {
        services.world().pass_time();
        reconciler.run(SweepTime::until(Instant::now() + Duration::from_mins(10))).await.unwrap()
    };
    let (first, second) = (sweep().await, sweep().await);
    assert_eq!((first.settled, second.open), (1, 0), "it was never created, as far as can be seen: {first:?}");
    {
        let mut world = services.world();
        let token = client_request_token(&run_id(), &job_name());
        world.jobs.push(Job::forgotten("late", &job_name(), &token, "InProgress"));
    }
    let arn = services.world().jobs[0].arn.parse().unwrap();
    jobs.set_arn(&run_id(), &job_name(), &arn).await.unwrap();
    // The event of its end is lost.
    services.world().jobs[0].status = "Stopped".to_owned();
    sweep().await;
    let job = jobs.get(&job_name()).await.unwrap().unwrap();
    assert!(job.is_over() && job.unanswered_token().is_none(), "{job:?}");
    assert_eq!(sweep().await.open, 0);
}

#[tokio::test]
async fn a_job_whose_run_is_continued_again_and_again_stays_silent() {
    let services = submitted().await;
    let updated = || services.world().attribute(job_name().as_str(), "updated_at").unwrap();
    let before = updated();
    services.settler(None).jobs.note_continuation(job_name().as_str()).await.unwrap();
    assert_eq!(updated(), before, "the reconciler looks for the jobs that were not updated for some time");
    assert!(services.world().attribute(job_name().as_str(), "continued_at").is_some());
}

#[tokio::test]
async fn an_item_of_an_earlier_version_is_looked_up_at_bedrock_before_its_job_is_created() {
    let services = submitted().await;
    {
        let mut world = services.world();
        world.pass_time();
        let item = world.items.get_mut(job_name().as_str()).unwrap();
        for attribute in ["attempt", "creation", "job_arn"] {
            item.remove(attribute).unwrap();
        }
        world.items.get_mut("run/r").unwrap().remove("epoch").unwrap();
    }
    submitter(&services, None).run(&submission(&run_id(), &execution(0), 0, "again")).await.unwrap();
    let world = services.world();
    assert_eq!(world.jobs.len(), 1);
    assert_eq!(world.attribute(job_name().as_str(), "job_arn").as_ref(), Some(&world.jobs[0].arn));
}

#[tokio::test]
async fn a_job_of_someone_else_with_the_same_name_is_not_ours() {
    let (services, submitter) = owned().await;
    // An attempt that died before it created the job; then someone else creates one.
    services.world().is_quota_used_up = true;
    submitter.run(&submission(&run_id(), &execution(0), 0, "t")).await.unwrap_err();
    let foreign = Job::forgotten("foreign", &job_name(), "theirs", "Completed");
    let foreign_arn = foreign.arn.parse().unwrap();
    {
        let mut world = services.world();
        world.is_quota_used_up = false;
        world.items.get_mut(job_name().as_str()).unwrap().remove("creation");
        world.jobs.push(foreign);
    }
    // Its event changes nothing either.
    submitter.settler.settle(&job_name(), Some(&foreign_arn)).await.unwrap();
    submitter.run(&submission(&run_id(), &execution(0), 1, "t")).await.unwrap();
    let world = services.world();
    assert_eq!(world.jobs.len(), 2);
    assert_eq!(world.attribute(job_name().as_str(), "job_arn").as_ref(), Some(&world.jobs[1].arn));
    assert!(world.answered.is_empty());
}

#[tokio::test]
async fn an_earlier_join_stores_nothing_after_a_later_one_has_begun() {
    let services = submitted().await;
    let jobs = services.settler(None).jobs;
    let (name, run) = (job_name(), run_id());
    let counts = |rows| ChunkCounts { rows, ..ChunkCounts::default() };
    jobs.begin_join(&run, item(&name), order(7, 1)).await.unwrap();
    let early = Ownership::new(&jobs, &run, &execution(0)).of_join((&name).into(), order(7, 1));
    early.clone().ensure().await.unwrap();
    // A later pass, then another execution.
    for (epoch, pass) in [(7, 2), (8, 0)] {
        jobs.begin_join(&run, item(&name), order(epoch, pass)).await.unwrap();
        jobs.set_counts(&run, item(&name), order(epoch, pass), &counts(2)).await.unwrap();
        let late = [
            early.clone().ensure().await,
            jobs.begin_join(&run, item(&name), order(7, 1)).await,
            jobs.set_counts(&run, item(&name), order(7, 1), &counts(1)).await,
        ];
        assert!(late.iter().all(|late| late.as_ref().is_err_and(|error| error.name() == "Superseded")), "{late:?}");
        assert_eq!(jobs.get(&name).await.unwrap().unwrap().counts, Some(counts(2)));
    }
}

#[tokio::test]
async fn two_attempts_of_one_start_own_its_run_together() {
    let services = Services::start(None).await;
    let jobs = services.settler(None).jobs;
    let (run, owner, other) = (run_id(), execution(0), execution(1));
    let (one, two) = tokio::join!(jobs.acquire_run(&run, &owner, None), jobs.acquire_run(&run, &owner, None));
    assert!(one.unwrap() && two.unwrap());
    assert!(!jobs.acquire_run(&run, &other, None).await.unwrap(), "another execution does not");
    let before = jobs.run(&run).await.unwrap().unwrap();
    assert!(jobs.acquire_run(&run, &other, Some(&owner)).await.unwrap(), "unless it resumes the run");
    let after = jobs.run(&run).await.unwrap().unwrap();
    assert!(after.epoch > before.epoch && after.execution_arn == other);
    let late = Ownership::new(&jobs, &run, &owner).ensure().await;
    assert!(late.is_err_and(|error| error.name() == "Superseded"));
}
