//! Number of lines that the output of a job should have.

use super::JobStatus;

/// Returns the number of lines that the output of a batch job must have, from the number of its records and the number that
/// Bedrock counts as processed. `None` if that is not known: of a job that ended early, Bedrock need not report it.
pub fn expected_lines(status: Option<JobStatus>, records: u64, processed: Option<u64>) -> Option<u64> {
    match status? {
        JobStatus::Completed => Some(records),
        status if status.is_terminal() => processed.map(|processed| processed.min(records)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Some(JobStatus::Completed), None, Some(120))]
    #[case(Some(JobStatus::Completed), Some(7), Some(120))]
    #[case(Some(JobStatus::PartiallyCompleted), Some(80), Some(80))]
    #[case(Some(JobStatus::Stopped), Some(500), Some(120))]
    #[case(Some(JobStatus::Stopped), None, None)]
    #[case(Some(JobStatus::Expired), Some(0), Some(0))]
    #[case(Some(JobStatus::Stopping), Some(80), None)]
    #[case(None, Some(80), None)]
    fn a_job_that_is_over_has_a_line_for_each_processed_record(
        #[case] status: Option<JobStatus>,
        #[case] processed: Option<u64>,
        #[case] expected: Option<u64>,
    ) {
        assert_eq!(expected_lines(status, 120, processed), expected);
    }
}
