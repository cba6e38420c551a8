//! Working files of completed runs, which are deleted some days after their end.

use crate::services::Services;
use crate::submissions::{execution, run_id};
use bedrock_batch_engine::SweepTime;
use bedrock_batch_engine::working_files::{DeletedFiles, WorkingFiles};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

const DAY: &str = "expiring/2026-01-31/r.json";
const KEPT: [&str; 4] =
    ["batch_output_parquet/p/r/0000.parquet", "runs/r/plan.json", "runs/r/summary.json", "inputs/rows.csv"];
const WORKING: [&str; 4] = [
    "batch_inputs_json/p/r/0000.jsonl",
    "batch_inputs_parquet/p/r/0000.parquet",
    "batch_outputs_json/p/r/0000/abc/0000.jsonl.out",
    "batch_outputs_json/p/r/0000/abc/manifest.json.out",
];
const OF_OTHERS: [&str; 2] = ["batch_inputs_json/p/r2/0000.jsonl", "batch_inputs_json/p2/r/0000.jsonl"];

/// Returns services with the files of a run that execution number 0 has completed, and whose working files are due.
async fn completed() -> Services {
    let services = Services::start(None).await;
    assert!(services.settler(None).jobs.acquire_run(&run_id(), &execution(0), None).await.unwrap());
    let note = json!({"run_id": "r", "job_name_prefix": "p", "execution_arn": execution(0)});
    let mut world = services.world();
    world.objects.insert(DAY.to_owned(), note.to_string().into_bytes());
    for key in KEPT.iter().chain(&WORKING).chain(&OF_OTHERS) {
        world.objects.insert((*key).to_owned(), b"x".to_vec());
    }
    drop(world);
    services
}

fn time(seconds: u64) -> SweepTime {
    SweepTime::until(Instant::now() + Duration::from_secs(seconds))
}

async fn delete(services: &Services, time: SweepTime) -> DeletedFiles {
    let files = WorkingFiles { bucket: services.bucket(None), jobs: services.settler(None).jobs };
    files.delete_due(time).await.unwrap()
}

fn keys(services: &Services) -> Vec<String> {
    services.world().objects.keys().cloned().collect()
}

fn sorted<'a>(keys: impl IntoIterator<Item = &'a &'static str>) -> Vec<String> {
    let mut keys: Vec<String> = keys.into_iter().map(|key| (*key).to_owned()).collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn working_files_that_are_due_are_deleted_and_no_others() {
    let services = completed().await;
    assert_eq!(delete(&services, time(600)).await, DeletedFiles { runs: 1, files: 4, left: 0 });
    assert_eq!(keys(&services), sorted(KEPT.iter().chain(&OF_OTHERS)));
    assert_eq!(delete(&services, time(600)).await, DeletedFiles::default());
}

#[tokio::test]
async fn a_run_without_working_files_is_not_continued() {
    let services = completed().await;
    delete(&services, time(600)).await;
    let jobs = services.settler(None).jobs;
    assert!(jobs.run(&run_id()).await.unwrap().unwrap().files_deleted_at.is_some());
    assert!(!jobs.acquire_run(&run_id(), &execution(1), Some(&execution(0))).await.unwrap());
}

#[tokio::test]
async fn the_files_of_a_run_that_was_continued_stay_until_its_own_day() {
    let services = completed().await;
    let jobs = services.settler(None).jobs;
    assert!(jobs.acquire_run(&run_id(), &execution(1), Some(&execution(0))).await.unwrap());
    assert_eq!(delete(&services, time(600)).await, DeletedFiles { runs: 1, files: 0, left: 0 });
    assert_eq!(keys(&services), sorted(KEPT.iter().chain(&WORKING).chain(&OF_OTHERS)));
    assert!(jobs.run(&run_id()).await.unwrap().unwrap().files_deleted_at.is_none());
}

#[tokio::test]
async fn files_that_are_not_due_stay() {
    let services = completed().await;
    let note = services.world().objects.remove(DAY).unwrap();
    services.world().objects.insert("expiring/2999-01-01/r.json".to_owned(), note);
    assert_eq!(delete(&services, time(600)).await, DeletedFiles::default());
    assert_eq!(keys(&services).len(), KEPT.len() + WORKING.len() + OF_OTHERS.len() + 1);
}

#[tokio::test]
async fn without_time_the_next_invocation_goes_on() {
    let services = completed().await;
    assert_eq!(delete(&services, time(1)).await, DeletedFiles { runs: 0, files: 0, left: 1 });
    assert_eq!(delete(&services, time(600)).await, DeletedFiles { runs: 1, files: 4, left: 0 });
}

#[tokio::test]
async fn a_note_that_cannot_be_read_delays_no_other_run() {
    let services = completed().await;
    services.world().objects.insert("expiring/2026-01-30/broken.json".to_owned(), b"{".to_vec());
    assert_eq!(delete(&services, time(600)).await, DeletedFiles { runs: 1, files: 4, left: 1 });
}
