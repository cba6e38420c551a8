//! Facts about a pipeline or run that did not succeed.

use super::{FileLinks, LinksEnd, StageReport, Subject};
use crate::ids::RunId;

/// Outcome of an execution that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It failed with an error.
    Failed,
    /// It exceeded its time-out.
    TimedOut,
    /// It was stopped.
    Aborted,
}

impl Ending {
    /// End of the sentence that begins with the name of the execution.
    pub(super) fn happened(self) -> &'static str {
        match self {
            Self::Failed => "has failed",
            Self::TimedOut => "has timed out",
            Self::Aborted => "was stopped",
        }
    }
}

/// Failed stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedStage {
    /// Name of the stage.
    pub stage_name: String,
    /// Position of the stage, from 1.
    pub number: usize,
    /// Number of stages of the pipeline.
    pub of: usize,
    /// Id of its run.
    pub run_id: RunId,
    /// Link to its execution in the console.
    pub console: String,
}

/// Stage that was complete before the failure.
#[derive(Debug, Clone, PartialEq)]
pub struct DoneStage {
    /// Totals of the stage.
    pub report: StageReport,
    /// Files of the stage.
    pub files: FileLinks,
}

/// Stage that was never started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterStage {
    /// Name of the stage.
    pub stage_name: String,
    /// Planned name of its execution.
    pub execution_name: String,
    /// S3 address of its input.
    pub input_uri: String,
}

/// Failed pipeline or run.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// Subject of the email.
    pub subject: Subject,
    /// Id of the run or pipeline run.
    pub run_id: RunId,
    /// Outcome of the execution.
    pub ending: Ending,
    /// Failed stage; `None` for a standalone run, and for failures before the first stage or after the last one.
    pub stage: Option<FailedStage>,
    /// Name of the error; may be empty.
    pub error: String,
    /// Cause of the error; may be empty.
    pub cause: String,
    /// Time of the start.
    pub started: String,
    /// Duration in seconds; `None` if unknown.
    pub seconds: Option<u64>,
    /// Link to the execution in the console.
    pub console: String,
    /// Completed stages.
    pub done: Vec<DoneStage>,
    /// End of the validity of their links.
    pub links_end: Option<LinksEnd>,
    /// True if the failed stage or run had frozen its plan, so that it can be resumed.
    pub resumable: bool,
    /// Stages that were never started.
    pub later_stages: Vec<LaterStage>,
}

impl Failed {
    /// Returns the run to resume, if there is one.
    pub(super) fn resumable_run(&self) -> Option<&RunId> {
        let run_id = match (&self.stage, &self.subject) {
            (Some(stage), _) => &stage.run_id,
            (None, Subject::Run(run_id)) => run_id,
            (None, Subject::Pipeline(_)) => return None,
        };
        self.resumable.then_some(run_id)
    }
}
