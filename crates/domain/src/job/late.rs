//! Jobs that Bedrock still reports as running although their timeout is over.

use super::JobStatus;

/// Seconds after the timeout of a job during which its end is only waited for. AWS documents no bound on the delay with which a
/// job is reported as `Expired` or `PartiallyCompleted`.
const STOP_AFTER_SECONDS: i64 = 3600;
/// Seconds after the stop of a late job was requested at which its run no longer waits for its end.
const GIVE_UP_AFTER_SECONDS: i64 = 3600;
/// Maximum timeout of a job that Bedrock accepts, for jobs of which it reports neither their timeout nor their expiration.
const MAX_TIMEOUT_SECONDS: i64 = 168 * 3600;

/// Action for a job that may be late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateAction {
    /// Wait for its end.
    Wait,
    /// Request its stop: its rows are then sent again, as those of any job that was stopped.
    Stop,
    /// Continue the run without its end.
    GiveUp,
}

/// Returns the action for a job that Bedrock reports as `seen`. Times are in seconds since 1970; `stop_requested_at` is the time
/// at which its stop was requested because it was late.
pub fn late_action(seen: JobStatus, expires_at: i64, stop_requested_at: Option<i64>, now: i64) -> LateAction {
    if seen.is_terminal() || now < expires_at.saturating_add(STOP_AFTER_SECONDS) {
        return LateAction::Wait;
    }
    // Counted from the request and not from the timeout: a run that was resumed days later gives the job its time to stop.
    match stop_requested_at {
        None => LateAction::Stop,
        Some(at) if now < at.saturating_add(GIVE_UP_AFTER_SECONDS) => LateAction::Wait,
        Some(_) => LateAction::GiveUp,
    }
}

/// Returns the time at which a job expires, in seconds since 1970: the one that Bedrock reports, or one that is not earlier.
pub fn expiry(submitted_at: i64, timeout_hours: Option<i32>, expires_at: Option<i64>) -> i64 {
    let timeout = timeout_hours.map_or(MAX_TIMEOUT_SECONDS, |hours| i64::from(hours) * 3600);
    expires_at.unwrap_or_else(|| submitted_at.saturating_add(timeout))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const HOUR: i64 = 3600;

    #[rstest]
    #[case::in_time(JobStatus::InProgress, None, -HOUR, LateAction::Wait)]
    #[case::only_just_late(JobStatus::InProgress, None, HOUR - 1, LateAction::Wait)]
    #[case::late(JobStatus::InProgress, None, HOUR, LateAction::Stop)]
    #[case::late_in_the_queue(JobStatus::Scheduled, None, HOUR, LateAction::Stop)]
    #[case::late_in_an_unknown_status(JobStatus::Unknown, None, HOUR, LateAction::Stop)]
    #[case::stopping(JobStatus::Stopping, Some(HOUR), 2 * HOUR - 1, LateAction::Wait)]
    #[case::does_not_stop(JobStatus::Stopping, Some(HOUR), 2 * HOUR, LateAction::GiveUp)]
    #[case::was_over_before(JobStatus::Completed, Some(HOUR), 9 * HOUR, LateAction::Wait)]
    #[case::of_a_run_that_was_resumed_days_later(JobStatus::InProgress, None, 99 * HOUR, LateAction::Stop)]
    fn a_late_job_is_stopped_and_then_given_up(
        #[case] seen: JobStatus,
        #[case] stop_requested_at: Option<i64>,
        #[case] now: i64,
        #[case] expected: LateAction,
    ) {
        assert_eq!(late_action(seen, 0, stop_requested_at, now), expected);
    }

    #[test]
    fn a_job_expires_when_bedrock_says_or_later() {
        assert_eq!(expiry(100, Some(24), Some(7)), 7);
        assert_eq!(expiry(100, Some(24), None), 100 + 24 * HOUR);
        assert_eq!(expiry(100, None, None), 100 + 168 * HOUR);
    }

    proptest! {
        #[test]
        fn no_job_is_given_up_without_a_stop_and_its_hour(
            expires_at in any::<i64>(), stop_requested_at in any::<Option<i64>>(), now in any::<i64>(),
        ) {
            if late_action(JobStatus::InProgress, expires_at, stop_requested_at, now) == LateAction::GiveUp {
                prop_assert!(stop_requested_at.is_some_and(|at| now.saturating_sub(at) >= HOUR));
                prop_assert!(now >= expires_at);
            }
        }
    }
}
