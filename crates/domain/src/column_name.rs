//! Names of columns in one form. Two names that a reader cannot tell apart are one name: outer spaces, characters without width
//! and the two ways to write `é` come from spreadsheets and web pages, and no prompt finds them.

use crate::printable::is_hidden;
use std::borrow::Cow;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Returns a name without outer spaces and hidden characters, with plain spaces in place of others, in Unicode's form NFC.
///
/// Line breaks and tabs within a name stay: spreadsheets show them, and a prompt can have them.
pub fn one_form(name: &str) -> Cow<'_, str> {
    let trimmed = name.trim_matches(|c: char| c.is_whitespace() || is_hidden(c));
    if trimmed.is_ascii() {
        return Cow::Borrowed(trimmed);
    }
    if is_nfc(trimmed) && !trimmed.chars().any(|c| is_odd_space(c) || is_removed(c)) {
        return Cow::Borrowed(trimmed);
    }
    let shown = trimmed.chars().filter(|c| !is_removed(*c)).map(|c| if is_odd_space(c) { ' ' } else { c });
    Cow::Owned(shown.nfc().collect())
}

fn is_odd_space(c: char) -> bool {
    c.is_whitespace() && !c.is_ascii()
}

fn is_removed(c: char) -> bool {
    is_hidden(c) && !c.is_control() && !c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("text", "text")]
    #[case(" text\t", "text")]
    #[case("review\u{a0}text", "review text")]
    #[case("\u{200b}tag", "tag")]
    #[case("ta\u{ad}g\u{feff}", "tag")]
    #[case("cafe\u{301}", "caf\u{e9}")]
    #[case("caf\u{e9}", "caf\u{e9}")]
    #[case("line\nbreak", "line\nbreak")]
    #[case("\u{a0} ", "")]
    #[case("👩\u{200d}🔬", "👩\u{200d}🔬")]
    fn names_that_look_the_same_are_the_same(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(one_form(name), expected);
    }

    proptest! {
        #[test]
        fn a_name_in_one_form_stays_as_it_is(name in "\\PC{0,12}|[ a\u{a0}\u{200b}\u{301}e\u{2028}]{0,12}") {
            let once = one_form(&name).into_owned();
            prop_assert_eq!(one_form(&once), once.as_str());
        }
    }
}
