//! The use cases of a run: domain rules + AWS clients → effects. One module per Lambda function, and the modules that they
//! build on.
//!
//! [`preprocess`] → [`submit`] → [`settle`] → [`postprocess`] → [`finalize`], in the order of a run;
//! [`trigger`] before it, [`notify`] and [`download`] after it. Below them:
//! [`rows`] (CSV and Parquet as streams of Arrow batches), [`images`] (listings of images, and their bytes), [`objects`] (S3
//! as streams of bytes) and [`job_table`] (DynamoDB). The cores of preprocess and postprocess know neither S3 nor async:
//! they read and write through `std::io`, on a blocking thread, so that they can be measured and tested on files.

mod bedrock_jobs;
pub mod classifier;
pub mod config_object;
pub mod continue_run;
pub mod copies;
pub mod deployment;
pub mod download;
pub mod error;
pub mod finalize;
mod freed_memory;
pub mod hub;
pub mod images;
pub mod invoke;
pub mod job_table;
pub mod link_keys;
pub mod mailer;
pub mod metrics;
pub mod model_lookup;
pub mod model_overrides;
mod name_claim;
pub mod next_step;
pub mod notify;
pub mod objects;
pub mod postprocess;
pub mod preprocess;
mod prompt_objects;
pub mod reconcile;
mod records;
pub mod rows;
pub mod settle;
pub mod stop;
pub mod submit;
mod sweep;
pub mod templates;
mod time;
mod timed_step;
pub mod trigger;
pub mod validate;
pub mod working_files;

pub use error::{AwsFailure, EngineError, ErrorKind};
pub use freed_memory::keep_freed_memory;
pub use sweep::SweepTime;
pub use timed_step::TimedStep;
