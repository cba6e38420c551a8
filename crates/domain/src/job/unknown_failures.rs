//! Failures of jobs whose message is not known: one of them may be an accident, several alike are the cause of all.

use crate::ids::JobName;
use crate::short_hash::digest;
use std::collections::BTreeSet;

/// Number of jobs of a run that fail with the same unknown message at which the run ends.
const MAX_ALIKE: usize = 3;
/// Number of jobs of a run that fail with any unknown messages at which the run ends. It also limits what is stored of them.
pub const MAX_UNKNOWN_FAILURES: usize = 20;

/// Number of characters of a message that are compared.
const COMPARED_CHARS: usize = 300;
/// Number of hex digits of the hash of a message.
const HASH_DIGITS: usize = 16;

/// Failure of a job with an unknown message, as it is stored among those of its run. Stored twice, it is the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownFailure(String);

impl UnknownFailure {
    /// Creates the failure of `job` with this message.
    pub fn new(job: &JobName, message: &str) -> Self {
        let hash = digest(&[&common_part(message)]);
        Self(format!("{}/{job}", hash.get(..HASH_DIGITS).unwrap_or(&hash)))
    }

    /// Returns its stored form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the number of failures among those `stored` for the run that end it together with this one, or `None` if its rows
    /// are sent again.
    pub fn ends_run(&self, stored: &BTreeSet<String>) -> Option<usize> {
        let message = |failure: &str| failure.split_once('/').map(|(hash, _)| hash.to_owned());
        let own = message(&self.0);
        let is_new = usize::from(!stored.contains(&self.0));
        let alike = is_new + stored.iter().filter(|other| message(other) == own).count();
        let all = is_new + stored.len();
        if alike >= MAX_ALIKE {
            return Some(alike);
        }
        (all >= MAX_UNKNOWN_FAILURES).then_some(all)
    }
}

/// Returns the part of a message that messages about different jobs have in common: without names, addresses, ids and numbers.
fn common_part(message: &str) -> String {
    let start: String = message.chars().take(COMPARED_CHARS).collect();
    let is_particular = |word: &str| word.contains(|c: char| c.is_ascii_digit() || "/\\:_=\"'`".contains(c));
    let words = start.split_whitespace().map(|word| {
        let word = word.trim_matches(|c: char| ".,;:()[]\"'`".contains(c));
        if is_particular(word) { "#".to_owned() } else { word.to_lowercase() }
    });
    words.collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn failure(job: usize, message: &str) -> UnknownFailure {
        UnknownFailure::new(&format!("job-{job:04}").parse().unwrap(), message)
    }

    /// Returns the number of failures with these messages after which the run ends.
    fn ends_after(messages: impl IntoIterator<Item = String>) -> Option<usize> {
        let mut stored = BTreeSet::new();
        for (job, message) in messages.into_iter().enumerate() {
            let failure = failure(job, &message);
            if failure.ends_run(&stored).is_some() {
                return Some(job + 1);
            }
            stored.insert(failure.as_str().to_owned());
        }
        None
    }

    #[test]
    fn three_failures_alike_end_a_run() {
        let alike = |number: usize| {
            format!("The gasket of job p-{number:04}-x (request 7f3a-{number}) blew at s3://b/{number}.")
        };
        assert_eq!(ends_after((0..9).map(alike)), Some(3));
        let words = ["one", "two", "three", "four", "five", "six", "seven"];
        assert_eq!(ends_after(words.map(|word| format!("The {word} blew."))), None);
    }

    #[test]
    fn many_different_failures_end_a_run_too() {
        let different = |number: usize| format!("It was {}.", "very ".repeat(number));
        assert_eq!(ends_after((0..99).map(different)), Some(MAX_UNKNOWN_FAILURES));
    }

    #[test]
    fn a_failure_that_is_seen_twice_counts_once() {
        let seen = failure(0, "It blew.");
        let stored = BTreeSet::from([seen.as_str().to_owned(), failure(1, "It blew.").as_str().to_owned()]);
        assert_eq!(seen.ends_run(&stored), None);
        assert_eq!(failure(2, "It blew.").ends_run(&stored), Some(3));
    }

    proptest! {
        #[test]
        fn any_message_is_stored_in_a_few_bytes(message in any::<String>()) {
            let failure = failure(7, &message);
            prop_assert_eq!(failure.as_str().len(), HASH_DIGITS + "/job-0007".len());
            prop_assert_eq!(failure.ends_run(&BTreeSet::new()), None);
        }
    }
}
