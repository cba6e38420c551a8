//! Repair of typographic quotes where JSON requires ASCII ones: `{"title": "Das „Beste" Hemd"}`.
//!
//! Models that write German open a quotation with `„` and close it with the ASCII quote that ends a JSON string.
//! `„name"` becomes `\"name\"`, and any other curly quote within a string becomes `'`. A curly quote where a string must
//! begin is treated as the ASCII quote that it stands for. ASCII quotes that do not close such a quotation are never
//! changed; French and CJK quotes («», 「」) are not curly quotes and remain.
//!
//! Only text that does not parse is repaired, and the result is used only if it parses.

/// State of the reader.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Outside,
    /// Within a string.
    Inside {
        /// True if it began with a curly quote and may end with one.
        curly: bool,
        /// True while a `„` is open that an ASCII quote will close.
        quotation: bool,
    },
}

/// Returns the position of the last curly quote of `text`: a value without a curly quote after its beginning needs no repair.
pub(super) fn last_curly_quote(text: &str) -> Option<usize> {
    // U+2018 to U+201F are E2 80 98 to E2 80 9F.
    let is_curly = |at: &usize| text.as_bytes().get(at + 2).is_some_and(|last| (0x98..=0x9F).contains(last));
    memchr::memmem::rfind_iter(text.as_bytes(), b"\xE2\x80").find(is_curly)
}

/// Returns the JSON value at the beginning of `text` with repaired quotes and without the text after it, and its length
/// within `text` in bytes.
pub(super) fn repaired(text: &str) -> (String, usize) {
    let mut out = String::with_capacity(text.len() + 16);
    let mut place = Place::Outside;
    let mut depth = 0_usize;
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        let after = &text[at + char.len_utf8()..];
        match place {
            Place::Outside => {
                match char {
                    '"' => place = Place::Inside { curly: false, quotation: false },
                    '{' | '[' => depth += 1,
                    '}' | ']' => depth = depth.saturating_sub(1),
                    _ if is_double(char) => place = Place::Inside { curly: true, quotation: false },
                    _ => {}
                }
                out.push(if is_double(char) { '"' } else { char });
                if depth == 0 {
                    return (out, text.len() - after.len());
                }
            }
            Place::Inside { curly, quotation } => match char {
                '\\' => {
                    out.push(char);
                    out.extend(chars.next().map(|(_, escaped)| escaped));
                }
                '"' if quotation => {
                    out.push_str("\\\"");
                    place = Place::Inside { curly, quotation: false };
                }
                '"' => {
                    out.push('"');
                    place = Place::Outside;
                }
                _ if curly && is_double(char) && ends_string(after, true) => {
                    out.push('"');
                    place = Place::Outside;
                }
                '„' if closes_with_ascii(after) => {
                    out.push_str("\\\"");
                    place = Place::Inside { curly, quotation: true };
                }
                _ if is_double(char) || is_single(char) => out.push('\''),
                _ => out.push(char),
            },
        }
    }
    (out, text.len())
}

fn is_double(char: char) -> bool {
    matches!(char, '“' | '”' | '„' | '‟')
}

fn is_single(char: char) -> bool {
    matches!(char, '‘' | '’' | '‚' | '‛')
}

/// Returns true if the quotation that begins before `after` is closed by an ASCII quote that is neither escaped nor the end
/// of the string: in `"Größe „M", "b": 1`, the quote after `M` ends the string.
fn closes_with_ascii(after: &str) -> bool {
    let close = after.char_indices().find(|(_, char)| is_double(*char) || matches!(char, '"' | '\\' | '\n'));
    close.is_some_and(|(at, char)| char == '"' && !ends_string(&after[at + 1..], false))
}

/// Returns true if a quote before `after` can be the end of a string, judging by the text that follows. A colon, or a comma
/// before a number, indicates it only for strings delimited by `curly` quotes: in prose, they follow a quotation as well.
fn ends_string(after: &str, curly: bool) -> bool {
    let mut next = after.chars().filter(|char| !char.is_whitespace());
    match next.next() {
        None | Some('}' | ']') => true,
        Some(':') => curly,
        Some(',') => next.next().is_none_or(|char| {
            matches!(char, '"' | '{' | '[' | '}' | ']') || is_double(char) || (curly && matches!(char, '0'..='9' | '-'))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[rstest]
    #[case(r#"{"a": "Das „Beste" Hemd"}"#, json!({"a": "Das \"Beste\" Hemd"}))]
    #[case(r#"{"a": "„Beste" Hemden, „Erste" Wahl"}"#, json!({"a": "\"Beste\" Hemden, \"Erste\" Wahl"}))]
    #[case(r#"{"a": "Nur „Beste""}"#, json!({"a": "Nur \"Beste\""}))]
    #[case(r#"{"a": "Motto „Ja": gut", "b": "“x” it’s"}"#, json!({"a": "Motto \"Ja\": gut", "b": "'x' it's"}))]
    #[case(r#"{"a": "Größe „M", "b": "Das „Beste" Hemd"}"#, json!({"a": "Größe 'M", "b": "Das \"Beste\" Hemd"}))]
    #[case(r#"{"a": "„A“ und „B" {x}", "b": ["„"]}"#, json!({"a": "'A' und \"B\" {x}", "b": ["'"]}))]
    #[case(r#"{"a": "«Le „x" mot» 「你好」 \"q\" \\"}"#, json!({"a": "«Le \"x\" mot» 「你好」 \"q\" \\"}))]
    #[case("{“a”: “b, ‘c’ “d” e”, “f”: [“g”, 1]}", json!({"a": "b, 'c' 'd' e", "f": ["g", 1]}))]
    #[case(r#"{„a": „b", "c": 1}"#, json!({"a": "b", "c": 1}))]
    #[case(r#"{"a": "„b" c"} Das „ist" {"alles"}"#, json!({"a": "\"b\" c"}))]
    fn typographic_quotes_are_repaired(#[case] text: &str, #[case] expected: Value) {
        assert!(serde_json::from_str::<Value>(text).is_err());
        let (repaired, _) = repaired(text);
        assert_eq!(serde_json::from_str::<Value>(&repaired).unwrap(), expected, "{repaired}");
    }

    #[rstest]
    #[case("x“", Some(1))]
    #[case("‛ ‘ –", Some(4))]
    #[case("plain \"text\" – with … other « signs", None)]
    fn the_last_curly_quote_is_found(#[case] text: &str, #[case] last: Option<usize>) {
        assert_eq!(last_curly_quote(text), last);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[\\[{}\\]\":,„“”‘’‟«\\\\\\n aü1]{0,60}") {
            let _ = (repaired(&text), last_curly_quote(&text));
        }

        #[test]
        fn text_without_curly_quotes_is_never_changed(text in "\\PC{0,60}") {
            let text: String = text.chars().filter(|char| !is_double(*char) && !is_single(*char)).collect();
            let (repaired, length) = repaired(&text);
            prop_assert_eq!(&text[..length], repaired);
        }
    }
}
