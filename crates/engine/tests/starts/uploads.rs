//! Uploads: the executions that they start, and those that have to wait.

use super::fake_aws::{FakeAws, client};
use super::s3_server::etag;
use super::stack::{BUCKET, Stack};
use bedrock_batch_domain::input::RunCaps;
use bedrock_batch_domain::trigger::{Upload, execution_name};
use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::mailer::Mailer;
use bedrock_batch_engine::trigger::{ObjectCreated, Trigger, Triggered, UploadQueue};
use serde_json::{Value, json};

const RUN: &[u8] = br#"{"s3_uri": "s3://our-bucket/inputs/a.csv", "job_name_prefix": "p", "model_id": "m"}"#;

struct Uploads {
    aws: FakeAws,
    stack: Stack,
    trigger: Trigger,
}

impl Uploads {
    async fn new(max_executions: usize) -> Self {
        let (aws, stack) = (FakeAws::default(), Stack::new().await);
        let url = aws.serve().await;
        let machine = |kind: &str| format!("arn:aws:states:eu-west-1:1:stateMachine:{kind}").parse().unwrap();
        let config = json!({"pipeline_name": "c", "stages": [{"stage_name": "s", "input_s3_uri": "s3://x/y"}]});
        let trigger = Trigger {
            step_functions: client!(aws_sdk_sfn, &url),
            bucket: stack.bucket.clone(),
            batch_orchestrator: machine("batch"),
            pipeline_orchestrator: machine("pipeline"),
            mailer: Mailer { sns: client!(aws_sdk_sns, &url), topic_arn: "arn:aws:sns:eu-west-1:1:t".to_owned() },
            configs: [("c".to_owned(), config.as_object().unwrap().clone())].into(),
            takes_inputs: true,
            caps: RunCaps::default(),
            jobs: JobTable::new(client!(aws_sdk_dynamodb, &url), "t".to_owned()),
            queue: UploadQueue {
                sqs: client!(aws_sdk_sqs, &url),
                url: format!("{url}/1/uploads"),
                retry_seconds: 60,
                max_executions,
            },
        };
        Self { aws, stack, trigger }
    }

    /// Stores an object, and returns its event.
    fn upload(&self, key: &str, content: &[u8]) -> Upload {
        self.stack.put(key, content);
        Upload {
            key: key.to_owned(),
            etag: etag(content).trim_matches('"').to_owned(),
            sequencer: etag(content),
            size: Some(content.len() as u64),
            ..Upload::default()
        }
    }

    async fn handle(&self, upload: &Upload) -> Triggered {
        let created = ObjectCreated { bucket: BUCKET.to_owned(), upload: upload.clone() };
        self.trigger.handle(Some(created), &upload.key).await.unwrap()
    }

    fn end(&self, name: &str) {
        let mut world = self.aws.world();
        let (_, status) = world.executions.iter_mut().find(|(arn, _)| arn.ends_with(&format!(":{name}"))).unwrap();
        "SUCCEEDED".clone_into(status);
    }

    fn running(&self) -> usize {
        self.aws.world().executions.values().filter(|status| *status == "RUNNING").count()
    }

    fn inputs(&self) -> Vec<Value> {
        self.aws.world().inputs.values().cloned().collect()
    }
}

fn started(upload: &Upload) -> Triggered {
    Triggered::Started(execution_name(upload))
}

#[tokio::test]
async fn uploads_beyond_the_maximum_wait_and_start_as_executions_end() {
    let uploads = Uploads::new(2).await;
    let all: Vec<Upload> = (0..5).map(|number| uploads.upload(&format!("trigger/{number}.json"), RUN)).collect();
    assert_eq!(uploads.handle(&all[0]).await, started(&all[0]));
    assert_eq!(uploads.handle(&all[1]).await, started(&all[1]));
    for upload in &all[2..] {
        assert_eq!(uploads.handle(upload).await, Triggered::Waiting);
    }
    assert_eq!(uploads.aws.world().queue, ["trigger/2.json", "trigger/3.json", "trigger/4.json"]);
    // Events of executions that have a slot are not held up.
    assert_eq!(uploads.handle(&all[1]).await, started(&all[1]));
    uploads.end(&execution_name(&all[0]));
    // Found out no later than some seconds after the last look.
    while uploads.handle(&all[2]).await == Triggered::Waiting {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!((uploads.running(), uploads.handle(&all[3]).await), (2, Triggered::Waiting));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_uploads_never_take_more_slots_than_there_are() {
    let uploads = Uploads::new(3).await;
    let all: Vec<Upload> = (0..8).map(|number| uploads.upload(&format!("trigger/{number}.json"), RUN)).collect();
    let uploads = std::sync::Arc::new(uploads);
    let handled = all.into_iter().map(|upload| {
        let uploads = std::sync::Arc::clone(&uploads);
        tokio::spawn(async move { uploads.handle(&upload).await })
    });
    let mut waiting = 0;
    for handled in handled.collect::<Vec<_>>() {
        waiting += usize::from(handled.await.unwrap() == Triggered::Waiting);
    }
    assert_eq!((uploads.running(), waiting, uploads.aws.world().queue.len()), (3, 5, 5));
}

#[tokio::test]
async fn the_etag_of_the_event_goes_with_the_execution() {
    let uploads = Uploads::new(10).await;
    let rows = uploads.upload("trigger/c/rows.csv", b"text\nfirst\n");
    assert_eq!(uploads.handle(&rows).await, started(&rows));
    let mut large: Value = serde_json::from_slice(RUN).unwrap();
    large["prompt"] = "x".repeat(250_000).into();
    let large = uploads.upload("trigger/large.json", large.to_string().as_bytes());
    assert_eq!(uploads.handle(&large).await, started(&large));
    let [by_address, pipeline]: [Value; 2] = uploads.inputs().try_into().unwrap();
    let stage = &pipeline["stages"][0];
    assert_eq!(
        (&stage["input_s3_uri"], &stage["input_s3_etag"]),
        (&json!("s3://our-bucket/trigger/c/rows.csv"), &json!(rows.etag))
    );
    assert_eq!(
        by_address,
        json!({"config_s3_uri": "s3://our-bucket/trigger/large.json", "config_s3_etag": large.etag})
    );
}

#[tokio::test]
async fn an_upload_that_was_overwritten_or_deleted_starts_nothing_and_is_reported() {
    for key in ["trigger/c/rows.csv", "trigger/run.json"] {
        let uploads = Uploads::new(10).await;
        let older = uploads.upload(key, b"{}");
        let newer = uploads.upload(key, RUN);
        assert_eq!(uploads.handle(&older).await, Triggered::Refused(1));
        assert_eq!((uploads.running(), uploads.aws.world().emails), (0, 1));
        let told = String::from_utf8(uploads.stack.object(&format!("{key}.error.json")).unwrap()).unwrap();
        assert!(told.contains("was overwritten before it was read"), "{told}");
        assert_eq!(uploads.handle(&newer).await, started(&newer));
        // The event of an upload whose execution has started may come again after that.
        uploads.stack.put(key, b"another");
        assert_eq!(uploads.handle(&newer).await, started(&newer));
        let deleted = Upload { key: format!("{key}.2.json"), ..older };
        assert_eq!(uploads.handle(&deleted).await, Triggered::Refused(1));
    }
}

#[tokio::test]
async fn an_empty_file_that_was_replaced_is_no_loss() {
    let uploads = Uploads::new(10).await;
    let empty = uploads.upload("trigger/c/rows.csv", b"");
    uploads.upload("trigger/c/rows.csv", b"text\nfirst\n");
    assert!(matches!(uploads.handle(&empty).await, Triggered::Ignored(_)));
    assert_eq!(uploads.aws.world().emails, 0);
}

#[tokio::test]
async fn each_run_of_an_upload_has_the_limits_of_the_stack() {
    let mut uploads = Uploads::new(10).await;
    uploads.trigger.caps = RunCaps { max_records_total: Some(50), max_cost_usd: Some(2.5) };
    let mut run: Value = serde_json::from_slice(RUN).unwrap();
    (run["max_records_total"], run["max_cost_usd"]) = (json!(1_000_000), json!(1));
    let direct = uploads.upload("trigger/a.json", run.to_string().as_bytes());
    run["prompt"] = "x".repeat(250_000).into();
    let large = uploads.upload("trigger/b.json", run.to_string().as_bytes());
    let rows = uploads.upload("trigger/c/rows.csv", b"text\nfirst\n");
    for upload in [&direct, &large, &rows] {
        assert_eq!(uploads.handle(upload).await, started(upload));
    }
    let [direct, large, pipeline]: [Value; 3] = uploads.inputs().try_into().unwrap();
    assert_eq!((&direct["max_records_total"], &direct["max_cost_usd"]), (&json!(50), &json!(1)));
    for capped in [&large, &pipeline["stages"][0]] {
        assert_eq!((&capped["max_records_total"], &capped["max_cost_usd"]), (&json!(50), &json!(2.5)));
    }
}

#[tokio::test]
async fn a_stack_that_takes_no_inputs_starts_deployed_configurations_alone() {
    let mut uploads = Uploads::new(10).await;
    uploads.trigger.takes_inputs = false;
    let run = uploads.upload("trigger/run.json", RUN);
    assert_eq!(uploads.handle(&run).await, Triggered::Refused(1));
    let rows = uploads.upload("trigger/c/rows.csv", b"text\nfirst\n");
    assert_eq!(uploads.handle(&rows).await, started(&rows));
}
