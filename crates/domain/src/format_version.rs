//! The version of the form of what a run stores.

use serde::{Deserialize, Serialize};

/// Version of a stored form. It is counted up when the meaning of stored fields changes; new fields alone
/// do not change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct FormatVersion(u32);

impl FormatVersion {
    /// The version before versions were written: steps without a phase, tasks of joins told apart by booleans.
    pub const FIRST: Self = Self(1);
    /// The version that is written.
    pub const CURRENT: Self = Self(2);
}

/// What has no version was written by the first one.
impl Default for FormatVersion {
    fn default() -> Self {
        Self::FIRST
    }
}

/// A version that this program does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`version` is `{0}`: must be between 1 and {max}; deploy the version that wrote it", max = FormatVersion::CURRENT.0)]
pub struct UnknownVersion(u32);

impl TryFrom<u32> for FormatVersion {
    type Error = UnknownVersion;

    fn try_from(version: u32) -> Result<Self, UnknownVersion> {
        let known = Self::FIRST.0..=Self::CURRENT.0;
        if known.contains(&version) { Ok(Self(version)) } else { Err(UnknownVersion(version)) }
    }
}

impl From<FormatVersion> for u32 {
    fn from(version: FormatVersion) -> Self {
        version.0
    }
}
