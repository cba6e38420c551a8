//! Jobs: their states at Bedrock, and what to do when one is seen.

mod failure;
mod settle;
mod status;
mod unanswered;

pub use failure::{FailureKind, classify_failure, remedy};
pub use settle::{Action, Stored, next_action};
pub use status::JobStatus;
pub use unanswered::unanswered;
