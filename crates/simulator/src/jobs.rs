//! The jobs: their requests, their states, and the changes that are allowed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::control::request::CreateRequest;
use crate::models::Model;
use crate::timestamps::Timestamp;

/// The statuses of the service model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Submitted,
    Validating,
    Scheduled,
    InProgress,
    Completed,
    PartiallyCompleted,
    Failed,
    Stopping,
    Stopped,
    Expired,
}

impl Status {
    pub(crate) const ALL: [Self; 10] = [
        Self::Submitted,
        Self::Validating,
        Self::Scheduled,
        Self::InProgress,
        Self::Completed,
        Self::PartiallyCompleted,
        Self::Failed,
        Self::Stopping,
        Self::Stopped,
        Self::Expired,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Submitted => "Submitted",
            Self::Validating => "Validating",
            Self::Scheduled => "Scheduled",
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::PartiallyCompleted => "PartiallyCompleted",
            Self::Failed => "Failed",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Expired => "Expired",
        }
    }

    pub(crate) fn is_final(self) -> bool {
        match self {
            Self::Completed | Self::PartiallyCompleted | Self::Failed | Self::Stopped | Self::Expired => true,
            Self::Submitted | Self::Validating | Self::Scheduled | Self::InProgress | Self::Stopping => false,
        }
    }
}

/// Records, as Get and the manifest count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Counts {
    #[serde(rename = "totalRecordCount")]
    pub(crate) total: u64,
    #[serde(rename = "processedRecordCount")]
    pub(crate) processed: u64,
    #[serde(rename = "successRecordCount")]
    pub(crate) succeeded: u64,
    #[serde(rename = "errorRecordCount")]
    pub(crate) failed: u64,
}

/// One job, as it is now.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) request: CreateRequest,
    pub(crate) model: Model,
    /// Identity of the job for [`crate::chance`]; holds neither its name nor a time.
    pub(crate) fate: String,
    pub(crate) status: Status,
    pub(crate) message: Option<String>,
    pub(crate) submitted: Timestamp,
    /// Time at which it should have ended.
    pub(crate) expires: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    /// Absent until the job is in progress.
    pub(crate) counts: Option<Counts>,
    /// Number of Create calls that led to this job: more than one if its token was reused.
    pub(crate) create_calls: u32,
    /// Becomes true once the job is stopped.
    pub(crate) stop: watch::Sender<bool>,
    task: Option<AbortHandle>,
}

/// Outcome of a Create call.
pub(crate) enum Added {
    New(Box<Job>),
    /// ARN of the job that the same token has created before.
    SameToken(String),
    NameTaken,
    /// Number of jobs of the model that are open already.
    QuotaReached(usize),
}

/// All jobs, in the order of their creation.
#[derive(Debug, Default)]
pub(crate) struct JobBook {
    jobs: Mutex<Vec<Job>>,
}

impl JobBook {
    /// Adds a job unless token, name or quota forbid it, atomically, so that only one of two concurrent calls creates it.
    /// `fate` is called for a job that is added, and for no other.
    pub(crate) fn add(&self, job: NewJob, fate: impl FnOnce() -> String) -> Added {
        let mut jobs = self.lock();
        let token = job.request.client_request_token.as_ref();
        let is_repeated = |known: &Job| token.is_some() && known.request.client_request_token.as_ref() == token;
        if let Some(known) = jobs.iter_mut().find(|known| !job.forgets && is_repeated(known)) {
            known.create_calls += 1;
            return Added::SameToken(known.arn.clone());
        }
        if !job.forgets && jobs.iter().any(|known| known.request.job_name == job.request.job_name) {
            return Added::NameTaken;
        }
        let counts =
            |known: &Job| known.model.base == job.model.base && known.request.input.uri().contains(&job.quota_of);
        let open = jobs.iter().filter(|known| !known.status.is_final() && counts(known)).count();
        if open >= job.quota {
            return Added::QuotaReached(open);
        }
        let job = Job {
            id: job.id,
            arn: job.arn,
            request: job.request,
            model: job.model,
            fate: fate(),
            status: Status::Submitted,
            message: None,
            submitted: job.now,
            expires: job.expires,
            modified: job.now,
            ended: None,
            counts: None,
            create_calls: 1,
            stop: watch::Sender::new(false),
            task: None,
        };
        jobs.push(job.clone());
        Added::New(Box::new(job))
    }

    pub(crate) fn all(&self) -> Vec<Job> {
        self.lock().clone()
    }

    /// Returns the jobs with this part in the address of their input.
    pub(crate) fn over(&self, part: &str) -> Vec<Job> {
        self.lock().iter().filter(|job| job.request.input.uri().contains(part)).cloned().collect()
    }

    pub(crate) fn find(&self, id: &str) -> Option<Job> {
        self.lock().iter().find(|job| job.id == id).cloned()
    }

    /// Moves a job to its next status. Refused (`None`) if the job has ended or was forgotten, and if it was stopped: Stopping
    /// is followed by Stopped only.
    pub(crate) fn advance(&self, id: &str, to: Status, message: Option<String>) -> Option<Job> {
        self.change(id, |job| {
            let allowed = if job.status == Status::Stopping { to == Status::Stopped } else { !job.status.is_final() };
            allowed.then(|| {
                job.status = to;
                job.message = message;
                job.modified = Timestamp::now();
                job.ended = to.is_final().then_some(job.modified);
                if to == Status::InProgress {
                    job.counts = Some(Counts::default());
                }
            })
        })
    }

    pub(crate) fn count(&self, id: &str, counts: Counts) {
        self.change(id, |job| {
            job.counts = Some(counts);
            job.modified = Timestamp::now();
            Some(())
        });
    }

    /// Stores the task that runs the job, so that a reset can end it.
    pub(crate) fn carried_by(&self, id: &str, task: AbortHandle) {
        self.change(id, |job| {
            job.task = Some(task);
            Some(())
        });
    }

    /// Forgets all jobs and ends their tasks.
    pub(crate) fn clear(&self) {
        for job in self.lock().drain(..) {
            if let Some(task) = job.task {
                task.abort();
            }
        }
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Job) -> Option<()>) -> Option<Job> {
        let mut jobs = self.lock();
        let job = jobs.iter_mut().find(|job| job.id == id)?;
        change(job)?;
        Some(job.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Parameters of [`JobBook::add`].
pub(crate) struct NewJob {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) request: CreateRequest,
    pub(crate) model: Model,
    pub(crate) quota: usize,
    /// Part of the addresses of the inputs of jobs that count.
    pub(crate) quota_of: String,
    pub(crate) now: Timestamp,
    /// Time at which it should end.
    pub(crate) expires: Timestamp,
    /// If true, neither tokens nor names of earlier jobs are known.
    pub(crate) forgets: bool,
}
