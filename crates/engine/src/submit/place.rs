//! Places of jobs at Bedrock: a job takes one before it is created, and waits where there is none for it.

use super::{CreateOutcome, SubmitInput, Submitter};
use crate::bedrock_jobs::find_job;
use crate::error::{EngineError, ErrorKind};
use crate::time;
use bedrock_batch_domain::ids::{JobName, RunId};
use bedrock_batch_domain::job::{JobStatus, Occupied, TakenPlace, max_wait_seconds};

impl Submitter {
    /// Takes a place for the job, unless it has one.
    ///
    /// # Errors
    /// Returns `QuotaExceeded` if there is none for it, and an error if an AWS request fails.
    pub(super) async fn take_place(&self, input: &SubmitInput) -> Result<(), EngineError> {
        let (jobs, run_id, name) = (&self.settler.jobs, &input.run_id, &input.job.name);
        let (now, max_wait) = (time::now(), max_wait_seconds(input.retry_count));
        let take = || {
            jobs.change_job_places(&input.model_id, |places| {
                let taken = places.take(run_id, name, now, max_wait);
                let is_full = matches!(taken, TakenPlace::Full(_));
                let doubtful = places.doubtful(now).filter(|_| is_full).map(|(run, job)| (run.clone(), job.clone()));
                if let Some((_, job)) = &doubtful {
                    // Others need not look at it, too.
                    places.note_checked(job, now);
                }
                (taken, doubtful)
            })
        };
        let mut result = take().await?;
        if let (TakenPlace::Full(_), Some((run, job))) = &result
            && self.is_vacated(&input.model_id, run, job).await
        {
            result = take().await?;
        }
        match result.0 {
            TakenPlace::Unlimited | TakenPlace::Held | TakenPlace::Taken => Ok(()),
            TakenPlace::Full(Occupied { limit, taken }) => {
                tracing::info!(%run_id, %name, limit, taken, "job_waits_for_place");
                Err(EngineError::quota_exceeded(format!(
                    "no place for job {name}: {taken} of {limit} batch jobs that this deployment may have of {} are at Bedrock, \
                     and others come first",
                    input.model_id
                )))
            }
        }
    }

    /// Gives the place of the job back where it was certainly not created.
    pub(super) async fn settle_place(&self, input: &SubmitInput, created: &Result<CreateOutcome, EngineError>) {
        let (now, max_wait) = (time::now(), max_wait_seconds(input.retry_count));
        let (run_id, name) = (&input.run_id, &input.job.name);
        let is_out_of_quota = match created {
            Ok(CreateOutcome::Job(_)) => return,
            Ok(CreateOutcome::Refused(_)) => false,
            Err(error) => match error.kind() {
                // The job may exist; the next attempt finds out.
                ErrorKind::Transient | ErrorKind::Throttled => return,
                kind => *kind == ErrorKind::QuotaExceeded,
            },
        };
        let changed = self.settler.jobs.change_job_places(&input.model_id, |places| {
            if is_out_of_quota { places.refuse(run_id, name, now, max_wait) } else { places.release(name) }
        });
        if let Err(error) = changed.await {
            // It is noticed once a job finds no place.
            tracing::warn!(%run_id, %name, error_type = error.name(), "place_not_released");
        }
    }

    /// Looks at a job that has had its place for long, whose end may have been missed. Returns true if its place is free now.
    async fn is_vacated(&self, model_id: &str, run_id: &RunId, name: &JobName) -> bool {
        let released = async {
            let is_gone = self.is_gone(run_id, name).await?;
            if is_gone {
                self.settler.jobs.change_job_places(model_id, |places| places.release(name)).await?;
            }
            Ok::<_, EngineError>(is_gone)
        };
        let released = released.await;
        match &released {
            Ok(is_vacated) => tracing::info!(%run_id, %name, is_vacated, "place_checked"),
            Err(error) => tracing::warn!(%run_id, %name, error_type = error.name(), "place_not_checked"),
        }
        released.unwrap_or(false)
    }

    /// Returns true if a job is not at Bedrock any more, or has never been.
    async fn is_gone(&self, run_id: &RunId, name: &JobName) -> Result<bool, EngineError> {
        let stored = self.settler.jobs.job_of_run(run_id, name).await?;
        let arn = match stored.and_then(|job| job.job_arn) {
            Some(arn) => Some(arn),
            None => find_job(&self.settler.bedrock, run_id, name).await?,
        };
        let Some(arn) = arn else { return Ok(true) };
        let job = self.settler.bedrock.get_model_invocation_job().job_identifier(arn.as_str()).send().await;
        match job {
            Ok(job) => Ok(job.status().is_some_and(|status| JobStatus::parse(status.as_str()).is_terminal())),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                Ok(true)
            }
            Err(error) => Err(EngineError::from_aws(format!("cannot read Bedrock job {name}"), &error)),
        }
    }
}
