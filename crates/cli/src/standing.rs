//! How the jobs of a run stand.

use bedrock_batch_domain::job::JobStatus;
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::plan::{Plan, PlanCounts};
use bedrock_batch_engine::job_table::StoredJob;
use std::collections::BTreeMap;

/// How a run stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Planned for the first pass, or begun in a later one.
    pub(crate) jobs: u64,
    pub(crate) submitted: u64,
    pub(crate) running: u64,
    pub(crate) done: u64,
    /// Records, and those of them that were asked to the end.
    pub(crate) records: u64,
    pub(crate) processed: u64,
    /// Records of later rounds, and those of them that were asked to the end.
    pub(crate) records_again: u64,
    pub(crate) processed_again: u64,
}

impl Standing {
    pub(crate) fn of(plan: &Plan, jobs: &[StoredJob]) -> Self {
        Self::counted(&plan.counts, jobs)
    }

    fn counted(counts: &PlanCounts, jobs: &[StoredJob]) -> Self {
        let count = |is: fn(&StoredJob) -> bool| begun(jobs).filter(|job| is(job)).count() as u64;
        let later = begun(jobs).filter(|job| job.index >= counts.jobs).count() as u64;
        // Rows that Bedrock did not take in batch are counted where they are asked.
        let taken = || begun(jobs).filter(|job| job.fell_back.is_none());
        let first = taken().filter(|job| job.round == 0);
        let again = || taken().filter(|job| job.round > 0);
        Self {
            jobs: u64::from(counts.jobs) + later,
            submitted: count(StoredJob::was_asked),
            running: count(is_running),
            done: count(StoredJob::is_over),
            records: counts.records,
            // Jobs that failed for a passing reason may have their rows asked on demand in the same round.
            processed: first.map(processed).sum::<u64>().min(counts.records),
            records_again: again().map(|job| job.records).sum(),
            processed_again: again().map(processed).sum(),
        }
    }

    pub(crate) fn line(&self) -> String {
        let again = match self.records_again {
            0 => String::new(),
            records => format!("; asked again: {} of {records}", self.processed_again),
        };
        format!(
            "jobs: {} submitted, {} running, {} done of {}; records: {} of {}{again}",
            self.submitted, self.running, self.done, self.jobs, self.processed, self.records
        )
    }
}

/// A line for the jobs of each round and lane: `round 2: 1 job of 57 records, on demand: 1 done`.
pub(crate) fn rounds(jobs: &[StoredJob]) -> Vec<String> {
    let mut by_round: BTreeMap<(u32, Lane), Vec<&StoredJob>> = BTreeMap::new();
    for job in begun(jobs) {
        by_round.entry((job.round, job.lane.unwrap_or_default())).or_default().push(job);
    }
    let line = |((round, lane), jobs): ((u32, Lane), Vec<&StoredJob>)| {
        let records: u64 = jobs.iter().map(|job| job.records).sum();
        let fell_back: Vec<&str> = jobs.iter().filter_map(|job| job.fell_back.as_deref()).collect();
        let done = jobs.iter().filter(|job| job.is_over()).count() - fell_back.len();
        let running = jobs.iter().filter(|job| is_running(job)).count();
        let parts = [(done, "done"), (running, "running"), (jobs.len() - fell_back.len() - done - running, "waiting")];
        let mut parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        if let Some(reason) = fell_back.first() {
            parts.push(format!("{} not taken in batch ({reason})", fell_back.len()));
        }
        let of = format!("{} of {}", number(jobs.len() as u64, "job"), number(records, "record"));
        format!("round {}: {of}, {}: {}", round + 1, lane_name(lane), parts.join(", "))
    };
    by_round.into_iter().map(line).collect()
}

/// Batch jobs that Bedrock has taken and that are not over.
pub(crate) fn open_jobs(jobs: &[StoredJob]) -> usize {
    jobs.iter().filter(|job| job.lane == Some(Lane::Batch) && job.was_asked() && !job.is_over()).count()
}

/// A lane's name for people.
pub(crate) fn lane_name(lane: Lane) -> &'static str {
    match lane {
        Lane::Batch => "batch",
        Lane::OnDemand => "on demand",
    }
}

/// `1 job`, `2 jobs`.
pub(crate) fn number(count: u64, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {what}{ending}", indicatif::HumanCount(count))
}

/// The rest of the stored items are counts of chunks and files that no job had.
fn begun(jobs: &[StoredJob]) -> impl Iterator<Item = &StoredJob> {
    jobs.iter().filter(|job| job.lane.is_some())
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
        let job_arn = (lane == Lane::Batch && status.is_some()).then(|| "arn".to_owned());
        StoredJob { index, round, lane: Some(lane), records, status, job_arn, ..StoredJob::default() }
    }

    fn two_jobs_of_230() -> PlanCounts {
        PlanCounts { jobs: 2, records: 230, ..PlanCounts::default() }
    }

    const DONE: Option<JobStatus> = Some(JobStatus::Completed);
    const RUNS: Option<JobStatus> = Some(JobStatus::InProgress);

    #[test]
    fn a_run_of_one_pass() {
        let jobs = [job(0, 0, Lane::Batch, 120, DONE), job(1, 0, Lane::Batch, 110, RUNS)];
        let standing = Standing::counted(&two_jobs_of_230(), &jobs);
        assert_eq!(standing.line(), "jobs: 2 submitted, 1 running, 1 done of 2; records: 120 of 230");
        assert_eq!(rounds(&jobs), ["round 1: 2 jobs of 230 records, batch: 1 done, 1 running"]);
        assert_eq!(open_jobs(&jobs), 1);
    }

    #[test]
    fn rows_that_are_asked_again_are_counted_apart() {
        let mut jobs = vec![job(0, 0, Lane::Batch, 120, DONE), job(1, 0, Lane::Batch, 110, DONE), StoredJob::default()];
        jobs.push(StoredJob { processed: Some(7), ..job(2, 1, Lane::OnDemand, 57, RUNS) });
        let line = Standing::counted(&two_jobs_of_230(), &jobs).line();
        assert_eq!(line, "jobs: 3 submitted, 1 running, 2 done of 3; records: 230 of 230; asked again: 7 of 57");
        assert_eq!(rounds(&jobs)[1], "round 2: 1 job of 57 records, on demand: 1 running");
        assert_eq!(open_jobs(&jobs), 0, "nothing at Bedrock is open");
    }

    #[test]
    fn rows_that_fell_back_are_counted_once() {
        let refused = |index, records| StoredJob {
            fell_back: Some("no batch for it".to_owned()),
            ..job(index, 0, Lane::Batch, records, None)
        };
        let mut jobs = vec![refused(0, 120), refused(1, 110)];
        let standing = Standing::counted(&two_jobs_of_230(), &jobs);
        assert_eq!(standing.line(), "jobs: 0 submitted, 0 running, 2 done of 2; records: 0 of 230");
        jobs.push(job(2, 0, Lane::OnDemand, 230, DONE));
        let standing = Standing::counted(&two_jobs_of_230(), &jobs);
        assert_eq!(standing.line(), "jobs: 1 submitted, 0 running, 3 done of 3; records: 230 of 230");
        let expected = "round 1: 2 jobs of 230 records, batch: 2 not taken in batch (no batch for it)";
        assert_eq!(rounds(&jobs), [expected, "round 1: 1 job of 230 records, on demand: 1 done"]);
    }
}
