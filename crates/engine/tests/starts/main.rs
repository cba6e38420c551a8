//! Starts of runs, pipelines and uploads, with the AWS services they need in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::s3_server;
use crate::test_stack;

mod changed_inputs;
mod fake_aws;
mod link_flood;
mod models;
mod names;
mod places;
mod prompts_of_rows;
mod stack;
mod tables_of_files;
mod uploads;
