//! Starts of runs, pipelines and uploads, with the AWS services they need in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod changed_inputs;
mod fake_aws;
mod link_flood;
mod names;
mod places;
#[allow(dead_code, reason = "it also stands in for what other tests ask")]
#[path = "../s3_server/mod.rs"]
mod s3_server;
mod stack;
mod uploads;
