//! Jobs: their statuses at Bedrock, and the actions that follow from them.

mod attempt;
mod expected_lines;
mod failure;
mod settle;
mod status;
mod tags;
mod unanswered;

pub use attempt::JobAttempt;
pub use expected_lines::expected_lines;
pub use failure::{FailureKind, classify_failure, remedy};
pub use settle::{Action, Stored, next_action};
pub use status::JobStatus;
pub use tags::{InvalidTags, JobTags, RUN_TAG};
pub use unanswered::unanswered;
