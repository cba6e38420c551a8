//! Fates of records under the configured misbehaviour.

use crate::behaviour::Behaviour;
use crate::chance::{happens, number, share};
use crate::families::prompt::Refusal;

/// An error of a record, as the output shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordError {
    pub(super) code: u16,
    pub(super) message: String,
    pub(super) retryable: bool,
}

impl From<Refusal> for RecordError {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code, message: refusal.message, retryable: false }
    }
}

/// Returns the error that this record gets regardless of its content.
pub(super) fn error(behaviour: &Behaviour, job: &str, record: &str) -> Option<RecordError> {
    let (rate, permanent_share) = (behaviour.record_error_rate, behaviour.record_error_permanent_share);
    let seed = behaviour.seed;
    // Without the job, so that the record fails in the next one too.
    if happens(rate * permanent_share, seed, &["permanent record error", record]) {
        let message = "The simulator is set to refuse this record permanently.".to_owned();
        return Some(RecordError { code: 400, message, retryable: false });
    }
    if happens(rate * (1.0 - permanent_share), seed, &["record error", job, record]) {
        let throttled = number(seed, &["which record error", job, record]).is_multiple_of(2);
        let (code, message) = if throttled {
            (429, "Too many requests, please wait before trying again.")
        } else {
            (500, "The system encountered an unexpected error during processing. Try your request again.")
        };
        return Some(RecordError { code, message: message.to_owned(), retryable: true });
    }
    None
}

/// The records that a job does not process, if it is one that ends partially completed.
pub(super) struct Missing<'a> {
    seed: u64,
    job: &'a str,
    share: f64,
}

impl<'a> Missing<'a> {
    /// Returns `None` for a job that processes all of them.
    pub(super) fn of(behaviour: &Behaviour, job: &'a str) -> Option<Self> {
        let seed = behaviour.seed;
        let partial = happens(behaviour.partial_rate, seed, &["partial", job]);
        partial.then(|| Self { seed, job, share: 0.1 + 0.4 * share(seed, &["missing share", job]) })
    }

    pub(super) fn has(&self, record: &str) -> bool {
        happens(self.share, self.seed, &["missing", self.job, record])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behaviour(rate: f64, permanent_share: f64) -> Behaviour {
        Behaviour { record_error_rate: rate, record_error_permanent_share: permanent_share, ..Behaviour::default() }
    }

    fn errors(behaviour: &Behaviour, job: &str) -> Vec<Option<RecordError>> {
        (0..2_000).map(|record| error(behaviour, job, &record.to_string())).collect()
    }

    #[test]
    fn permanent_errors_come_again_in_the_next_job_and_others_need_not() {
        let set = behaviour(0.2, 0.5);
        let (first, second) = (errors(&set, "job-1"), errors(&set, "job-2"));
        let lasting = |errors: &[Option<RecordError>]| -> Vec<usize> {
            let is = |error: &Option<RecordError>| error.as_ref().is_some_and(|error| !error.retryable);
            errors.iter().enumerate().filter(|(_, error)| is(error)).map(|(index, _)| index).collect()
        };
        assert_eq!(lasting(&first), lasting(&second));
        assert_ne!(first, second);
        let count = first.iter().flatten().count();
        assert!((320..480).contains(&count), "{count}");
        assert_eq!(first, errors(&set, "job-1"));
    }

    #[test]
    fn a_partial_job_misses_some_and_not_all() {
        assert!(Missing::of(&Behaviour::default(), "job").is_none());
        let set = Behaviour { partial_rate: 1.0, ..Behaviour::default() };
        let missing = Missing::of(&set, "job").unwrap();
        let count = (0..1_000).filter(|record| missing.has(&record.to_string())).count();
        assert!((50..600).contains(&count), "{count}");
    }
}
