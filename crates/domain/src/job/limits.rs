//! Number of concurrent batch jobs of a run.

/// Maximum number of concurrent jobs of a run whose quota is not known: the smallest one that AWS is known to have given.
const DEFAULT_CONCURRENT_JOBS: u32 = 10;

/// Settings of a stack for its batch jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobLimits {
    /// Maximum number of concurrent jobs per run; if not set, as many as the quota allows.
    pub per_run: Option<u32>,
    /// Maximum number of jobs of a model that all runs together have at Bedrock; if not set, the quota of the account.
    pub quota: Option<u32>,
}

impl JobLimits {
    /// Returns the number of jobs of a model that all runs together may have at Bedrock, where `of_account` is the quota that AWS
    /// reports for the model; `None` if it is not known.
    pub fn shared(&self, of_account: Option<u32>) -> Option<u32> {
        self.quota.or(of_account)
    }

    /// Returns the maximum number of concurrent jobs of a run; at least one.
    pub fn concurrent_jobs(&self, of_account: Option<u32>) -> u32 {
        let jobs = match (self.per_run, self.shared(of_account)) {
            (Some(per_run), Some(shared)) => per_run.min(shared),
            (Some(jobs), None) | (None, Some(jobs)) => jobs,
            (None, None) => DEFAULT_CONCURRENT_JOBS,
        };
        jobs.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing_is_known(None, None, None, 10, None)]
    #[case::the_quota_of_the_account(None, None, Some(100), 100, Some(100))]
    #[case::a_limit_per_run(Some(5), None, Some(100), 5, Some(100))]
    #[case::a_limit_per_run_above_the_quota(Some(500), None, Some(100), 100, Some(100))]
    #[case::a_limit_per_run_alone(Some(20), None, None, 20, None)]
    #[case::a_quota_of_the_stack(None, Some(30), Some(100), 30, Some(30))]
    #[case::both_settings(Some(5), Some(30), None, 5, Some(30))]
    #[case::no_job_at_all(None, None, Some(0), 1, Some(0))]
    fn a_run_has_as_many_jobs_as_settings_and_quota_allow(
        #[case] per_run: Option<u32>,
        #[case] quota: Option<u32>,
        #[case] of_account: Option<u32>,
        #[case] jobs: u32,
        #[case] shared: Option<u32>,
    ) {
        let limits = JobLimits { per_run, quota };
        assert_eq!((limits.concurrent_jobs(of_account), limits.shared(of_account)), (jobs, shared));
    }
}
