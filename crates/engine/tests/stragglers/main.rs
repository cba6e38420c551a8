//! Functions that were given up and run nevertheless, against services that promise no more than AWS documents.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod ends_of_jobs;
mod items;
mod places;
mod services;
mod submissions;
mod takeovers;
mod use_cases;
mod whole_runs;
mod working_files;
