//! Email about a completed pipeline or run.

use super::stage::{line, total_cost};
use super::{Email, FileLinks, LinksEnd, StageReport, Subject, figures};
use crate::ids::RunId;

/// Completed pipeline or run.
#[derive(Debug, Clone, PartialEq)]
pub struct Completed {
    /// Subject of the email.
    pub subject: Subject,
    /// Id of the run or pipeline run.
    pub run_id: RunId,
    /// Time of the start.
    pub started: String,
    /// Duration in seconds; `None` if unknown.
    pub seconds: Option<u64>,
    /// Stages, in order; never empty. A standalone run is a single stage without a name.
    pub stages: Vec<StageReport>,
    /// Files of the last stage.
    pub files: FileLinks,
    /// End of the links' validity.
    pub links_end: LinksEnd,
    /// Link to the execution in the console.
    pub console: String,
}

impl Completed {
    /// Composes the email.
    pub fn email(&self) -> Email {
        let named = self.subject.named();
        // A row that fails in one stage is counted as failed in all later ones too.
        let failed = self.stages.iter().map(|stage| stage.output.summary.failed).max().unwrap_or(0);
        let unanswered = self.stages.iter().map(|stage| &stage.output.summary).find(|summary| summary.has_no_answer());
        let happened = match (failed, unanswered) {
            (0, _) => "has completed".to_owned(),
            (_, Some(_)) => "has completed without any answer".to_owned(),
            (rows, None) => format!("has completed, {} without an answer", figures::number(rows, "row")),
        };
        // The subject has no room for the reason: the name would be cut off.
        let reason = unanswered.and_then(|summary| figures::reasons(&summary.failed_reasons).into_iter().next());
        let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        let mut lines = vec![format!("{named} {happened}{reason}."), String::new()];
        if let Subject::Pipeline(_) = self.subject {
            lines.push(line("run", self.run_id.as_str()));
        }
        lines.push(line("started", &self.started));
        lines.push(line("took", &self.seconds.map_or_else(|| "unknown".to_owned(), figures::duration)));
        lines.push(line("cost", &total_cost(&self.stages)));
        lines.push(line("execution", &self.console));
        if let Some(last) = self.stages.last() {
            lines.extend([String::new(), "FILES".to_owned()]);
            lines.extend(self.files.lines(&last.output.output_prefix));
            lines.push(String::new());
            lines.extend(self.links_end.lines(&last.output.run_id));
        }
        for (at, stage) in self.stages.iter().enumerate() {
            let title = match &stage.stage_name {
                Some(_) => format!("STAGE {} OF {}: {}", at + 1, self.stages.len(), stage.name()),
                None => "TOTALS".to_owned(),
            };
            lines.extend([String::new(), title]);
            lines.extend(stage.lines());
        }
        Email::new(&named, &happened, &lines)
    }
}
