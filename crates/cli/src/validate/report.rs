//! Report of `validate`: all problems, one per line, or a list of what was checked and what could not be.

use crate::failure::Failure;
use crate::run_progress::quantity;
use crate::terminal::{errln, outln};
use bedrock_batch_domain::columns::Column;
use bedrock_batch_domain::printable;
use bedrock_batch_domain::problem::{Problem, listed};
use std::collections::BTreeSet;
use std::path::Path;

/// Fields of prompts and rules whose problems have lines of their own.
const FIELDS_OF_PROMPTS: [&str; 6] =
    ["template", "output_schema", "response_schema", "allowed_values", "expansion_rule", "prompts"];

/// Maximum number of characters of a problem or a note.
const MAX_LINE_CHARS: usize = 16_000;

/// Finding that is not a problem.
enum Note {
    Fact(String),
    /// Something that may not be meant, which is shown before a start too.
    Warning(String),
}

/// Findings, in the order in which they were made.
pub(super) struct Report {
    file: String,
    /// Kind of input that the file contains.
    pub(super) kind: String,
    problems: Vec<String>,
    notes: Vec<Note>,
    not_checked: Vec<String>,
}

impl Report {
    pub(super) fn new(file: &Path) -> Self {
        let not_checked = "objects in S3, and whether the account has access to the models".to_owned();
        Self {
            file: file.display().to_string(),
            kind: "an input".to_owned(),
            problems: Vec::new(),
            notes: Vec::new(),
            not_checked: vec![not_checked],
        }
    }

    pub(super) fn problem(&mut self, text: &str) {
        self.problems.push(one_line(text));
    }

    pub(super) fn problems(&mut self, problems: &[Problem]) {
        for problem in problems {
            self.problem(&problem.to_string());
        }
    }

    /// Adds the problems of an input that cannot be read. Several of them come as a list below a headline.
    pub(super) fn unreadable(&mut self, failure: &Failure) {
        let text = failure.to_string();
        match text.split_once("\n- ") {
            Some((_, listed)) => listed.split("\n- ").for_each(|problem| self.problem(problem)),
            None => self.problem(&text),
        }
    }

    /// Adds the problems of a template file, one per field. Parsers report theirs in several lines, with an excerpt of
    /// the file in between.
    pub(super) fn broken_template(&mut self, file: &Path, text: &str) {
        let mut problems: Vec<String> = Vec::new();
        let is_toml = text.starts_with("TOML parse error");
        for line in text.lines().filter(|line| !is_toml || !line.contains('|')) {
            let begins = FIELDS_OF_PROMPTS.iter().any(|field| line.starts_with(field));
            match problems.last_mut() {
                Some(before) if !begins => {
                    before.push_str(if is_toml { ": " } else { " " });
                    before.push_str(line.trim());
                }
                _ => problems.push(format!("{}: {}", file.display(), line.trim())),
            }
        }
        for problem in &problems {
            self.problem(problem);
        }
    }

    pub(super) fn note(&mut self, text: String) {
        self.notes.push(Note::Fact(text));
    }

    pub(super) fn warnings(&mut self, warnings: impl IntoIterator<Item = String>) {
        self.notes.extend(warnings.into_iter().map(Note::Warning));
    }

    /// Adds the prompts that `start` would send with the input.
    pub(super) fn prompts_sent(&mut self, ids: &BTreeSet<String>) {
        if !ids.is_empty() {
            let names: Vec<&str> = ids.iter().map(String::as_str).collect();
            let sent = listed(&names);
            self.note(format!("`start` with the same `--prompt-templates` sends the prompts {sent} with the input"));
        }
    }

    /// Adds the prompts that are not those of the folder, since the input has its own.
    pub(super) fn replaced<'a>(&mut self, ids: impl IntoIterator<Item = &'a String>) {
        let text = |id: &String| format!("the prompt `{id}` of the input differs from the stack's, and replaces it");
        self.warnings(ids.into_iter().map(text));
    }

    pub(super) fn not_checked(&mut self, text: &str) {
        self.not_checked.push(text.to_owned());
    }

    /// Adds the columns that `reader` reads, as far as they are known.
    pub(super) fn columns(&mut self, reader: &str, columns: Option<&[Column]>) {
        match columns {
            Some(columns) => {
                let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                self.note(format!("{reader} reads the columns {}", listed(&names)));
            }
            None => self.not_checked.push(format!(
                "whether the columns that {reader} needs exist: those of the input are not known (pass `--columns a,b,c` or \
                 `--input FILE`)"
            )),
        }
    }

    /// Adds what the number of rows of a local input means.
    pub(super) fn row_count(&mut self, found: Result<String, Problem>) {
        match found {
            Ok(note) => self.note(note),
            Err(problem) => self.problem(&problem.to_string()),
        }
    }

    /// Adds the columns that the run adds to those of the input.
    pub(super) fn added_columns(&mut self, names: &[String]) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.note(format!("the run adds the columns {}", listed(&names)));
    }

    /// Refuses an input with problems; of what is well, only warnings are shown.
    ///
    /// # Errors
    /// Returns an error with all problems if there are some.
    pub(super) fn refuse_problems(self) -> Result<(), Failure> {
        if self.problems.is_empty() {
            for note in &self.notes {
                if let Note::Warning(warning) = note {
                    errln!("warning: {warning}");
                }
            }
            return Ok(());
        }
        let count = quantity(self.problems.len() as u64, "problem");
        let remedy = "nothing was uploaded or started; `--unchecked` starts it nevertheless";
        Err(Failure::Usage(format!("{}\n{}: {count}; {remedy}", self.problems.join("\n"), self.file)))
    }

    /// Prints the report.
    ///
    /// # Errors
    /// Returns an error if there are problems.
    pub(super) fn finish(self) -> Result<(), Failure> {
        if !self.problems.is_empty() {
            for problem in &self.problems {
                outln!("{problem}");
            }
            let problems = quantity(self.problems.len() as u64, "problem");
            return Err(Failure::Failed(format!("{}: {problems}", self.file)));
        }
        outln!("{} contains {}: no problems", self.file, self.kind);
        outln!("checked: fields and values, prompts, models and their parameters");
        for note in &self.notes {
            match note {
                Note::Fact(text) => outln!("  {text}"),
                Note::Warning(text) => outln!("  warning: {text}"),
            }
        }
        outln!("not checked:");
        for item in &self.not_checked {
            outln!("  {item}");
        }
        Ok(())
    }
}

/// Returns the lines of a text as one, cut with a count: parsers quote what they read.
fn one_line(text: &str) -> String {
    let line = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    printable::shortened(&line, MAX_LINE_CHARS)
}
