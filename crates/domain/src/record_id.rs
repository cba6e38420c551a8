//! Grammar of the ids of rows and records.
//!
//! A row has the id from the input, or else its position ([`PositionId`]). If a run sends a row with several prompts, each
//! record adds the number of its prompt ([`RecordId`]); otherwise a record has the id of its row. Ids of the input may look
//! like either: only ids of such a run are parsed as [`RecordId`], and only their last part as a number. If a run has prompts
//! that show several rows, each record adds the number of its rows to the id of the first one ([`RequestId`]).

use std::fmt;

/// Id of a row without an id of its own: its position in the input, from 0, as in `r000000012`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionId(pub u64);

impl PositionId {
    /// Parses an id that is written exactly as [`PositionId`] is displayed.
    pub fn parse(id: &str) -> Option<Self> {
        canonical_number(id.strip_prefix('r')?, 9).map(Self)
    }
}

impl fmt::Display for PositionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{:09}", self.0)
    }
}

/// Id of a record in a run that sends rows with several prompts: `r000000012-003`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordId<'a> {
    /// Id of the row.
    pub row: &'a str,
    /// Number of the prompt among those of the row, from 1; 0 if the row has no prompt. `None` if the id has no number.
    pub prompt: Option<u64>,
}

impl<'a> RecordId<'a> {
    /// Creates the id of the record that sends `row` with the prompt of this number.
    pub fn new(row: &'a str, prompt: u64) -> Self {
        Self { row, prompt: Some(prompt) }
    }

    /// Parses an id. The number follows the last hyphen, and must be written as this type is displayed.
    pub fn parse(id: &'a str) -> Self {
        let numbered = id.rsplit_once('-').and_then(|(row, number)| Some((row, canonical_number(number, 3)?)));
        match numbered {
            Some((row, prompt)) => Self::new(row, prompt),
            None => Self { row: id, prompt: None },
        }
    }

    /// Returns true for the first record of its row.
    pub fn is_first_of_row(self) -> bool {
        matches!(self.prompt, Some(0 | 1))
    }
}

impl fmt::Display for RecordId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row)?;
        self.prompt.map_or(Ok(()), |prompt| write!(f, "-{prompt:03}"))
    }
}

/// Id of a record in a run with requests of several rows: `r000000012+10`. All records of such a run have it, also those of
/// one row, so that no two requests have the same id, whatever the ids of the input look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId<'a> {
    /// Id of the first row.
    pub first: &'a str,
    /// Number of rows.
    pub rows: usize,
}

impl<'a> RequestId<'a> {
    /// Parses an id. The number follows the last plus sign, and must be written as this type is displayed.
    pub fn parse(id: &'a str) -> Option<Self> {
        let (first, rows) = id.rsplit_once('+')?;
        let rows = usize::try_from(canonical_number(rows, 1)?).ok().filter(|rows| *rows > 0)?;
        Some(Self { first, rows })
    }
}

impl fmt::Display for RequestId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.first, self.rows)
    }
}

/// Parses a number that is padded with zeros to `width` and no further.
fn canonical_number(digits: &str, width: usize) -> Option<u64> {
    let canonical = digits.len() == width || (digits.len() > width && !digits.starts_with('0'));
    (canonical && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    proptest! {
        #[test]
        fn displayed_ids_are_parsed(row in ".*", prompt: u64, position: u64) {
            let id = RecordId::new(&row, prompt).to_string();
            prop_assert_eq!(RecordId::parse(&id), RecordId::new(&row, prompt));
            prop_assert_eq!(PositionId::parse(&PositionId(position).to_string()), Some(PositionId(position)));
        }

        #[test]
        fn requests_have_different_ids_whatever_the_ids_of_rows_look_like(
            first in "[a+0-9]{0,6}|.*", rows in 1usize..2_000, other in "[a+0-9]{0,6}|.*", other_rows in 1usize..2_000,
        ) {
            let (id, other) = (RequestId { first: &first, rows }, RequestId { first: &other, rows: other_rows });
            let written = id.to_string();
            prop_assert_eq!(RequestId::parse(&written), Some(id));
            prop_assert_eq!(written == other.to_string(), id == other);
        }

        #[test]
        fn parsed_ids_are_displayed_unchanged(id in "[r0-9a-]{0,14}|.*") {
            prop_assert_eq!(RecordId::parse(&id).to_string(), id.as_str());
            if let Some(position) = PositionId::parse(&id) {
                prop_assert_eq!(position.to_string(), id);
            }
        }
    }

    #[rstest]
    #[case("r000000012-003", "r000000012", Some(3))]
    #[case("a-001-000", "a-001", Some(0))]
    #[case("a-1000", "a", Some(1000))]
    #[case("-001", "", Some(1))]
    #[case("a-01", "a-01", None)]
    #[case("a-0001", "a-0001", None)]
    #[case("a-abc", "a-abc", None)]
    #[case("a-+01", "a-+01", None)]
    #[case("a-99999999999999999999", "a-99999999999999999999", None)]
    #[case("", "", None)]
    fn ids_of_the_input_may_look_like_ours(#[case] id: &str, #[case] row: &str, #[case] prompt: Option<u64>) {
        assert_eq!(RecordId::parse(id), RecordId { row, prompt });
    }

    #[rstest]
    #[case("r000000012", Some(12))]
    #[case("r1000000000", Some(1_000_000_000))]
    #[case("r0000001001", None)]
    #[case("r1001", None)]
    #[case("r-00001001", None)]
    #[case("1001", None)]
    #[case("", None)]
    fn positions_are_parsed_only_as_they_are_written(#[case] id: &str, #[case] position: Option<u64>) {
        assert_eq!(PositionId::parse(id), position.map(PositionId));
    }

    #[rstest]
    #[case("a+1+2", Some(("a+1", 2)))]
    #[case("+1", Some(("", 1)))]
    #[case("a+0", None)]
    #[case("a+01", None)]
    #[case("a+", None)]
    #[case("a", None)]
    #[case("a+99999999999999999999", None)]
    fn ids_of_requests_are_parsed_only_as_they_are_written(#[case] id: &str, #[case] expected: Option<(&str, usize)>) {
        assert_eq!(RequestId::parse(id), expected.map(|(first, rows)| RequestId { first, rows }));
    }
}
