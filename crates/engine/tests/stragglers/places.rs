//! Places of jobs at Bedrock, which all runs share.

use crate::services::Services;
use crate::submissions::{execution, submission, submitter};
use bedrock_batch_domain::ids::{ExecutionArn, JobName, RunId};
use bedrock_batch_domain::job::JobPlaces;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::submit::SubmitInput;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const ITEM: &str = "job_places/m";

/// Job of a run, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    run: u32,
    job: u32,
}

fn run(number: u32) -> RunId {
    RunId::parse(&format!("run-{number}")).unwrap()
}

fn name(Id { run, job }: Id) -> JobName {
    format!("p-{job:04}-{run:011}").parse().unwrap()
}

/// Starts services with this number of places and as large a quota at Bedrock, and with as many runs.
async fn services(places: u32, runs: u32) -> Services {
    let services = Services::start(None).await;
    services.world().job_quota = usize::try_from(places).ok();
    let jobs = services.settler(None).jobs;
    jobs.change_job_places("m", |stored| stored.set_limit(places)).await.unwrap();
    for number in 0..runs {
        assert!(jobs.acquire_run(&run(number), &execution(number), None).await.unwrap());
        services.world().running.insert(execution(number).to_string());
    }
    services
}

fn attempt(id: Id, retry: u32) -> SubmitInput {
    let owner: ExecutionArn = execution(id.run);
    let mut input = submission(&run(id.run), &owner, retry, &format!("token-{}-{}-{retry}", id.run, id.job));
    (input.job.index, input.job.name) = (id.job, name(id));
    input
}

async fn submit(services: &Services, id: Id, retry: u32) -> Result<(), EngineError> {
    submitter(services, None).run(&attempt(id, retry)).await
}

async fn refusal(services: &Services, id: Id, retry: u32) -> &'static str {
    submit(services, id, retry).await.unwrap_err().name()
}

/// Ends a job at Bedrock, without an event.
fn end(services: &Services, id: Id, status: &str) {
    let mut world = services.world();
    let job = world.jobs.iter_mut().find(|job| job.name == name(id).as_str()).unwrap();
    status.clone_into(&mut job.status);
}

async fn end_and_settle(services: &Services, id: Id) {
    end(services, id, "Completed");
    services.settler(None).settle(&name(id), None).await.unwrap();
}

/// Returns the names of the jobs that have a place.
fn holders(services: &Services) -> BTreeSet<String> {
    let stored = services.world().attribute(ITEM, "places").unwrap();
    let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
    let runs = stored["runs"].as_object().unwrap();
    runs.values().flat_map(|run| run["held"].as_object().unwrap().keys().cloned()).collect()
}

/// Makes all places as old as if two hours had passed.
async fn pass_two_hours(services: &Services) {
    let age = |places: &mut JobPlaces| {
        let mut stored = serde_json::to_value(&*places).unwrap();
        for run in stored["runs"].as_object_mut().unwrap().values_mut() {
            for at in run["held"].as_object_mut().unwrap().values_mut() {
                *at = (at.as_u64().unwrap() - 7_200).into();
            }
        }
        *places = serde_json::from_value(stored).unwrap();
    };
    services.settler(None).jobs.change_job_places("m", age).await.unwrap();
}

const FIRST: Id = Id { run: 0, job: 0 };
const SECOND: Id = Id { run: 1, job: 0 };

#[tokio::test]
async fn eight_runs_share_three_places_without_a_refusal_and_each_gets_its_turn() {
    let services = services(3, 8).await;
    // The first run has as many jobs as all others together.
    let mut waiting: VecDeque<Id> =
        (0..8).flat_map(|run| (0..if run == 0 { 14 } else { 2 }).map(move |job| Id { run, job })).collect();
    let mut retries: BTreeMap<Id, u32> = BTreeMap::new();
    let (mut open, mut order): (VecDeque<Id>, Vec<u32>) = (VecDeque::new(), Vec::new());
    while !waiting.is_empty() {
        // All that wait make an attempt, and then a job ends.
        for _ in 0..waiting.len() {
            let id = waiting.pop_front().unwrap();
            let retry = retries.entry(id).or_default();
            match submit(&services, id, *retry).await {
                Ok(()) => {
                    open.push_back(id);
                    order.push(id.run);
                }
                Err(error) => {
                    assert_eq!(error.name(), "QuotaExceeded");
                    *retry += 1;
                    waiting.push_back(id);
                }
            }
            assert!(open.len() <= 3);
        }
        if let Some(ended) = open.pop_front() {
            end_and_settle(&services, ended).await;
        }
    }
    assert_eq!(services.world().calls.get("Refused"), None, "Bedrock refused a job");
    assert_eq!((order.len(), services.world().jobs.len()), (28, 28), "each job was created once");
    // The first run was there first, and takes all places. After that, it gets no more than its turn.
    assert_eq!(order[..3], [0, 0, 0]);
    for run in 1..8 {
        let turn = order.iter().position(|of| *of == run).unwrap();
        assert!(turn < 3 + 8, "run {run} got its first place after {turn} others: {order:?}");
    }
    let others_end = order.iter().rposition(|of| *of != 0).unwrap();
    let of_first = order[3..others_end].iter().filter(|of| **of == 0).count();
    assert!(of_first <= 4, "the first run got {of_first} places before the others had theirs: {order:?}");
    while let Some(ended) = open.pop_front() {
        end_and_settle(&services, ended).await;
    }
    assert_eq!(holders(&services), BTreeSet::new());
}

#[tokio::test]
async fn jobs_that_begin_at_the_same_moment_take_no_place_twice() {
    let services = services(3, 8).await;
    let attempts = (0..8).map(|run| {
        let services = services.clone();
        tokio::spawn(async move { submit(&services, Id { run, job: 0 }, 0).await.is_ok() })
    });
    let attempts: Vec<_> = attempts.collect();
    let mut taken = 0;
    for attempt in attempts {
        taken += usize::from(attempt.await.unwrap());
    }
    assert_eq!((taken, holders(&services).len(), services.world().jobs.len()), (3, 3, 3));
    assert_eq!(services.world().calls.get("Refused"), None);
}

#[tokio::test]
async fn a_job_that_is_not_created_gives_its_place_back() {
    let services = services(1, 2).await;
    services.world().refuses_jobs = Some(("ValidationException", "the role is wrong"));
    assert_eq!(refusal(&services, FIRST, 0).await, "JobFailed");
    assert_eq!(holders(&services), BTreeSet::new());
    // Others have taken the account's quota.
    services.world().refuses_jobs = None;
    services.world().job_quota = Some(0);
    assert_eq!(refusal(&services, FIRST, 1).await, "QuotaExceeded");
    assert_eq!(holders(&services), BTreeSet::new());
    services.world().job_quota = Some(1);
    assert_eq!(refusal(&services, SECOND, 0).await, "QuotaExceeded");
    assert_eq!(services.world().calls["Refused"], 1, "the place is for the run that waits, and Bedrock is not tried");
    submit(&services, FIRST, 2).await.unwrap();
    assert_eq!(holders(&services), [name(FIRST).to_string()].into());
}

#[tokio::test]
async fn a_job_that_may_have_been_created_keeps_its_place() {
    let services = services(1, 2).await;
    services.world().refuses_jobs = Some(("InternalServerException", "it may exist"));
    assert_eq!(refusal(&services, FIRST, 0).await, "Transient");
    assert_eq!(refusal(&services, SECOND, 0).await, "QuotaExceeded");
    services.world().refuses_jobs = None;
    submit(&services, FIRST, 1).await.unwrap();
    assert_eq!(services.world().jobs.len(), 1);
}

#[tokio::test]
async fn a_model_without_batch_takes_no_place() {
    let services = services(1, 1).await;
    services.world().has_no_batch = true;
    let mut input = attempt(FIRST, 0);
    input.on_demand_allowed = true;
    submitter(&services, None).run(&input).await.unwrap();
    assert_eq!(holders(&services), BTreeSet::new());
}

#[tokio::test]
async fn a_place_whose_job_ended_unseen_is_found_once_it_is_needed() {
    let services = services(1, 2).await;
    submit(&services, FIRST, 0).await.unwrap();
    end(&services, FIRST, "Completed");
    assert_eq!(refusal(&services, SECOND, 0).await, "QuotaExceeded");
    pass_two_hours(&services).await;
    submit(&services, SECOND, 1).await.unwrap();
    assert_eq!(holders(&services), [name(SECOND).to_string()].into());
}

#[tokio::test]
async fn a_place_whose_job_still_runs_stays_its_own() {
    let services = services(1, 2).await;
    submit(&services, FIRST, 0).await.unwrap();
    pass_two_hours(&services).await;
    let looks = || services.world().calls.get("Get").copied().unwrap_or_default();
    let before = looks();
    for retry in 0..3 {
        assert_eq!(refusal(&services, SECOND, retry).await, "QuotaExceeded");
    }
    assert_eq!(looks() - before, 1, "it is looked at once in an hour");
    assert_eq!(holders(&services), [name(FIRST).to_string()].into());
}

#[tokio::test]
async fn a_place_whose_job_was_never_created_is_found_once_it_is_needed() {
    let services = services(1, 2).await;
    services.world().refuses_jobs = Some(("InternalServerException", "it may exist"));
    assert_eq!(refusal(&services, FIRST, 0).await, "Transient");
    services.world().refuses_jobs = None;
    pass_two_hours(&services).await;
    submit(&services, SECOND, 0).await.unwrap();
}

#[tokio::test]
async fn a_late_invocation_that_takes_a_place_for_a_job_that_is_over_holds_it_up_for_an_hour_only() {
    let services = services(1, 2).await;
    submit(&services, FIRST, 0).await.unwrap();
    end_and_settle(&services, FIRST).await;
    assert_eq!(holders(&services), BTreeSet::new());
    // It had stored its token before the job had an ARN, and goes on only now.
    let (of_run, job) = (run(0), name(FIRST));
    let jobs = services.settler(None).jobs;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    jobs.change_job_places("m", |places| places.take(&of_run, &job, now, 60)).await.unwrap();
    assert_eq!(refusal(&services, SECOND, 0).await, "QuotaExceeded");
    pass_two_hours(&services).await;
    submit(&services, SECOND, 1).await.unwrap();
}

#[tokio::test]
async fn places_that_cannot_be_read_keep_no_job_from_its_end() {
    let services = services(1, 2).await;
    submit(&services, FIRST, 0).await.unwrap();
    services.world().items.get_mut(ITEM).unwrap().insert("places".to_owned(), serde_json::json!({"S": "{"}));
    end_and_settle(&services, FIRST).await;
    assert_eq!(services.world().answered.len(), 1);
    let refused = submit(&services, SECOND, 0).await.unwrap_err();
    assert!(refused.name() == "Corrupt" && refused.message().contains(ITEM), "{refused}");
}

#[tokio::test]
async fn without_a_known_quota_nothing_is_stored() {
    let services = services(1, 1).await;
    services.world().items.remove(ITEM);
    submit(&services, FIRST, 0).await.unwrap();
    end_and_settle(&services, FIRST).await;
    assert!(!services.world().items.contains_key(ITEM));
}
