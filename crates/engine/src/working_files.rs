//! Working files of completed runs: records, rows and answers of jobs, which are deleted some days after the end of a run, if the stack
//! is set up so. Answered rows, plan and summary stay.
//!
//! Finalize notes the day for each run it completes, and the reconciler deletes what is due. Before the first file is deleted, the
//! run's item says so: from then on no execution can continue it. A run that was continued in between has a day of its own.

use crate::error::EngineError;
use crate::job_table::JobTable;
use crate::objects::{Bucket, Pages};
use crate::sweep::SweepTime;
use crate::time;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use bedrock_batch_domain::ids::{ExecutionArn, JobPrefix, RunId};
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::Plan;
use serde::{Deserialize, Serialize};

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// Note that the working files of a run are to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Expiry {
    run_id: RunId,
    job_name_prefix: JobPrefix,
    /// Execution that completed the run.
    execution_arn: ExecutionArn,
}

/// Deletes working files.
#[derive(Debug, Clone)]
pub struct WorkingFiles {
    /// Bucket of the stack.
    pub bucket: Bucket,
    /// Job table.
    pub jobs: JobTable,
}

/// Result of deleting working files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DeletedFiles {
    /// Number of runs without working files from now on.
    pub runs: u64,
    /// Number of deleted files.
    pub files: u64,
    /// Number of runs that are due and were not finished in time, or failed. The next invocation goes on with them.
    pub left: u64,
}

/// Notes that the working files of a run are to be deleted `days` days after `now`, in seconds since 1970.
pub(crate) async fn note_expiry(
    bucket: &Bucket,
    plan: &Plan,
    owner: &ExecutionArn,
    days: u32,
    now: u64,
) -> Result<(), EngineError> {
    let expiry = Expiry {
        run_id: plan.run_id.clone(),
        job_name_prefix: plan.request.job_name_prefix.clone(),
        execution_arn: owner.clone(),
    };
    let due = time::day(now.saturating_add(u64::from(days) * DAY_SECONDS));
    bucket.put_json(&Layout::expiry_key(&due, &plan.run_id), &expiry).await
}

impl WorkingFiles {
    /// Deletes the working files that are due, those of the earliest day first, until the time is over.
    ///
    /// # Errors
    /// Returns an error if the runs that are due cannot be listed. One whose files cannot be deleted does not delay the others.
    pub async fn delete_due(&self, time: SweepTime) -> Result<DeletedFiles, EngineError> {
        let (mut done, today) = (DeletedFiles::default(), time::day(time::now()));
        let mut pages = Pages::new(self.bucket.client(), &self.bucket.uri(Layout::expiries_prefix()));
        'pages: while let Some(page) = pages.next().await? {
            for note in page {
                let key = &note.uri.key;
                if Layout::day_of_expiry(key).is_none_or(|day| day > today.as_str()) {
                    // Keys are in order: the others are not due either.
                    break 'pages;
                }
                if !time.is_open() {
                    done.left += 1;
                    break 'pages;
                }
                match self.delete_of(key, time, &mut done.files).await {
                    Ok(is_done) => {
                        done.runs += u64::from(is_done);
                        done.left += u64::from(!is_done);
                    }
                    Err(error) => {
                        tracing::warn!(key, error_type = error.name(), "working_files_not_deleted");
                        done.left += 1;
                    }
                }
            }
        }
        if done != DeletedFiles::default() {
            let DeletedFiles { runs, files, left } = done;
            tracing::info!(runs, files, left, "working_files_deleted");
        }
        Ok(done)
    }

    /// Deletes the working files of a run; returns false if the time was over before.
    async fn delete_of(&self, key: &str, time: SweepTime, files: &mut u64) -> Result<bool, EngineError> {
        let Expiry { run_id, job_name_prefix, execution_arn } = self.bucket.get_json(key).await?;
        let layout = Layout::new(&job_name_prefix, &run_id);
        // A run that another execution has continued since is not complete, or has a later day.
        if self.jobs.note_files_deleted(&run_id, &execution_arn).await? {
            for prefix in layout.working_prefixes() {
                let mut pages = Pages::new(self.bucket.client(), &self.bucket.uri(prefix));
                while let Some(page) = pages.next().await? {
                    if !time.is_open() {
                        return Ok(false);
                    }
                    *files += page.len() as u64;
                    self.delete(page.into_iter().map(|object| object.uri.key)).await?;
                }
            }
        }
        self.delete([key.to_owned()]).await?;
        Ok(true)
    }

    async fn delete(&self, keys: impl IntoIterator<Item = String>) -> Result<(), EngineError> {
        let internal = |error| EngineError::internal("cannot name files to delete").caused_by(error);
        let keys = keys.into_iter().map(|key| ObjectIdentifier::builder().key(key).build().map_err(internal));
        let keys: Vec<ObjectIdentifier> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Ok(());
        }
        let bucket = self.bucket.name();
        let delete = Delete::builder().set_objects(Some(keys)).quiet(true).build().map_err(internal)?;
        let deleted = self.bucket.client().delete_objects().bucket(bucket).delete(delete).send().await;
        let deleted =
            deleted.map_err(|error| EngineError::from_aws(format!("cannot delete files in {bucket}"), &error))?;
        match deleted.errors().first() {
            None => Ok(()),
            Some(error) => {
                let code = error.code().unwrap_or_default();
                Err(EngineError::transient(format!("S3 did not delete {} files: {code}", deleted.errors().len())))
            }
        }
    }
}
