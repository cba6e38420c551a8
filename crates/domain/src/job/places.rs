//! Places of batch jobs: as many jobs of one model may be at Bedrock as the account's quota allows, shared by all runs of the stack.
//!
//! A job takes a place before it is created, and gives it back when it has ended. Of the free places, none is taken that another
//! run waits for and deserves more: the one that has fewer, or that has waited longer.

use crate::ids::{JobName, RunId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Seconds after which a place is looked at whose job may have ended without giving it back: far more than a function takes from
/// taking the place to storing the ARN of the job.
const CHECK_AFTER_SECONDS: u64 = 60 * 60;
/// Maximum number of places that are counted. With more, the item that stores them would exceed the 400 KB of DynamoDB; no quota
/// is as large.
pub const MAX_PLACES: u32 = 1_000;
/// Maximum number of runs that are known to wait, for the same reason. Others take places that none of these waits for.
const MAX_WAITING_RUNS: usize = 500;

/// Places of the jobs of one model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobPlaces {
    /// Number of places; unlimited if it is not known.
    limit: Option<u32>,
    /// Runs that have places or wait for one.
    runs: BTreeMap<RunId, RunPlaces>,
    /// Number of waits that have begun.
    waits: u64,
}

/// Places of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct RunPlaces {
    /// Time at which each job took its place, or at which it was last found to be at Bedrock, in seconds since 1970.
    held: BTreeMap<JobName, u64>,
    /// Wait of the run, if one of its jobs found no place since the run took its last one.
    waiting: Option<Waiting>,
}

/// Wait of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    /// Number of the wait: a later one is larger. Not a time, which two waits may have in common.
    turn: u64,
    /// Time until which the next attempt to take a place has begun, in seconds since 1970. A run that has ended meanwhile makes none.
    until: u64,
}

/// Result of an attempt to take a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenPlace {
    /// The number of places is not limited.
    Unlimited,
    /// The job has had one since an earlier attempt.
    Held,
    /// The job has taken one.
    Taken,
    /// There is none for it.
    Full(Occupied),
}

/// Reason why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupied {
    /// Number of places.
    pub limit: u32,
    /// Number of those that are taken. The others are for runs that have waited longer, or have fewer.
    pub taken: usize,
}

impl JobPlaces {
    /// Returns the number of places; `None` if it is not limited.
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// Sets the number of places.
    pub fn set_limit(&mut self, limit: u32) {
        self.limit = Some(limit.min(MAX_PLACES));
    }

    /// Takes a place for a job at the time `now`. If there is none, the run waits for it: the next attempt begins within
    /// `max_wait` seconds.
    pub fn take(&mut self, run: &RunId, job: &JobName, now: u64, max_wait: u64) -> TakenPlace {
        let Some(limit) = self.limit else { return TakenPlace::Unlimited };
        self.forget_gone(now);
        if self.runs.get(run).is_some_and(|of_run| of_run.held.contains_key(job)) {
            return TakenPlace::Held;
        }
        let taken = self.taken();
        let free = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(taken);
        if self.waiting_before(run) >= free {
            self.wait(run, now, max_wait);
            return TakenPlace::Full(Occupied { limit, taken });
        }
        let of_run = self.runs.entry(run.clone()).or_default();
        of_run.held.insert(job.clone(), now);
        of_run.waiting = None;
        TakenPlace::Taken
    }

    /// Takes the place of a job back; returns false if it has none. If its run waits, the wait begins anew: until now, the run was
    /// served, and others may not have been.
    pub fn release(&mut self, job: &JobName) -> bool {
        let Some((run, of_run)) = self.runs.iter_mut().find(|(_, of_run)| of_run.held.contains_key(job)) else {
            return false;
        };
        of_run.held.remove(job);
        if let Some(waiting) = &mut of_run.waiting {
            self.waits += 1;
            waiting.turn = self.waits;
        } else if of_run.held.is_empty() {
            let run = run.clone();
            self.runs.remove(&run);
        }
        true
    }

    /// Takes the place of a job back that Bedrock had no place for, which others than the stack have taken. Its run waits.
    pub fn refuse(&mut self, run: &RunId, job: &JobName, now: u64, max_wait: u64) -> bool {
        let released = self.release(job);
        if released {
            self.wait(run, now, max_wait);
        }
        released
    }

    /// Returns the job that has had its place for the longest time without being looked at, if that is long enough to doubt that
    /// it is still at Bedrock.
    pub fn doubtful(&self, now: u64) -> Option<(&RunId, &JobName)> {
        let held = self.runs.iter().flat_map(|(run, of_run)| of_run.held.iter().map(move |(job, at)| (*at, run, job)));
        let (at, run, job) = held.min()?;
        (now.saturating_sub(at) >= CHECK_AFTER_SECONDS).then_some((run, job))
    }

    /// Notes that a job is still at Bedrock.
    pub fn note_checked(&mut self, job: &JobName, now: u64) {
        for of_run in self.runs.values_mut() {
            of_run.held.entry(job.clone()).and_modify(|at| *at = now);
        }
    }

    fn taken(&self) -> usize {
        self.runs.values().map(|of_run| of_run.held.len()).sum()
    }

    /// Returns the number of other runs that get a place before this one. Each of them waits for one at a time.
    fn waiting_before(&self, run: &RunId) -> usize {
        let rank = |of_run: &RunPlaces| (of_run.held.len(), of_run.waiting.map_or(u64::MAX, |waiting| waiting.turn));
        let own = self.runs.get(run).map_or((0, u64::MAX), rank);
        let others = self.runs.iter().filter(|(id, of_run)| *id != run && of_run.waiting.is_some());
        others.filter(|(_, of_run)| rank(of_run) < own).count()
    }

    fn wait(&mut self, run: &RunId, now: u64, max_wait: u64) {
        let waiting = self.runs.values().filter(|of_run| of_run.waiting.is_some()).count();
        if waiting >= MAX_WAITING_RUNS && self.runs.get(run).is_none_or(|of_run| of_run.waiting.is_none()) {
            return;
        }
        let until = now.saturating_add(max_wait);
        let of_run = self.runs.entry(run.clone()).or_default();
        match &mut of_run.waiting {
            Some(known) => known.until = known.until.max(until),
            None => {
                self.waits += 1;
                of_run.waiting = Some(Waiting { turn: self.waits, until });
            }
        }
    }

    /// Forgets runs that have not come back when they should have.
    fn forget_gone(&mut self, now: u64) {
        self.runs.retain(|_, of_run| {
            of_run.waiting = of_run.waiting.filter(|waiting| now <= waiting.until);
            !of_run.is_empty()
        });
    }
}

impl RunPlaces {
    fn is_empty(&self) -> bool {
        self.held.is_empty() && self.waiting.is_none()
    }
}

#[cfg(test)]
mod tests;
