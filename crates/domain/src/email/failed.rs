//! Email about a failed pipeline or run.

use super::stage::line;
use super::{Email, Failed, Subject, figures, next_steps};
use crate::printable;

/// Maximum number of characters of a cause; the console shows the remainder.
const MAX_CAUSE_CHARS: usize = 8000;

impl Failed {
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
            lines.push(line("run", self.run_id.as_str()));
        }
        lines.push(line("started", &self.started));
        lines.push(line("ended", &self.seconds.map_or_else(|| "unknown".to_owned(), after)));
        lines.push(line("execution", &self.console));
        if let Some(stage) = &self.stage {
            lines.push(line("stage run", stage.run_id.as_str()));
            lines.push(line("", &stage.console));
        }
        lines.extend([String::new(), "CAUSE".to_owned()]);
        lines.extend(cause(&self.cause));
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

/// Formats the cause with every line quoted: a line of it that reads like a part of this email is not taken for one.
fn cause(cause: &str) -> Vec<String> {
    if cause.trim().is_empty() {
        return vec!["  none was given".to_owned()];
    }
    let mut chars = cause.chars();
    let shown: String = chars.by_ref().take(MAX_CAUSE_CHARS).collect();
    let mut lines: Vec<String> =
        printable::lines(&shown).map(|line| format!("  | {line}").trim_end().to_owned()).collect();
    let cut = chars.count();
    if cut > 0 {
        lines.push(format!("  … (the console has the other {})", figures::number(cut as u64, "character")));
    }
    lines
}
