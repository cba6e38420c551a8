//! Plain-text emails: the totals of a run or pipeline, why it failed, or why an upload started nothing.

mod completed;
mod failed;
mod failure;
mod figures;
mod files;
mod letter;
mod next_steps;
mod not_started;
mod stage;

use crate::ids::RunId;

pub use completed::Completed;
pub use failure::{DoneStage, Ending, Failed, FailedStage, LaterStage};
pub use figures::duration;
pub use files::{FileLink, FileLinks, LinksEnd};
pub use letter::Email;
pub use not_started::NotStarted;
pub use stage::StageReport;

/// Subject of an email.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Pipeline, by its name.
    Pipeline(String),
    /// Standalone run, by its id.
    Run(RunId),
}

impl Subject {
    /// Returns `Pipeline clothing` or `Run tickets-1`.
    fn named(&self) -> String {
        match self {
            Self::Pipeline(name) => format!("Pipeline {}", figures::shortened(name)),
            Self::Run(run_id) => format!("Run {run_id}"),
        }
    }
}
