//! Cells of CSV files that spreadsheets would take for formulas, and the guard against that: an apostrophe in front.
//!
//! The rule is that of OWASP (<https://owasp.org/www-community/attacks/CSV_Injection>), also if the character follows others that
//! spreadsheets ignore or do not show.

use std::borrow::Cow;

/// The guard: spreadsheets read what follows as a text.
const GUARD: char = '\'';

/// Characters with which a formula begins; the last four are their full-width forms.
const FORMULA_STARTS: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Returns true if a spreadsheet may take the text for a formula.
pub fn is_formula(text: &str) -> bool {
    // Most cells begin with a letter or a digit.
    if text.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return false;
    }
    // A guard is ignored: what has one gets another, so that each can be removed again.
    if text.trim_start_matches(GUARD).starts_with(['\t', '\r', '\n']) {
        return true;
    }
    let shown = text.trim_start_matches(|c: char| c == GUARD || is_invisible(c));
    shown.starts_with(FORMULA_STARTS) && !is_negative_number(text)
}

/// Returns the text with a guard if it needs one.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if is_formula(text) { Cow::Owned(format!("{GUARD}{text}")) } else { Cow::Borrowed(text) }
}

/// Returns the text that was guarded.
pub fn unguarded(text: &str) -> &str {
    text.strip_prefix(GUARD).filter(|text| is_formula(text)).unwrap_or(text)
}

/// Returns true for a plain number such as `-5` or `-0.25e3`, which is not a formula.
fn is_negative_number(text: &str) -> bool {
    let Some(number) = text.strip_prefix('-') else { return false };
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
        && number.parse::<f64>().is_ok()
}

/// Returns true for characters that are not shown, or that are shown as a space.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("=1+1")]
    #[case("+49 170 1234567")]
    #[case("-5+cmd|' /C calc'!A0")]
    #[case("@SUM(A1)")]
    #[case("\tplain")]
    #[case("\rplain")]
    #[case("\nplain")]
    #[case("  =1+1")]
    #[case("\u{feff}=1+1")]
    #[case("\u{200b}\u{a0}\u{1}@x")]
    #[case("\u{ff1d}1+1")]
    #[case("\u{ff0b}1")]
    #[case("\u{ff0d}1")]
    #[case("\u{ff20}SUM(A1)")]
    #[case("'=1+1")]
    #[case("-")]
    #[case("--5")]
    #[case("-e5")]
    #[case("-1-1")]
    fn what_a_spreadsheet_may_execute_is_guarded(#[case] text: &str) {
        assert_eq!(guarded(text), format!("'{text}"));
    }

    #[rstest]
    #[case("")]
    #[case("plain")]
    #[case("1-1=0")]
    #[case("a@b.example")]
    #[case("-5")]
    #[case("-0.25")]
    #[case("-1e-5")]
    #[case("'quoted' text")]
    #[case("  indented")]
    #[case("– a dash")]
    #[case("{\"a\": \"=1\"}")]
    fn other_texts_stay_as_they_are(#[case] text: &str) {
        assert_eq!(guarded(text), text);
    }

    proptest! {
        #[test]
        fn guards_are_removed_exactly(text in "['=+@ \\t\\u{200b}a5.-]{0,6}") {
            let cell = guarded(&text);
            prop_assert_eq!(unguarded(&cell), text.as_str());
            // Nothing that is written is taken for a formula, except behind a guard.
            prop_assert!(!is_formula(&cell) || cell.starts_with(GUARD));
        }
    }
}
