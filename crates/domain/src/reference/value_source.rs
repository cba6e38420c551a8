//! Source of the values that a field of answers may have: `reference.name.column`, or `reference.name` for a list of texts.

use super::name::name_rule;
use super::{Reference, find};
use std::fmt;

/// Source of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueSource<'a> {
    /// Name of the reference.
    pub reference: &'a str,
    /// Column of CSV, or member of the objects of a JSON list; `None` for a JSON list of texts.
    pub column: Option<&'a str>,
}

impl<'a> ValueSource<'a> {
    /// Parses the text of a source.
    ///
    /// # Errors
    /// Returns the rule that the text breaks.
    pub fn parse(text: &'a str) -> Result<Self, &'static str> {
        const RULE: &str = "must look like `reference.name.column`, or `reference.name` for a JSON list of texts";
        let rest = text.strip_prefix("reference.").ok_or(RULE)?;
        let (reference, column) = rest.split_once('.').map_or((rest, None), |(name, column)| (name, Some(column)));
        if name_rule(reference).is_some() || column.is_some_and(|column| column.trim().is_empty()) {
            return Err(RULE);
        }
        Ok(Self { reference, column })
    }

    /// Returns the values, if the reference is among `references`.
    ///
    /// # Errors
    /// Returns the rule that the reference breaks as a source of values.
    pub fn values(&self, references: &[Reference]) -> Result<Option<Vec<String>>, String> {
        find(references, self.reference).map(|reference| reference.values(self.column)).transpose()
    }
}

impl fmt::Display for ValueSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reference.{}", self.reference)?;
        self.column.map_or(Ok(()), |column| write!(f, ".{column}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("reference.codes.Code", "codes", Some("Code"))]
    #[case("reference.codes.IMDRF code v1.2", "codes", Some("IMDRF code v1.2"))]
    #[case("reference.codes", "codes", None)]
    fn sources_are_parsed_and_written(#[case] text: &str, #[case] reference: &str, #[case] column: Option<&str>) {
        let source = ValueSource::parse(text).unwrap();
        assert_eq!((source.reference, source.column), (reference, column));
        assert_eq!(source.to_string(), text);
    }

    #[rstest]
    #[case("codes.code")]
    #[case("reference")]
    #[case("reference..code")]
    #[case("reference.codes.")]
    #[case("reference.a b.code")]
    fn other_texts_are_refused(#[case] text: &str) {
        assert!(ValueSource::parse(text).unwrap_err().starts_with("must look like `reference.name.column`"));
    }
}
