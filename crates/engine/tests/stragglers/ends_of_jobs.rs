//! Jobs that end in unforeseen ways: with a message that is not known, or not at all.

use crate::services::Services;
use crate::submissions::{execution, run_id, submission, submitter};
use bedrock_batch_domain::ids::JobName;
use bedrock_batch_domain::job::{Action, JobStatus};
use bedrock_batch_engine::SweepTime;
use bedrock_batch_engine::job_table::StoredJob;
use bedrock_batch_engine::reconcile::{Reconciled, Reconciler};
use bedrock_batch_engine::submit::SubmitInput;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

fn name(number: u32) -> JobName {
    format!("p-{number:04}-0123456789a").parse().unwrap()
}

fn token(number: u32) -> String {
    format!("token-{number}")
}

/// Starts services in which execution number 0 owns the run.
async fn owned() -> Services {
    let services = Services::start(None).await;
    assert!(services.settler(None).jobs.acquire_run(&run_id(), &execution(0), None).await.unwrap());
    services.world().running.insert(execution(0).to_string());
    services
}

/// Submits a job of the run.
async fn submit(services: &Services, number: u32) {
    let mut input: SubmitInput = submission(&run_id(), &execution(0), 0, &token(number));
    (input.job.index, input.job.name) = (number, name(number));
    submitter(services, None).run(&input).await.unwrap();
}

/// Ends a job at Bedrock, and settles it.
async fn fail(services: &Services, number: u32, message: &str) -> Action {
    {
        let mut world = services.world();
        let job = world.jobs.iter_mut().find(|job| job.name == name(number).as_str()).unwrap();
        (job.status, job.message) = ("Failed".to_owned(), Some(message.to_owned()));
    }
    services.settler(None).settle(&name(number), None).await.unwrap()
}

async fn stored(services: &Services, number: u32) -> StoredJob {
    services.settler(None).jobs.get(&name(number)).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_job_that_fails_with_an_unknown_message_ends_no_run_but_three_alike_do() {
    let services = owned().await;
    for number in 0..4 {
        submit(&services, number).await;
    }
    let message = |number: u32| format!("The gasket of request 7f3a{number} blew.");
    for number in 0..2 {
        assert_eq!(fail(&services, number, &message(number)).await, Action::Succeed);
        // Its event arrives twice.
        assert_eq!(fail(&services, number, &message(number)).await, Action::Nothing);
        assert_eq!(services.world().answered[&token(number)], None, "the state machine continues");
        assert!(stored(&services, number).await.unknown_failure().is_some());
    }
    assert_eq!(fail(&services, 2, "The valve stuck.").await, Action::Succeed, "it is not alike");
    assert_eq!(fail(&services, 3, &message(3)).await, Action::Fail);
    assert_eq!(services.world().answered[&token(3)].as_deref(), Some("JobFailed"));
    let failure = stored(&services, 3).await.failure.unwrap();
    assert!(failure.cause.contains("3 jobs of the run failed like this"), "{}", failure.cause);
    assert!(failure.cause.contains("The gasket of request"), "{}", failure.cause);
}

#[tokio::test]
async fn a_run_that_is_resumed_forgets_failures_whose_cause_may_be_gone() {
    let services = owned().await;
    for number in 0..3 {
        submit(&services, number).await;
    }
    for number in 0..2 {
        fail(&services, number, "The gasket blew.").await;
    }
    let jobs = services.settler(None).jobs;
    assert_eq!(jobs.run(&run_id()).await.unwrap().unwrap().unknown_failures.len(), 2);
    assert!(jobs.acquire_run(&run_id(), &execution(1), Some(&execution(0))).await.unwrap());
    assert_eq!(fail(&services, 2, "The gasket blew.").await, Action::Succeed);
}

#[tokio::test]
async fn a_failure_that_concerns_all_jobs_ends_the_run_at_once() {
    let services = owned().await;
    submit(&services, 0).await;
    assert_eq!(fail(&services, 0, "Access denied to s3://b/k").await, Action::Fail);
}

#[tokio::test]
async fn too_many_jobs_are_waited_for_under_any_code() {
    let services = owned().await;
    let input = submission(&run_id(), &execution(0), 0, "t");
    let message = "Number of in-progress and submitted jobs exceeds the limit of 20.";
    for code in ["ServiceQuotaExceededException", "ThrottlingException", "ValidationException", "ConflictException"] {
        services.world().refuses_jobs = Some((code, message));
        let error = submitter(&services, None).run(&input).await.unwrap_err();
        assert_eq!(error.name(), "QuotaExceeded", "{code}");
    }
    for (code, name) in [("ThrottlingException", "Throttled"), ("ValidationException", "JobFailed")] {
        services.world().refuses_jobs = Some((code, "The job exceeds the limit of 100000 records."));
        let error = submitter(&services, None).run(&input).await.unwrap_err();
        assert_eq!(error.name(), name, "{code}");
    }
}

async fn sweep(services: &Services) -> Reconciled {
    let reconciler = Reconciler { settler: services.settler(None), silence: Duration::ZERO };
    // The indexes of the table are up to date.
    reconciler.run(SweepTime::until(Instant::now() + Duration::from_mins(10))).await.unwrap()
}

fn stops(services: &Services) -> u32 {
    services.world().calls.get("Stop").copied().unwrap_or(0)
}

#[tokio::test]
async fn a_job_that_is_late_is_stopped_and_costs_its_rows_a_retry() {
    let services = owned().await;
    submit(&services, 0).await;
    let age = sweep(&services).await.oldest_seconds;
    assert!(age > 0, "an alarm watches the age of the oldest open job");
    assert_eq!(stops(&services), 0, "it is in time");
    services.world().jobs[0].expires = "2026-01-01T00:00:00Z".to_owned();
    sweep(&services).await;
    assert_eq!((stops(&services), services.world().answered.len()), (1, 0));
    assert!(stored(&services, 0).await.late_stop_at.is_some());
    // Bedrock has stopped it by the next check.
    sweep(&services).await;
    assert_eq!(services.world().answered[&token(0)], None, "the state machine continues");
    assert_eq!(stored(&services, 0).await.status, Some(JobStatus::Stopped));
    assert_eq!((sweep(&services).await.open, stops(&services)), (0, 1));
}

#[tokio::test]
async fn a_job_that_does_not_stop_is_given_up_and_its_late_end_changes_nothing() {
    let services = owned().await;
    submit(&services, 0).await;
    {
        let mut world = services.world();
        world.jobs[0].expires = "2026-01-01T00:00:00Z".to_owned();
        world.ignores_stops = true;
    }
    for _ in 0..3 {
        sweep(&services).await;
    }
    assert_eq!((stops(&services), services.world().answered.len()), (1, 0), "its end is waited for");
    // An hour and more later.
    let hours_ago = json!({"N": "1767225600"});
    services.world().items.get_mut(name(0).as_str()).unwrap().insert("late_stop_at".to_owned(), hours_ago);
    sweep(&services).await;
    assert_eq!(services.world().answered[&token(0)], None, "the state machine continues");
    let given_up = stored(&services, 0).await;
    assert_eq!((given_up.status, given_up.processed), (Some(JobStatus::Stopped), None));
    // A check that saw it before, and the event of its end.
    sweep(&services).await;
    services.world().jobs[0].status = "Completed".to_owned();
    assert_eq!(services.settler(None).settle(&name(0), None).await.unwrap(), Action::Nothing);
    assert_eq!(stored(&services, 0).await, given_up);
    assert_eq!(services.world().answered.len(), 1);
}
