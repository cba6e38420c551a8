//! One issue.

use crate::printable;
use std::fmt;

/// Maximum number of characters of a text that an issue quotes.
const MAX_QUOTED_CHARS: usize = 60;

/// Maximum number of names that an issue lists.
const MAX_NAMES: usize = 3;

/// Weight of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// The model gets little to decide by.
    Thin,
    /// Two readings are possible.
    Ambiguous,
    /// Two statements cannot both hold.
    Contradictory,
}

impl Severity {
    pub(super) fn weight(self) -> f64 {
        match self {
            Self::Thin => 0.1,
            Self::Ambiguous => 0.2,
            Self::Contradictory => 0.5,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Thin => "thin",
            Self::Ambiguous => "ambiguous",
            Self::Contradictory => "contradictory",
        }
    }
}

/// Issue of a component: its place, what is to be seen there, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issue {
    pub(super) severity: Severity,
    pub(super) path: String,
    pub(super) finding: String,
    pub(super) remedy: String,
}

impl Issue {
    pub(super) fn new(severity: Severity, path: impl Into<String>, finding: impl Into<String>, remedy: &str) -> Self {
        Self { severity, path: path.into(), finding: finding.into(), remedy: remedy.to_owned() }
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}; {}", self.severity.name(), self.path, self.finding, self.remedy)
    }
}

/// Returns a text for an issue: on one line, shortened.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", printable::shortened(text, MAX_QUOTED_CHARS))
}

/// Returns the first names of `names` for an issue, and that there are others.
pub(super) fn few<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    let first: Vec<String> = names.by_ref().take(MAX_NAMES).map(quoted).collect();
    let others = if names.next().is_some() { " and others" } else { "" };
    format!("{}{others}", first.join(", "))
}
