//! Order of the attempts to submit a job.

use std::fmt;

/// Attempt of a state machine to submit a job. Later attempts are greater: the state machine waits for the token of the latest
/// one, and an earlier one that is still running must change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobAttempt {
    /// Epoch of the execution that owns the run. It grows with each new owner.
    pub epoch: u64,
    /// Number of times that the execution was redriven. A redriven state counts its retries from 0 again.
    pub redrive: u32,
    /// Number of the retry of the state, 0 for its first attempt.
    pub retry: u32,
}

/// Text that sorts as the attempts do, for conditions of DynamoDB.
impl fmt::Display for JobAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}/{:010}/{:010}", self.epoch, self.redrive, self.retry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attempts() -> impl Strategy<Value = JobAttempt> {
        let number = || prop_oneof![0u32..12, any::<u32>()];
        let epoch = prop_oneof![0u64..12, any::<u64>()];
        (epoch, number(), number()).prop_map(|(epoch, redrive, retry)| JobAttempt { epoch, redrive, retry })
    }

    proptest! {
        #[test]
        fn texts_sort_as_attempts_do(one in attempts(), other in attempts()) {
            prop_assert_eq!(one.to_string().cmp(&other.to_string()), one.cmp(&other));
        }
    }

    #[test]
    fn a_new_owner_then_a_redrive_then_a_retry_is_later() {
        let attempt = |epoch, redrive, retry| JobAttempt { epoch, redrive, retry };
        let order = [attempt(1, 0, 0), attempt(1, 0, 7), attempt(1, 1, 0), attempt(2, 0, 0)];
        assert!(order.is_sorted_by(|one, next| one < next));
    }
}
