//! Version of the format in which a run stores its data.

use serde::{Deserialize, Serialize};

/// Version of a stored format. It is incremented when the meaning of stored fields changes; additional fields alone do not
/// change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct FormatVersion(u32);

impl FormatVersion {
    /// The version before versions were written: steps without a phase, and join tasks distinguished by booleans.
    pub const FIRST: Self = Self(1);
    /// Version that is written.
    pub const CURRENT: Self = Self(2);
}

/// Data without a version was written by the first one.
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
