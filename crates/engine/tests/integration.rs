//! Tests of this crate from outside, in one program: each program takes seconds to link with all clients and formats.
//! Programs of their own have tests that measure the memory of their process, and models of several files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers_of_other_shapes;
mod broken_streams;
mod classifier;
mod contract;
mod copies_of_answers;
mod csv_troubles;
mod datasets_of_the_hub;
mod duplicates;
mod generated_prompts_in_s3;
mod hub_server;
#[path = "hung_calls/main.rs"]
mod hung_calls;
mod images_from_s3;
mod invoke_aws;
mod invoke_on_demand;
mod late_answers;
mod parquet_troubles;
mod postprocess_core;
mod preprocess_core;
mod references_from_s3;
mod response_models;
mod rows_per_request;
mod s3_server;
mod shipped_files;
#[path = "invoke_aws/signature.rs"]
mod signature;
mod sinks_keep_their_promises;
mod small_run;
#[path = "starts/main.rs"]
mod starts;
mod test_stack;
mod validate_pipeline;
mod version_1;
mod ways_to_read_lists;
