//! Progress of a run's jobs and records.

use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::plan::{Plan, PlanCounts};
use bedrock_batch_engine::job_table::{Fallback, StoredJob};
use std::collections::BTreeMap;

/// Progress of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RunProgress {
    /// Number of jobs planned for the first pass or started in a later one.
    pub(crate) jobs: u64,
    pub(crate) submitted: u64,
    pub(crate) running: u64,
    pub(crate) done: u64,
    /// Number of records of the first round.
    pub(crate) records: u64,
    /// Number of those records that have been processed.
    pub(crate) processed: u64,
    /// Number of records of later rounds.
    pub(crate) retried: u64,
    /// Number of those records that have been processed.
    pub(crate) retried_processed: u64,
}

impl RunProgress {
    pub(crate) fn of(plan: &Plan, jobs: &[StoredJob]) -> Self {
        Self::counted(&plan.counts, jobs)
    }

    fn counted(counts: &PlanCounts, jobs: &[StoredJob]) -> Self {
        let count = |is: fn(&StoredJob) -> bool| jobs.iter().filter(|job| is(job)).count() as u64;
        let later = jobs.iter().filter(|job| job.index >= counts.jobs).count() as u64;
        // Rows that Bedrock did not accept in batch are counted in the job that sends them on demand.
        let accepted = || jobs.iter().filter(|job| job.fallback.is_none());
        let first = accepted().filter(|job| job.round == 0);
        let retries = || accepted().filter(|job| job.round > 0);
        Self {
            jobs: u64::from(counts.jobs) + later,
            submitted: count(StoredJob::was_sent),
            running: count(is_running),
            done: count(StoredJob::is_over),
            records: counts.records,
            // Rows of jobs that failed transiently may be sent on demand in the same round.
            processed: first.map(processed).sum::<u64>().min(counts.records),
            retried: retries().map(|job| job.records).sum(),
            retried_processed: retries().map(processed).sum(),
        }
    }

    pub(crate) fn line(&self) -> String {
        let retried = match self.retried {
            0 => String::new(),
            records => format!("; retried: {} of {records}", self.retried_processed),
        };
        format!(
            "jobs: {} submitted, {} running, {} done of {}; records: {} of {}{retried}",
            self.submitted, self.running, self.done, self.jobs, self.processed, self.records
        )
    }
}

/// Formats one line for the jobs of each round and lane: `round 2: 1 job of 57 records, on demand: 1 done`.
pub(crate) fn rounds(jobs: &[StoredJob]) -> Vec<String> {
    let mut by_round: BTreeMap<(u32, Lane), Vec<&StoredJob>> = BTreeMap::new();
    for job in jobs {
        by_round.entry((job.round, job.lane)).or_default().push(job);
    }
    let line = |((round, lane), jobs): ((u32, Lane), Vec<&StoredJob>)| {
        let records: u64 = jobs.iter().map(|job| job.records).sum();
        let fallbacks: Vec<&Fallback> = jobs.iter().filter_map(|job| job.fallback.as_ref()).collect();
        let done = jobs.iter().filter(|job| job.is_over()).count() - fallbacks.len();
        let running = jobs.iter().filter(|job| is_running(job)).count();
        let parts = [(done, "done"), (running, "running"), (jobs.len() - fallbacks.len() - done - running, "waiting")];
        let mut parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        if let Some(first) = fallbacks.first() {
            parts.push(format!("{} not accepted in batch ({})", fallbacks.len(), first.reason));
        }
        let of = format!("{} of {}", quantity(jobs.len() as u64, "job"), quantity(records, "record"));
        format!("round {}: {of}, {}: {}", round + 1, lane_name(lane), parts.join(", "))
    };
    by_round.into_iter().map(line).collect()
}

/// Counts the batch jobs that Bedrock has accepted and that have not ended.
pub(crate) fn open_jobs(jobs: &[StoredJob]) -> usize {
    jobs.iter().filter(|job| job.lane == Lane::Batch && job.was_sent() && !job.is_over()).count()
}

/// Human-readable name of a lane.
pub(crate) fn lane_name(lane: Lane) -> &'static str {
    match lane {
        Lane::Batch => "batch",
        Lane::OnDemand => "on demand",
    }
}

/// Formats a count with its noun: `1 job`, `2 jobs`.
pub(crate) fn quantity(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", indicatif::HumanCount(count))
}

fn is_running(job: &StoredJob) -> bool {
    let status = job.status.unwrap_or(JobStatus::Submitted);
    !job.is_over() && status.rank() > JobStatus::Submitted.rank()
}

fn processed(job: &StoredJob) -> u64 {
    if job.is_over() { job.records } else { job.processed.unwrap_or(0).min(job.records) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(index: u32, round: u32, lane: Lane, records: u64, status: Option<JobStatus>) -> StoredJob {
        let arn = "arn:aws:bedrock:us-east-1:1:model-invocation-job/abcdefghwxyz";
        let job_arn = (lane == Lane::Batch && status.is_some()).then(|| arn.parse().unwrap());
        StoredJob {
            name: format!("job-{index}").parse().unwrap(),
            run_id: "run".parse().unwrap(),
            model_id: String::new(),
            index,
            records,
            round,
            lane,
            execution_arn: "arn:aws:states:us-east-1:1:execution:machine:run".parse().unwrap(),
            task_token: None,
            answered: false,
            job_arn,
            status,
            message: None,
            processed: None,
            leased_until: 0,
            on_demand_allowed: true,
            fallback: None,
            late_stop_at: None,
            failure: None,
            counts: None,
            pivot_guarded_cells: None,
        }
    }

    fn two_jobs_of_230() -> PlanCounts {
        PlanCounts { jobs: 2, records: 230, ..PlanCounts::default() }
    }

    const DONE: Option<JobStatus> = Some(JobStatus::Completed);
    const RUNS: Option<JobStatus> = Some(JobStatus::InProgress);

    #[test]
    fn a_run_of_one_pass_shows_its_jobs_and_records() {
        let jobs = [job(0, 0, Lane::Batch, 120, DONE), job(1, 0, Lane::Batch, 110, RUNS)];
        let progress = RunProgress::counted(&two_jobs_of_230(), &jobs);
        assert_eq!(progress.line(), "jobs: 2 submitted, 1 running, 1 done of 2; records: 120 of 230");
        assert_eq!(rounds(&jobs), ["round 1: 2 jobs of 230 records, batch: 1 done, 1 running"]);
        assert_eq!(open_jobs(&jobs), 1);
    }

    #[test]
    fn retried_rows_are_counted_separately() {
        let mut jobs = vec![job(0, 0, Lane::Batch, 120, DONE), job(1, 0, Lane::Batch, 110, DONE)];
        jobs.push(StoredJob { processed: Some(7), ..job(2, 1, Lane::OnDemand, 57, RUNS) });
        let line = RunProgress::counted(&two_jobs_of_230(), &jobs).line();
        assert_eq!(line, "jobs: 3 submitted, 1 running, 2 done of 3; records: 230 of 230; retried: 7 of 57");
        assert_eq!(rounds(&jobs)[1], "round 2: 1 job of 57 records, on demand: 1 running");
        assert_eq!(open_jobs(&jobs), 0, "no batch job is open");
    }

    #[test]
    fn rows_that_fell_back_to_on_demand_are_counted_once() {
        let refused = |index, records| StoredJob {
            fallback: Some(Fallback { reason: "no batch for it".to_owned(), refused: true }),
            ..job(index, 0, Lane::Batch, records, None)
        };
        let mut jobs = vec![refused(0, 120), refused(1, 110)];
        let progress = RunProgress::counted(&two_jobs_of_230(), &jobs);
        assert_eq!(progress.line(), "jobs: 0 submitted, 0 running, 2 done of 2; records: 0 of 230");
        jobs.push(job(2, 0, Lane::OnDemand, 230, DONE));
        let progress = RunProgress::counted(&two_jobs_of_230(), &jobs);
        assert_eq!(progress.line(), "jobs: 1 submitted, 0 running, 3 done of 3; records: 230 of 230");
        let expected = "round 1: 2 jobs of 230 records, batch: 2 not accepted in batch (no batch for it)";
        assert_eq!(rounds(&jobs), [expected, "round 1: 1 job of 230 records, on demand: 1 done"]);
    }
}
