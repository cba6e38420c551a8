//! Waits of the state machine for room at Bedrock, by which the functions know when a waiting run comes back.

/// Maximum seconds before the first retry. Each wait is a random part of its maximum.
pub const FIRST_SECONDS: u32 = 60;
/// Maximum of each further wait, in percent of the one before.
pub const BACKOFF_PERCENT: u32 = 150;
/// Maximum seconds of all waits.
pub const MAX_SECONDS: u32 = 900;
