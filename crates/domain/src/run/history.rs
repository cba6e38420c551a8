//! All jobs of a run so far, by pass, with the rows of each.

use crate::join_task::ChunkAttempt;
use crate::lane::Lane;
use crate::plan::{JobItem, Parts};
use std::collections::HashMap;

/// Manifests of all passes, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Passes.
    pub passes: Vec<Pass>,
}

/// Pass over jobs of one lane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pass {
    /// Jobs of the pass.
    pub jobs: Vec<JobItem>,
    /// Rows of each job; empty for the first pass, where each job has one whole chunk.
    pub parts: Vec<Parts>,
}

impl Pass {
    /// Splits off the last job if it is too small for a batch job: returns this pass without it, and its remainder as a
    /// pass of its own. A pass without another job is sent on demand as a whole.
    pub fn split_remainder(mut self, minimum: u32) -> (Self, Option<Self>) {
        let is_small = |job: &mut JobItem| job.lane == Lane::Batch && job.records < minimum;
        let Some(mut job) = self.jobs.pop_if(is_small) else { return (self, None) };
        job.lane = Lane::OnDemand;
        let parts = self.parts.pop().into_iter().collect();
        if self.jobs.is_empty() {
            return (Self { jobs: vec![job], parts }, None);
        }
        job.is_remainder = true;
        (self, Some(Self { jobs: vec![job], parts }))
    }

    /// Returns the jobs with the rows of each.
    fn jobs_with_parts(&self) -> impl Iterator<Item = (&JobItem, Parts)> {
        self.jobs.iter().enumerate().map(|(number, job)| {
            let parts = self.parts.get(number).cloned();
            (job, parts.unwrap_or_else(|| vec![(job.index, job.records)]))
        })
    }
}

impl History {
    /// Returns the number of the latest pass.
    pub fn last_pass(&self) -> u32 {
        u32::try_from(self.passes.len()).unwrap_or(u32::MAX).saturating_sub(1)
    }

    /// Returns the jobs of a pass with the rows of each.
    pub fn jobs_of_pass(&self, pass: u32) -> impl Iterator<Item = (&JobItem, Parts)> {
        self.passes.get(pass as usize).into_iter().flat_map(Pass::jobs_with_parts)
    }

    /// Returns the chunks whose rows a pass had.
    pub fn chunks_of_pass(&self, pass: u32) -> impl Iterator<Item = u32> {
        self.jobs_of_pass(pass).flat_map(|(_, parts)| parts.into_iter().map(|(chunk, _)| chunk))
    }

    /// Returns all jobs that had rows of a chunk, by chunk, in the order in which they ran.
    pub fn attempts_by_chunk(&self) -> HashMap<u32, Vec<ChunkAttempt>> {
        let mut by_chunk: HashMap<u32, Vec<ChunkAttempt>> = HashMap::new();
        for (number, pass) in (0u32..).zip(&self.passes) {
            for (job, parts) in pass.jobs_with_parts() {
                // Like the pass before it, a remainder has rows that were unanswered when that pass began.
                let pass = if job.is_remainder { number.saturating_sub(1) } else { number };
                for (chunk, records) in parts {
                    let (index, name, lane) = (job.index, job.name.clone(), job.lane);
                    by_chunk.entry(chunk).or_default().push(ChunkAttempt { index, name, pass, lane, records });
                }
            }
        }
        by_chunk
    }

    /// Returns true if the last pass is the remainder of the one before, and none of its jobs has been started.
    pub(super) fn ends_with_waiting_remainder(&self, has_begun: impl Fn(&JobItem) -> bool) -> bool {
        let last = self.passes.last().filter(|_| self.passes.len() > 1);
        last.is_some_and(|pass| pass.jobs.iter().all(|job| job.is_remainder && !has_begun(job)))
    }

    /// Returns the number of records of jobs that were sent on demand.
    pub fn on_demand_records(&self) -> u64 {
        let jobs = self.passes.iter().flat_map(|pass| &pass.jobs);
        jobs.filter(|job| job.lane == Lane::OnDemand).map(|job| u64::from(job.records)).sum()
    }

    /// Returns the number of the next job.
    pub fn next_index(&self) -> u32 {
        let indices = self.passes.iter().flat_map(|pass| pass.jobs.iter().map(|job| job.index + 1));
        indices.max().unwrap_or(0)
    }
}
