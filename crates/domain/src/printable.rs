//! Texts for readers: terminals, emails, logs, and causes of executions. Names, cells, answers and messages of services come
//! from anyone. A character that a terminal obeys, or that hides or reorders its neighbours, is replaced by a visible one,
//! and what is left out of a text is counted.

/// Maximum number of characters of an error's name. Step Functions allows 256; the remainder is for the count of what was cut.
const MAX_ERROR_NAME_CHARS: usize = 200;
/// Maximum length of a cause, as JSON text in ASCII. Step Functions allows 32,768 characters, does not say of which encoding,
/// and cuts JSON around a message in the middle, so that nothing can read the message any more.
pub const MAX_CAUSE_LENGTH: usize = 30_000;
/// Takes the place of a character that is not shown.
const REPLACEMENT: char = '\u{fffd}';

/// Returns true for a character that a reader does not see, or that changes how others are shown: control characters (C0, DEL,
/// C1), marks and overrides of direction, separators of lines and paragraphs, spaces without width, tags, noncharacters.
///
/// Joiners (U+200C, U+200D) and selectors of variants are text: several scripts and emojis need them.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            // Soft hyphen, and the letter mark of Arabic.
            '\u{ad}' | '\u{61c}'
            // The separator of Mongolian vowels, space without width, marks of direction.
            | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            // Separators of lines and paragraphs, embeddings and overrides of direction.
            | '\u{2028}'..='\u{202e}'
            // Invisible operators, isolates, and format characters that are deprecated.
            | '\u{2060}'..='\u{206f}'
            // Byte order mark, annotations.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fdd0}'..='\u{fdef}'
            // Tags, which spell text that is not shown.
            | '\u{e0000}'..='\u{e007f}'
        )
        || (u32::from(c) & 0xfffe) == 0xfffe
}

/// Returns true if a reader sees nothing of a text: it is empty, or has only spaces and hidden characters.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_hidden(c))
}

/// Returns the character that takes the place of `c` within a line.
fn in_line(c: char) -> char {
    match c {
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        c if is_hidden(c) => REPLACEMENT,
        c => c,
    }
}

/// Returns a text as one line: spaces in place of line breaks and tabs, `�` in place of other hidden characters.
pub fn line(text: &str) -> String {
    text.chars().map(in_line).collect()
}

/// Returns a text as one line of at most `max_chars` characters, and the number of the others.
pub fn shortened(text: &str, max_chars: usize) -> String {
    let mut chars = text.chars();
    let kept: String = chars.by_ref().take(max_chars).map(in_line).collect();
    with_count(kept, chars.count())
}

/// Returns the lines of a text, each as of [`line`]. Only line feeds, alone or after a carriage return, end a line.
pub fn lines(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().map(line)
}

/// Returns a text of several lines: as of [`lines`], with line feeds in between and none at the end.
pub fn text(text: &str) -> String {
    lines(text).collect::<Vec<_>>().join("\n").trim_end_matches('\n').to_owned()
}

/// Returns the message of an error for Step Functions: as of [`text()`], within the limit of causes even if the message is quoted
/// as JSON, and the number of characters that were left out.
pub fn cause(message: &str) -> String {
    // Space for the count.
    const MAX_KEPT_LENGTH: usize = MAX_CAUSE_LENGTH - 60;
    let message = text(message);
    if length_in_json(&message) <= MAX_CAUSE_LENGTH {
        return message;
    }
    let mut length = 0;
    let mut chars = message.chars();
    let kept: String = chars
        .by_ref()
        .take_while(|c| {
            length += length_of(*c);
            length <= MAX_KEPT_LENGTH
        })
        .collect();
    // One more: `take_while` has consumed the first character that it does not take.
    let cut = chars.count() + 1;
    with_count(kept, cut)
}

/// Returns the name of an error for Step Functions: one line within the limit.
pub fn error_name(name: &str) -> String {
    shortened(name, MAX_ERROR_NAME_CHARS)
}

/// Returns the number of characters that a text has as JSON in ASCII, the longest of its forms.
pub fn length_in_json(text: &str) -> usize {
    text.chars().map(length_of).sum()
}

fn length_of(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' => 2,
        c if c.is_ascii() => 1,
        c => 6 * c.len_utf16(),
    }
}

fn with_count(kept: String, cut: usize) -> String {
    match cut {
        0 => kept,
        1 => format!("{kept}… (1 more character)"),
        cut => format!("{kept}… ({cut} more characters)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One character of each kind that is hidden, in a form that a terminal or an email program would obey.
    const HOSTILE: &str =
        "a\u{1b}]0;title\u{7}\u{9b}31m\u{7f}\u{202e}txt\u{2066}\u{200b}\u{feff}\u{2028}\u{e0041}\r\nb";

    #[test]
    fn what_a_terminal_obeys_is_replaced_by_what_a_reader_sees() {
        assert_eq!(line(HOSTILE), "a�]0;title��31m��txt��� �  b");
        assert_eq!(line("tab\tand\u{85}next\u{2029}line"), "tab and next line");
    }

    #[test]
    fn text_of_any_script_stays_as_it_is() {
        for text in ["Größe", "寝袋", "می\u{200c}خواهم", "क्\u{200d}ष", "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f}", "a b", "��"]
        {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn what_is_cut_is_counted() {
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("abcd", 3), "abc… (1 more character)");
        assert_eq!(shortened(&"ü".repeat(200_000), 3), "üüü… (199997 more characters)");
        assert!(error_name(&"e".repeat(1000)).chars().count() < 256);
    }

    #[test]
    fn only_line_feeds_end_a_line_of_a_text() {
        assert_eq!(text("a\r\nb\rc\u{2028}d\n"), "a\nb c d");
        assert_eq!(lines("a\n\nb").collect::<Vec<_>>(), ["a", "", "b"]);
    }

    #[test]
    fn a_cause_fits_however_it_is_quoted() {
        assert_eq!(cause("two\nlines"), "two\nlines");
        for unit in ["x", "\"", "\\", "ü", "寝", "\u{1f980}", "\nx", "\u{1b}"] {
            let cut = cause(&unit.repeat(200_000));
            assert!(cut.ends_with(" more characters)"), "{unit}");
            let length = length_in_json(&cut);
            assert!((29_000..=MAX_CAUSE_LENGTH).contains(&length), "{unit}: {length}");
            let (kept, count) = cut.rsplit_once("… (").unwrap();
            let count: usize = count.strip_suffix(" more characters)").unwrap().parse().unwrap();
            assert_eq!(kept.chars().count() + count, text(&unit.repeat(200_000)).chars().count(), "{unit}");
        }
    }

    proptest! {
        #[test]
        fn no_text_keeps_a_hidden_character(parts in proptest::collection::vec("\\PC{0,9}|[\\x00-\\x9f]{0,9}|[\u{200b}-\u{206f}\u{e0000}-\u{e007f}]{1,3}", 0..9), max in 0usize..40) {
            let hostile = parts.concat();
            prop_assert!(!line(&hostile).contains(is_hidden));
            prop_assert!(!shortened(&hostile, max).contains(is_hidden));
            prop_assert!(lines(&hostile).all(|line| !line.contains(is_hidden)));
            for several in [text(&hostile), cause(&hostile)] {
                prop_assert!(!several.replace('\n', "").contains(is_hidden));
                prop_assert_eq!(&text(&several), &several);
            }
            prop_assert_eq!(line(&hostile).chars().count(), hostile.chars().count());
        }
    }
}
