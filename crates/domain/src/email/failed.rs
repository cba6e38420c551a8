//! Email about a failed pipeline or run.

use super::stage::line;
use super::{Email, FileLinks, LaterStage, LinksEnd, StageReport, Subject, figures, next_steps};

/// Maximum number of characters of a cause; the console shows the remainder.
const MAX_CAUSE_CHARS: usize = 8000;

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
    fn happened(self) -> &'static str {
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
    pub run_id: String,
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

/// Failed pipeline or run.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// Subject of the email.
    pub subject: Subject,
    /// Id of the run or pipeline run.
    pub run_id: String,
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
    pub(super) fn resumable_run(&self) -> Option<&str> {
        let run_id = match (&self.stage, &self.subject) {
            (Some(stage), _) => &stage.run_id,
            (None, Subject::Run(run_id)) => run_id,
            (None, Subject::Pipeline(_)) => return None,
        };
        self.resumable.then_some(run_id)
    }

    /// Composes the email.
    pub fn email(&self) -> Email {
        let named = self.subject.named();
        let happened = self.ending.happened();
        let error = if self.error.is_empty() { "none was named" } else { &self.error };
        let (place, at) = match &self.stage {
            Some(stage) => {
                let name = figures::shortened(&stage.stage_name);
                (format!(" in stage {name}"), format!("stage {name} ({} of {})", stage.number, stage.of))
            }
            None if matches!(self.subject, Subject::Pipeline(_)) => {
                let at = if self.done.is_empty() { "before the first stage" } else { "after the last stage" };
                (String::new(), at.to_owned())
            }
            None => (String::new(), String::new()),
        };
        let mut lines = vec![format!("{named} {happened}{place}."), String::new()];
        if !at.is_empty() {
            lines.push(line("where", &at));
        }
        lines.push(line("error", &figures::shortened(error)));
        if let Subject::Pipeline(_) = self.subject {
            lines.push(line("run", &self.run_id));
        }
        lines.push(line("started", &self.started));
        lines.push(line("ended", &self.seconds.map_or_else(|| "unknown".to_owned(), after)));
        lines.push(line("execution", &self.console));
        if let Some(stage) = &self.stage {
            lines.push(line("stage run", &stage.run_id));
            lines.push(line("", &stage.console));
        }
        lines.extend([String::new(), "CAUSE".to_owned(), cause(&self.cause)]);
        lines.extend([String::new(), "WHAT TO DO".to_owned()]);
        lines.extend(next_steps::lines(self));
        self.add_done(&mut lines);
        Email::new(&named, &format!("{happened}{place}"), &lines)
    }

    fn add_done(&self, lines: &mut Vec<String>) {
        for done in &self.done {
            lines.extend([String::new(), format!("COMPLETE BEFORE IT: {}", done.report.name())]);
            lines.extend(done.report.lines());
            lines.extend(done.files.lines(&done.report.output.output_prefix));
        }
        if let (Some(end), Some(last)) = (&self.links_end, self.done.last()) {
            lines.push(String::new());
            lines.extend(end.lines(&last.report.output.run_id));
        }
        if matches!(self.subject, Subject::Pipeline(_)) && self.done.is_empty() {
            lines.extend([String::new(), "No stage was complete before it.".to_owned()]);
        }
    }
}

fn after(seconds: u64) -> String {
    format!("after {}", figures::duration(seconds))
}

/// Formats the cause with every line indented.
fn cause(cause: &str) -> String {
    if cause.trim().is_empty() {
        return "  none was given".to_owned();
    }
    let shown: String = cause.chars().take(MAX_CAUSE_CHARS).collect();
    let mut lines: Vec<String> = shown.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect();
    if cause.chars().nth(MAX_CAUSE_CHARS).is_some() {
        lines.push("  … (the console has the rest)".to_owned());
    }
    lines.join("\n")
}
