//! An answer is cut to what was asked: it goes on from a prefill, and ends at a stop sequence or at the most tokens.

use crate::backend::{Stop, TextReply};
use crate::families::ask::{TextAsk, tokens};

/// Cuts a whole answer.
pub(super) fn to_size(whole: &str, ask: &TextAsk) -> TextReply {
    let mut text = after(&ask.prefill, whole).to_owned();
    let mut stop = Stop::EndTurn;
    let found = ask.stop_sequences.iter().filter_map(|sequence| Some((text.find(sequence.as_str())?, sequence)));
    if let Some((at, sequence)) = found.min_by_key(|(at, _)| *at) {
        text.truncate(at);
        stop = Stop::Sequence(sequence.clone());
    }
    if let Some(most) = ask.max_tokens.filter(|most| tokens(&text) > *most) {
        let letters = usize::try_from(most.saturating_mul(4)).unwrap_or(usize::MAX);
        text = text.chars().take(letters).collect();
        stop = Stop::MaxTokens;
    }
    TextReply { stop, input_tokens: ask.input_tokens().max(1), output_tokens: tokens(&text), text, recorded: None }
}

/// What is left of an answer after its prefill, white space aside; all of it when it begins otherwise.
fn after<'a>(prefill: &str, whole: &'a str) -> &'a str {
    let mut rest = whole.char_indices().filter(|(_, letter)| !letter.is_whitespace());
    let mut end = 0;
    for wanted in prefill.chars().filter(|letter| !letter.is_whitespace()) {
        match rest.next() {
            Some((at, letter)) if letter == wanted => end = at + letter.len_utf8(),
            _ => return whole,
        }
    }
    whole.get(end..).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(prefill: &str, max_tokens: Option<u64>, stop: &[&str]) -> TextAsk {
        TextAsk {
            prefill: prefill.into(),
            max_tokens,
            stop_sequences: stop.iter().map(ToString::to_string).collect(),
            user: "hi".into(),
            ..TextAsk::default()
        }
    }

    #[test]
    fn an_answer_goes_on_from_its_prefill() {
        assert_eq!(to_size(r#"{"a": 1}"#, &ask("{", None, &[])).text, r#""a": 1}"#);
        assert_eq!(to_size(r#"{"a": 1}"#, &ask("{ \"a\":", None, &[])).text, " 1}");
        assert_eq!(to_size(r#"{"a": 1}"#, &ask("Here it is:", None, &[])).text, r#"{"a": 1}"#);
    }

    #[test]
    fn an_answer_ends_at_its_tokens_or_stop_sequence() {
        let long = to_size("abcdefghij", &ask("", Some(2), &[]));
        assert_eq!((long.text.as_str(), long.stop, long.output_tokens), ("abcdefgh", Stop::MaxTokens, 2));
        let stopped = to_size("abc. def# ghi", &ask("", Some(100), &["#", ". "]));
        assert_eq!((stopped.text.as_str(), stopped.stop), ("abc", Stop::Sequence(". ".into())));
        assert_eq!(to_size("abcd", &ask("", Some(1), &[])).stop, Stop::EndTurn);
    }
}
