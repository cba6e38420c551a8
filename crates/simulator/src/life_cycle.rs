//! The life of a job: Submitted, Validating, Scheduled, `InProgress`, and an end; each step is reported as an event.
//!
//! The behaviour at the job's creation holds for its whole life.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::behaviour::Behaviour;
use crate::chance::happens;
use crate::jobs::{Job, Status};
use crate::records::processing::{End, Processing};
use crate::records::validation;
use crate::simulator::Simulator;

/// Steps from Submitted to the end.
const STEPS: f64 = 4.0;

/// Runs a job to its end.
pub(crate) async fn live(simulator: Arc<Simulator>, job: Job) {
    let input = job.request.input.uri();
    let behaviour = simulator.scopes.of(input.as_bytes()).behaviour.towards(input);
    let step = match behaviour.job_seconds {
        _ if behaviour.finish_before_first_event => Duration::ZERO,
        Some(seconds) => Duration::try_from_secs_f64(seconds / STEPS).unwrap_or_default(),
        None => simulator.step,
    };
    let mut life = Life {
        simulator: &simulator,
        behaviour: &behaviour,
        step,
        stop: job.stop.subscribe(),
        held_back: Vec::new(),
        job,
    };
    life.report();
    let end = match life.run().await {
        Ok(end) => end,
        Err(Left) => (Status::Stopped, None),
    };
    // A stop during the last step wins.
    if life.enter(end.0, end.1).is_err() {
        let _ = life.enter(Status::Stopped, None);
    }
    for job in std::mem::take(&mut life.held_back) {
        simulator.events.report(&job, &behaviour);
    }
}

/// The job was stopped or forgotten while it lived.
struct Left;

struct Life<'a> {
    simulator: &'a Simulator,
    behaviour: &'a Behaviour,
    step: Duration,
    stop: watch::Receiver<bool>,
    held_back: Vec<Job>,
    job: Job,
}

impl Life<'_> {
    async fn run(&mut self) -> Result<(Status, Option<String>), Left> {
        let happens = |rate: f64, what: &str| happens(rate, self.behaviour.seed, &[what, &self.job.fate]);
        let (fails, expires) =
            (happens(self.behaviour.fail_rate, "fail"), happens(self.behaviour.expire_rate, "expire"));
        self.pause().await?;
        self.enter(Status::Validating, None)?;
        let validated = validation::validate(&self.simulator.storage, &self.job).await;
        self.pause().await?;
        let files = match validated {
            Ok(_) if fails => {
                let message = self.behaviour.fail_message.clone();
                let message = message.unwrap_or_else(|| "The simulator is set to fail this job.".to_owned());
                return Ok((Status::Failed, Some(message)));
            }
            Ok(files) => files,
            Err(message) => return Ok((Status::Failed, Some(message))),
        };
        self.enter(Status::Scheduled, None)?;
        self.pause().await?;
        if expires {
            return Ok((Status::Expired, None));
        }
        self.enter(Status::InProgress, None)?;
        let lasts = self.behaviour.in_progress_seconds.map(Duration::try_from_secs_f64);
        let lasts = lasts.and_then(Result::ok).filter(|_| !self.behaviour.finish_before_first_event);
        let lasts = lasts.unwrap_or(self.step);
        match Processing::new(self.simulator, &self.job, self.behaviour, lasts).run(&files).await {
            Ok(End::Complete) => Ok((Status::Completed, None)),
            Ok(End::Partial) => Ok((Status::PartiallyCompleted, None)),
            Ok(End::Stopped) => Err(Left),
            Err(message) => Ok((Status::Failed, Some(message))),
        }
    }

    async fn pause(&mut self) -> Result<(), Left> {
        tokio::select! {
            () = tokio::time::sleep(self.step) => Ok(()),
            _ = self.stop.wait_for(|stopped| *stopped) => Err(Left),
        }
    }

    fn enter(&mut self, status: Status, message: Option<String>) -> Result<(), Left> {
        self.job = self.simulator.jobs.advance(&self.job.id, status, message).ok_or(Left)?;
        tracing::info!(job_name = self.job.request.job_name, status = status.name(), "job_status_changed");
        self.report();
        Ok(())
    }

    fn report(&mut self) {
        if self.behaviour.finish_before_first_event {
            self.held_back.push(self.job.clone());
        } else {
            self.simulator.events.report(&self.job, self.behaviour);
        }
    }
}
