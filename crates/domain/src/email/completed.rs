//! The email of a pipeline or run that has completed.

use super::stage::{line, total_cost};
use super::{Email, FileLinks, LinksEnd, StageReport, Subject, figures};

/// A pipeline or run that has completed.
#[derive(Debug, Clone, PartialEq)]
pub struct Completed {
    /// What has.
    pub what: Subject,
    /// Its id.
    pub run_id: String,
    /// When it started.
    pub started: String,
    /// How long it took, in seconds; `None` where that is not known.
    pub seconds: Option<u64>,
    /// Its stages, in order; never empty. A run of its own is one without a name.
    pub stages: Vec<StageReport>,
    /// The files of the last stage.
    pub files: FileLinks,
    /// How long the links work.
    pub links_end: LinksEnd,
    /// The execution, in the console.
    pub console: String,
}

impl Completed {
    /// The email.
    pub fn email(&self) -> Email {
        let named = self.what.named();
        // A row that fails in one stage is counted in those after it too.
        let failed = self.stages.iter().map(|stage| stage.output.summary.failed).max().unwrap_or(0);
        let happened = match failed {
            0 => "has completed".to_owned(),
            rows => format!("has completed, {} without an answer", figures::number(rows, "row")),
        };
        let mut lines = vec![format!("{named} {happened}."), String::new()];
        if let Subject::Pipeline(_) = self.what {
            lines.push(line("run", &self.run_id));
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
