//! The two ways to invoke a model.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Way in which rows are sent to a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// In a batch job: at half the price, but asynchronously.
    #[default]
    Batch,
    /// One request per record: immediately, at full price.
    OnDemand,
}

impl Lane {
    /// Returns its name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::OnDemand => "on_demand",
        }
    }

    /// Returns the lane with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Batch, Self::OnDemand].into_iter().find(|lane| lane.name() == name)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
