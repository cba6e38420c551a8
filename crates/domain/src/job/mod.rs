//! Jobs: their statuses at Bedrock, and the actions that follow from them.

mod attempt;
mod expected_lines;
mod failure;
mod late;
mod limits;
mod places;
mod quota_wait;
mod settle;
mod status;
mod tags;
mod unanswered;
mod unknown_failures;

pub use attempt::JobAttempt;
pub use expected_lines::expected_lines;
pub use failure::{FailureKind, classify_failure, is_job_quota, remedy};
pub use late::{LateAction, expiry, late_action};
pub use limits::JobLimits;
pub use places::{JobPlaces, MAX_PLACES, Occupied, TakenPlace};
pub use quota_wait::max_wait_seconds;
pub use settle::{Action, Stored, next_action};
pub use status::JobStatus;
pub use tags::{InvalidTags, JobTags, RUN_TAG};
pub use unanswered::unanswered;
pub use unknown_failures::{MAX_UNKNOWN_FAILURES, UnknownFailure};
