//! The two ways of asking a model.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How rows are asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Through a batch job: half the price, in its own time.
    #[default]
    Batch,
    /// One request a record, at once, at full price.
    OnDemand,
}

impl Lane {
    /// Its name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::OnDemand => "on_demand",
        }
    }

    /// The lane of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Batch, Self::OnDemand].into_iter().find(|lane| lane.name() == name)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
