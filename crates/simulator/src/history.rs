//! Numbers of the requests and inputs since the seed was set, so that chance needs neither names nor times.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts what chance decides about.
#[derive(Debug, Default)]
pub(crate) struct History {
    counters: Mutex<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    /// Folders of input, numbered in the order of the first request for each.
    folders: HashMap<String, usize>,
    /// Number of jobs created per input.
    jobs: HashMap<String, u32>,
    /// Number of times each request was sent.
    attempts: HashMap<u64, u32>,
}

impl History {
    /// Returns the identity of an input: the number of its folder and the name within that folder.
    ///
    /// Folders are numbered because their names often hold a time or a random number.
    pub(crate) fn input(&self, uri: &str) -> String {
        self.lock().input(uri)
    }

    /// Counts a new job over an input and returns its identity: that of the input, and its number among the jobs that
    /// were created over the same input.
    pub(crate) fn new_job(&self, uri: &str) -> String {
        let mut counters = self.lock();
        let number = count(counters.jobs.entry(uri.to_owned()).or_default());
        format!("{}#{number}", counters.input(uri))
    }

    /// Counts a request and returns its number among equal ones, from 1: a repeated request gets a decision of its own.
    pub(crate) fn attempt(&self, request: u64) -> u32 {
        count(self.lock().attempts.entry(request).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counters {
    fn input(&mut self, uri: &str) -> String {
        let (folder, name) = uri.trim_end_matches('/').rsplit_once('/').unwrap_or(("", uri));
        let next = self.folders.len() + 1;
        let number = *self.folders.entry(folder.to_owned()).or_insert(next);
        format!("{number}/{name}")
    }
}

fn count(counter: &mut u32) -> u32 {
    *counter = counter.saturating_add(1);
    *counter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_named_by_the_number_of_their_folder_and_their_own_name() {
        let history = History::default();
        assert_eq!(history.input("s3://bucket/run-20260102T0304/0007.jsonl"), "1/0007.jsonl");
        assert_eq!(history.input("s3://bucket/run-20260102T0305/0007.jsonl"), "2/0007.jsonl");
        assert_eq!(history.input("s3://bucket/run-20260102T0304/0001.jsonl"), "1/0001.jsonl");
        assert_eq!(history.input("s3://bucket/folder/"), "3/folder");
        assert_eq!(history.input(""), "4/");
    }

    #[test]
    fn jobs_with_the_same_input_are_distinguished_by_their_number() {
        let history = History::default();
        assert_eq!(history.new_job("s3://bucket/a/0.jsonl"), "1/0.jsonl#1");
        assert_eq!(history.new_job("s3://bucket/a/1.jsonl"), "1/1.jsonl#1");
        assert_eq!(history.new_job("s3://bucket/a/0.jsonl"), "1/0.jsonl#2");
    }

    #[test]
    fn attempts_are_counted_per_request() {
        let history = History::default();
        assert_eq!([history.attempt(5), history.attempt(6), history.attempt(5)], [1, 1, 2]);
    }
}
