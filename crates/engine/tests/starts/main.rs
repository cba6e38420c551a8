//! Starts of runs, pipelines and uploads, with the AWS services they need in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod changed_inputs;
mod fake_aws;
mod link_flood;
mod names;
mod places;
#[allow(dead_code, reason = "it also serves other tests")]
#[path = "../s3_server/mod.rs"]
mod s3_server;
mod stack;
#[allow(dead_code, reason = "it also serves other tests")]
#[path = "../test_stack/mod.rs"]
mod test_stack;
mod uploads;
