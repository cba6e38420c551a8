//! Kinds of text that are tables.

/// Kind of text that a file is expected to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rows) enum TextKind {
    Csv,
    JsonLines,
}

impl TextKind {
    /// Returns the kind as part of a sentence: "is not …".
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Csv => "a CSV",
            Self::JsonLines => "JSON lines",
        }
    }
}
