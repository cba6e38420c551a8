//! Reasons of rows for which a job returned nothing.

use super::JobStatus;
use crate::lane::Lane;
use crate::row_error::{RowError, RowErrorCode};

/// Returns the reason of rows for which a job of this lane, now in this status, returned nothing; `message` is Bedrock's.
pub fn unanswered(lane: Lane, status: JobStatus, message: Option<&str>) -> RowError {
    let code = match (lane, status) {
        (_, JobStatus::Completed) => RowErrorCode::NoAnswer,
        (Lane::OnDemand, _) => RowErrorCode::NotAskedRunEnded,
        (Lane::Batch, JobStatus::Failed) => RowErrorCode::JobFailed,
        (Lane::Batch, JobStatus::Stopped) => RowErrorCode::JobStopped,
        (Lane::Batch, JobStatus::Expired) => RowErrorCode::JobExpired,
        (Lane::Batch, JobStatus::PartiallyCompleted) => RowErrorCode::JobPartiallyCompleted,
        (
            Lane::Batch,
            JobStatus::Submitted
            | JobStatus::Validating
            | JobStatus::Scheduled
            | JobStatus::InProgress
            | JobStatus::Stopping
            | JobStatus::Unknown,
        ) => RowErrorCode::JobUnfinished,
    };
    let detail = message.filter(|_| status == JobStatus::Failed).unwrap_or_default();
    let error = RowError::new(code, detail);
    match code {
        RowErrorCode::NoAnswer | RowErrorCode::NotAskedRunEnded => error,
        _ => error.qualified(status.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Lane::Batch, JobStatus::Completed, RowErrorCode::NoAnswer, "no answer in the job's output")]
    #[case(Lane::Batch, JobStatus::Failed, RowErrorCode::JobFailed, "no answer: the job ended as Failed: why")]
    #[case(Lane::Batch, JobStatus::Expired, RowErrorCode::JobExpired, "no answer: the job ended as Expired")]
    #[case(Lane::Batch, JobStatus::InProgress, RowErrorCode::JobUnfinished, "no answer: the job ended as InProgress")]
    #[case(Lane::OnDemand, JobStatus::Unknown, RowErrorCode::NotAskedRunEnded, "not asked: the run ended before")]
    #[case(Lane::OnDemand, JobStatus::Failed, RowErrorCode::NotAskedRunEnded, "not asked: the run ended before: why")]
    fn rows_without_an_answer_say_how_their_job_ended(
        #[case] lane: Lane,
        #[case] status: JobStatus,
        #[case] code: RowErrorCode,
        #[case] text: &str,
    ) {
        let error = unanswered(lane, status, Some("why"));
        assert_eq!((error.reason.code, error.to_string().as_str()), (code, text));
    }
}
