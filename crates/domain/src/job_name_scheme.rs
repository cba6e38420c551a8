//! Schemes by which a run names its jobs.

use serde::{Deserialize, Serialize};

/// Scheme by which a run names its jobs, frozen in its plan: all steps of a run compute the same names, whatever version
/// performs them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobNameScheme {
    /// A hash of 32 bits. Plans of versions that do not state a scheme have it. Of 9,000 runs of 100 jobs under one prefix,
    /// two jobs share a name with a probability of 61 %.
    #[default]
    ShortHash,
    /// A hash that fills the length that Bedrock allows, up to 128 bits: 87 with the longest prefix, and never fewer than 56.
    LongHash,
}

impl JobNameScheme {
    /// Scheme of new runs.
    pub const CURRENT: Self = Self::LongHash;

    /// Returns true for the scheme of plans that do not state one.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
