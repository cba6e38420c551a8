//! Executions whose run another one has taken over, and what they know less well than the table does.

use crate::services::{Job, Services};
use crate::submissions::{execution, job_name, run_id, submission, submitter};
use bedrock_batch_domain::ids::JobArn;
use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_engine::SweepTime;
use bedrock_batch_engine::job_table::Observed;
use bedrock_batch_engine::reconcile::Reconciler;
use std::time::Duration;
use tokio::time::Instant;

/// Starts services in which execution number 0 has submitted the job of its run.
async fn submitted() -> Services {
    let services = Services::start(None).await;
    assert!(services.settler(None).jobs.acquire_run(&run_id(), &execution(0), None).await.unwrap());
    submitter(&services, None).run(&submission(&run_id(), &execution(0), 0, "token")).await.unwrap();
    services
}

async fn reconcile(services: &Services) {
    let reconciler = Reconciler { settler: services.settler(None), silence: Duration::ZERO };
    let found = reconciler.run(SweepTime::until(Instant::now() + Duration::from_mins(10))).await.unwrap();
    assert_eq!((found.open, found.failed), (1, 0));
}

#[tokio::test]
async fn reconcile_leaves_a_run_alone_that_was_resumed_before_this_job_was() {
    let services = submitted().await;
    services.world().running = [execution(1).to_string()].into();
    let jobs = services.settler(None).jobs;
    assert!(jobs.acquire_run(&run_id(), &execution(1), Some(&execution(0))).await.unwrap());
    reconcile(&services).await;
    assert!(!services.world().jobs[0].is_over() && !jobs.run(&run_id()).await.unwrap().unwrap().stopped);
    services.world().running.clear();
    reconcile(&services).await;
    assert!(services.world().jobs[0].is_over(), "no execution waits for it any more");
}

#[tokio::test]
async fn one_of_two_executions_that_resume_a_run_at_once_owns_it() {
    let services = submitted().await;
    let jobs = services.settler(None).jobs;
    let (run, previous, one, two) = (run_id(), execution(0), execution(1), execution(2));
    let (is_one, is_two) =
        tokio::join!(jobs.acquire_run(&run, &one, Some(&previous)), jobs.acquire_run(&run, &two, Some(&previous)));
    assert!(is_one.unwrap() != is_two.unwrap());
}

#[tokio::test]
async fn an_older_status_or_another_arn_changes_nothing() {
    let services = submitted().await;
    let jobs = services.settler(None).jobs;
    let observed = |status, processed| Observed { status, message: None, processed: Some(processed) };
    jobs.record(&run_id(), &job_name(), &observed(JobStatus::Completed, 100)).await.unwrap();
    jobs.record(&run_id(), &job_name(), &observed(JobStatus::InProgress, 7)).await.unwrap();
    let stored = jobs.get(&job_name()).await.unwrap().unwrap();
    assert_eq!((stored.status, stored.processed), (Some(JobStatus::Completed), Some(100)));
    let other: JobArn = Job::forgotten("other", &job_name(), "theirs", "InProgress").arn.parse().unwrap();
    let first = stored.job_arn.unwrap();
    assert_eq!(jobs.set_arn(&run_id(), &job_name(), &other).await.unwrap(), first);
    assert_eq!(services.world().attribute(job_name().as_str(), "job_arn").as_deref(), Some(first.as_str()));
}
