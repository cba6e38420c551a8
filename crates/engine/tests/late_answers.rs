//! Answers that are not in the output of their job yet when its chunk is joined, with S3 and DynamoDB in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::invoke_aws::Aws;
use crate::small_run;
use crate::test_stack;
use aws_sdk_s3::config::Region;
use bedrock_batch_domain::input::{RunRequest, StackLimits};
use bedrock_batch_domain::prompt::{Prompt, PromptPlan};
use bedrock_batch_domain::summary::ChunkCounts;
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::objects::Bucket;
use bedrock_batch_engine::postprocess::{PostprocessInput, Postprocessor};
use rstest::rstest;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const EXECUTION: &str = "arn:aws:states:eu-west-1:123456789012:execution:bedrock-batch-orchestrator-123456789012:r";
const JOB: &str = "p-0000-x";
const FOLDER: &str = "batch_outputs_json/p/r/0000/abcdefghijkl/";
const ROWS: usize = 3;

fn plan() -> Value {
    let request = json!({"job_name_prefix": "p", "model_id": "m", "s3_uri": "s3://inputs/a.csv"});
    let stack = StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 20 };
    let (request, problems) = RunRequest::read(&request, stack);
    assert!(problems.is_empty(), "{problems:?}");
    let limits = json!({"min_records_per_job": 100, "max_records_per_job": 1000, "max_file_bytes": 1, "max_job_bytes": 1,
        "max_record_bytes": 1});
    let model =
        json!({"id": "m", "family": "nova", "limits": limits, "batch_price": null, "prices_as_of": "2026-01-01"});
    let prompts = PromptPlan::single("p", Prompt::parse("description = \"d\"\ntemplate = \"{text}\"").unwrap());
    json!({"run_id": "r", "execution_arn": EXECUTION, "started_at": "2026-01-01T00:00:00Z", "bucket": "bucket",
        "task_table": "jobs", "request": request.unwrap(), "prompts": prompts, "model": model, "sources": [],
        "columns": [], "on_demand": {"model": model, "fallback": null},
        "counts": {"rows": ROWS, "records": ROWS, "skipped": {}, "rejected": {}, "warnings": {}, "jobs": 1}})
}

/// Returns the item of a job with this status and number of processed records.
fn job_item(status: &str, processed: &Value) -> Value {
    json!({"job_name": {"S": JOB}, "run_id": {"S": "r"}, "job_index": {"N": "0"}, "model_id": {"S": "m"}, "records": {"N": ROWS.to_string()},
        "round": {"N": "0"}, "lane": {"S": "batch"}, "execution_arn": {"S": EXECUTION}, "may_fall_back": {"BOOL": false},
        "job_arn": {"S": "arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/abcdefghijkl"},
        "status": {"S": status}, "processed_records": processed})
}

fn keep(aws: &Aws, root: &Path, folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            keep(aws, root, &path);
        } else {
            let key = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            aws.world().objects.insert(key, std::fs::read(&path).unwrap());
        }
    }
}

/// Returns the output with lines for the first rows.
fn output(lines: usize) -> Vec<u8> {
    (0..lines).map(|row| small_run::nova(row, "yes") + "\n").collect::<String>().into_bytes()
}

/// Joins a chunk whose job ended with this status, with a line for each of its first rows before the join and, after a number
/// of listings, another number.
async fn joined(item: Value, before: usize, later: Option<(usize, usize)>, patience: Duration) -> (Aws, ChunkCounts) {
    let aws = Aws::default();
    let folder = tempfile::tempdir().unwrap();
    small_run::prepare("text\na\nb\nc\n", ROWS as u64, folder.path());
    keep(&aws, folder.path(), folder.path());
    {
        let mut world = aws.world();
        world.objects.insert("runs/r/plan.json".to_owned(), plan().to_string().into_bytes());
        if before > 0 {
            world.objects.insert(format!("{FOLDER}0000.jsonl.out"), output(before));
        }
        world.items.insert(JOB.to_owned(), item);
        let run = json!({"job_name": {"S": "run/r"}, "execution_arn": {"S": EXECUTION}, "stopped": {"BOOL": false}});
        world.items.insert("run/r".to_owned(), run);
    }
    if let Some((listings, lines)) = later {
        let aws = aws.clone();
        tokio::spawn(async move {
            while aws.world().listings < listings {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            aws.world().objects.insert(format!("{FOLDER}0000.jsonl.out"), output(lines));
        });
    }
    let loader = bedrock_batch_aws::loader().endpoint_url(aws.serve().await).region(Region::new("us-east-1"));
    let config = loader.credentials_provider(test_stack::credentials()).load().await;
    let postprocessor = Postprocessor {
        bucket: Bucket::new(bedrock_batch_aws::s3_client(&config), "bucket"),
        jobs: JobTable::new(aws_sdk_dynamodb::Client::new(&config), "jobs".to_owned()),
        late_answers: patience,
    };
    let job =
        json!({"index": 0, "name": JOB, "records": ROWS, "input_uri": "s3://bucket/i", "output_uri": "s3://bucket/o"});
    let input: PostprocessInput =
        serde_json::from_value(json!({"run_id": "r", "execution_arn": EXECUTION, "job": job})).unwrap();
    let counts = Box::pin(postprocessor.run(&input)).await.unwrap();
    (aws, counts)
}

const PATIENT: Duration = Duration::from_mins(5);

#[rstest]
#[case::all(0)]
#[case::the_last(2)]
#[tokio::test(flavor = "multi_thread")]
async fn lines_that_come_after_the_end_of_their_job_are_joined(#[case] before: usize) {
    let item = job_item("Completed", &json!({"N": "3"}));
    let (aws, counts) = joined(item, before, Some((1, ROWS)), PATIENT).await;
    assert_eq!((counts.answered, counts.unanswered, counts.warnings.len()), (3, 0, 0), "{counts:?}");
    assert!(aws.world().objects.contains_key("batch_output_parquet/p/r/0000.parquet"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_do_not_come_in_time_are_a_warning() {
    let warning = "rows that Bedrock counts as processed, without a line in the job's output";
    for (status, before, late) in [("Completed", 1, 2), ("Stopped", 0, 2), ("Completed", 0, 3)] {
        let (aws, counts) = joined(job_item(status, &json!({"N": "2"})), before, None, Duration::from_millis(10)).await;
        assert_eq!(counts.warnings.get(warning), Some(&late), "{status}: {counts:?}");
        assert_eq!((counts.answered, counts.rows), (before as u64, 3));
        assert_eq!(aws.world().listings, 2, "the second look finds nothing new");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_waited_for_where_bedrock_counts_no_more() {
    for processed in [json!({"N": "1"}), json!({"NULL": true})] {
        let (aws, counts) = joined(job_item("PartiallyCompleted", &processed), 1, None, PATIENT).await;
        assert_eq!((counts.answered, counts.unanswered, counts.warnings.len()), (1, 2, 0));
        assert_eq!(aws.world().listings, 1);
    }
}
