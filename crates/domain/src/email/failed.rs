//! The email of a pipeline or run that has failed.

use super::stage::line;
use super::{Email, FileLinks, LaterStage, LinksEnd, StageReport, Subject, figures, next_steps};

/// The most characters of a cause; the console has the rest.
const LONGEST_CAUSE: usize = 8000;

/// How an execution ended that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With an error.
    Failed,
    /// Nothing was heard for too long.
    TimedOut,
    /// Somebody stopped it.
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

/// The stage that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedStage {
    /// Its name.
    pub stage_name: String,
    /// Its position, from 1.
    pub number: usize,
    /// How many stages there are.
    pub of: usize,
    /// Its run.
    pub run_id: String,
    /// Its execution, in the console.
    pub console: String,
}

/// A stage that was complete before.
#[derive(Debug, Clone, PartialEq)]
pub struct DoneStage {
    /// What it came to.
    pub report: StageReport,
    /// Its files.
    pub files: FileLinks,
}

/// A pipeline or run that has failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// What has.
    pub what: Subject,
    /// Its id.
    pub run_id: String,
    /// How it ended.
    pub ending: Ending,
    /// The stage that failed; none for a run of its own, before the first stage, or after the last one.
    pub stage: Option<FailedStage>,
    /// The error's name; may be empty.
    pub error: String,
    /// What it says; may be empty.
    pub cause: String,
    /// When it started.
    pub started: String,
    /// How long it took, in seconds; `None` where that is not known.
    pub seconds: Option<u64>,
    /// The execution, in the console.
    pub console: String,
    /// Stages that are complete.
    pub done: Vec<DoneStage>,
    /// How long their links work.
    pub links_end: Option<LinksEnd>,
    /// Whether the stage (or run) that failed had frozen its plan: then it can be gone on with.
    pub resumable: bool,
    /// Stages that were never begun.
    pub later_stages: Vec<LaterStage>,
}

impl Failed {
    /// The run to go on with, if there is one.
    pub(super) fn resumable_run(&self) -> Option<&str> {
        let run_id = match (&self.stage, &self.what) {
            (Some(stage), _) => &stage.run_id,
            (None, Subject::Run(run_id)) => run_id,
            (None, Subject::Pipeline(_)) => return None,
        };
        self.resumable.then_some(run_id)
    }

    /// The email.
    pub fn email(&self) -> Email {
        let named = self.what.named();
        let happened = self.ending.happened();
        let error = if self.error.is_empty() { "none was named" } else { &self.error };
        let (place, at) = match &self.stage {
            Some(stage) => {
                let name = figures::shortened(&stage.stage_name);
                (format!(" in stage {name}"), format!("stage {name} ({} of {})", stage.number, stage.of))
            }
            None if matches!(self.what, Subject::Pipeline(_)) => {
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
        if let Subject::Pipeline(_) = self.what {
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
        if matches!(self.what, Subject::Pipeline(_)) && self.done.is_empty() {
            lines.extend([String::new(), "No stage was complete before it.".to_owned()]);
        }
    }
}

fn after(seconds: u64) -> String {
    format!("after {}", figures::duration(seconds))
}

/// The cause, indented line by line.
fn cause(cause: &str) -> String {
    if cause.trim().is_empty() {
        return "  none was given".to_owned();
    }
    let shown: String = cause.chars().take(LONGEST_CAUSE).collect();
    let mut lines: Vec<String> = shown.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect();
    if cause.chars().nth(LONGEST_CAUSE).is_some() {
        lines.push("  … (the console has the rest)".to_owned());
    }
    lines.join("\n")
}
