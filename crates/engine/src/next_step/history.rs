//! All jobs of a run so far, pass by pass, and which rows of which chunks each had.

use crate::error::EngineError;
use crate::objects::Bucket;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::plan::{ChunkJob, JobItem, Parts, Plan};
use std::collections::HashMap;

/// The manifests of all passes.
#[derive(Debug, Default)]
pub struct History {
    /// One after the other.
    pub passes: Vec<Pass>,
}

/// One pass.
#[derive(Debug, Default)]
pub struct Pass {
    /// Its jobs.
    pub jobs: Vec<JobItem>,
    /// As many as jobs; empty for the first pass, where each job has one whole chunk.
    pub parts: Vec<Parts>,
}

impl Pass {
    /// The pass without its last job, if that is too small for a batch job, and a pass of its own for that one. A pass of
    /// nothing else is asked on demand as a whole.
    pub fn split_rest(mut self, minimum: u32) -> (Self, Option<Self>) {
        let small = |job: &mut JobItem| job.lane == Lane::Batch && job.records < minimum;
        let Some(mut job) = self.jobs.pop_if(small) else { return (self, None) };
        job.lane = Lane::OnDemand;
        let parts = self.parts.pop().into_iter().collect();
        if self.jobs.is_empty() {
            return (Self { jobs: vec![job], parts }, None);
        }
        job.rest = true;
        (self, Some(Self { jobs: vec![job], parts }))
    }

    fn parts(&self, number: usize) -> Parts {
        match (self.parts.get(number), self.jobs.get(number)) {
            (Some(parts), _) => parts.clone(),
            (None, Some(job)) => vec![(job.index, job.records)],
            (None, None) => Vec::new(),
        }
    }
}

impl History {
    /// Reads the manifests of the passes up to `last`.
    ///
    /// # Errors
    /// As S3 fails.
    pub(crate) async fn read(bucket: &Bucket, plan: &Plan, last: u32) -> Result<Self, EngineError> {
        let mut passes = Vec::new();
        for pass in 0..=last {
            let jobs = bucket.get_json(&Layout::pass_jobs_key(&plan.run_id, pass)).await?;
            let parts = if pass == 0 {
                Vec::new()
            } else {
                bucket.get_json(&Layout::pass_parts_key(&plan.run_id, pass)).await?
            };
            passes.push(Pass { jobs, parts });
        }
        Ok(Self { passes })
    }

    /// Reads the manifests of all passes that were ever written down. A pass that was prepared and never begun counts:
    /// its jobs are as good as any.
    ///
    /// # Errors
    /// As S3 fails.
    pub(crate) async fn read_all(bucket: &Bucket, plan: &Plan) -> Result<Self, EngineError> {
        let mut last = 0;
        while bucket.contains(&Layout::pass_jobs_key(&plan.run_id, last + 1)).await? {
            last += 1;
        }
        Self::read(bucket, plan, last).await
    }

    /// The number of the latest pass.
    pub fn last_pass(&self) -> u32 {
        u32::try_from(self.passes.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// The jobs of a pass, with the parts of each.
    pub fn jobs_of_pass(&self, pass: u32) -> impl Iterator<Item = (&JobItem, Parts)> {
        let pass = self.passes.get(pass as usize);
        let jobs = pass.into_iter().flat_map(|pass| pass.jobs.iter().enumerate().map(move |(n, job)| (pass, n, job)));
        jobs.map(|(pass, number, job)| (job, pass.parts(number)))
    }

    /// The chunks whose rows a pass had.
    pub fn chunks_of_pass(&self, pass: u32) -> impl Iterator<Item = u32> {
        self.jobs_of_pass(pass).flat_map(|(_, parts)| parts.into_iter().map(|(chunk, _)| chunk))
    }

    /// By chunk, all jobs that had rows of it, in the order in which they were asked.
    pub fn jobs_by_chunk(&self) -> HashMap<u32, Vec<ChunkJob>> {
        let mut by_chunk: HashMap<u32, Vec<ChunkJob>> = HashMap::new();
        for pass in 0..=self.last_pass() {
            for (job, parts) in self.jobs_of_pass(pass) {
                let pass = if job.rest { pass.saturating_sub(1) } else { pass };
                for (chunk, records) in parts {
                    let (name, lane) = (job.name.clone(), job.lane);
                    by_chunk.entry(chunk).or_default().push(ChunkJob { index: job.index, name, pass, lane, records });
                }
            }
        }
        by_chunk
    }

    /// Whether the last pass is a rest of the one before, that nobody has begun: `begun` says of a job whether it was.
    pub(crate) fn ends_with_a_rest(&self, begun: impl Fn(&JobItem) -> bool) -> bool {
        let last = self.passes.last();
        last.is_some_and(|pass| pass.jobs.iter().all(|job| job.rest && !begun(job)))
    }

    /// The number that the next job gets.
    pub fn next_index(&self) -> u32 {
        let indices = self.passes.iter().flat_map(|pass| pass.jobs.iter().map(|job| job.index + 1));
        indices.max().unwrap_or(0)
    }
}
