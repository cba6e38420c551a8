//! Lambda `reconcile`: runs on a schedule. See [`bedrock_batch_engine::reconcile`] and [`bedrock_batch_engine::working_files`].

use bedrock_batch_engine::job_table::JobTable;
use bedrock_batch_engine::reconcile::{Reconciled, Reconciler};
use bedrock_batch_engine::settle::Settler;
use bedrock_batch_engine::working_files::{DeletedFiles, WorkingFiles};
use bedrock_batch_engine::{EngineError, SweepTime};
use bedrock_batch_lambda_host::{bucket, environment, log_as_json, optional, required, serve_until};
use lambda_runtime::Error;
use serde::Serialize;
use serde::de::IgnoredAny;
use std::time::Duration;

/// Result of an invocation.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    reconciled: Reconciled,
    /// Deleted working files, if any were due.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<DeletedFiles>,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_as_json();
    let config = bedrock_batch_aws::sdk_config().await;
    let jobs = JobTable::new(aws_sdk_dynamodb::Client::new(&config), required(environment::TASK_TABLE_NAME)?);
    let days: Option<u32> = optional(environment::DELETE_WORKING_FILES_AFTER_DAYS)?;
    let files = match days {
        Some(_) => Some(WorkingFiles { bucket: bucket(&config)?, jobs: jobs.clone() }),
        None => None,
    };
    let reconciler = Reconciler {
        settler: Settler {
            jobs,
            bedrock: aws_sdk_bedrock::Client::new(&bedrock_batch_aws::bedrock_config(&config)),
            step_functions: aws_sdk_sfn::Client::new(&config),
        },
        silence: Duration::from_secs(required(environment::SILENT_SECONDS)?),
    };
    serve_until(move |_: IgnoredAny, deadline| {
        let (reconciler, files) = (reconciler.clone(), files.clone());
        async move { run(&reconciler, files.as_ref(), SweepTime::until(deadline.into())).await }
    })
    .await
}

/// Jobs come first: files can wait.
async fn run(reconciler: &Reconciler, files: Option<&WorkingFiles>, time: SweepTime) -> Result<Done, EngineError> {
    let checked = reconciler.run(time).await?;
    let deleted = match files {
        Some(files) => Some(files.delete_due(time).await?).filter(|deleted| *deleted != DeletedFiles::default()),
        None => None,
    };
    Ok(Done { reconciled: checked, deleted })
}
