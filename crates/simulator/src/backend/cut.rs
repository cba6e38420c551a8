//! Cuts an answer to the limits of its request: it continues a prefill, and ends at a stop sequence or at the maximum
//! number of tokens.

use crate::backend::{Stop, TextReply};
use crate::families::prompt::{TextPrompt, tokens};

/// Cuts a whole answer.
pub(super) fn to_size(whole: &str, prompt: &TextPrompt) -> TextReply {
    let mut text = after(&prompt.prefill, whole).to_owned();
    let mut stop = Stop::EndTurn;
    let found = prompt.stop_sequences.iter().filter_map(|sequence| Some((text.find(sequence.as_str())?, sequence)));
    if let Some((at, sequence)) = found.min_by_key(|(at, _)| *at) {
        text.truncate(at);
        stop = Stop::Sequence(sequence.clone());
    }
    if let Some(max) = prompt.max_tokens.filter(|max| tokens(&text) > *max) {
        let letters = usize::try_from(max.saturating_mul(4)).unwrap_or(usize::MAX);
        text = text.chars().take(letters).collect();
        stop = Stop::MaxTokens;
    }
    TextReply { stop, input_tokens: prompt.input_tokens().max(1), output_tokens: tokens(&text), text, recorded: None }
}

/// Returns the remainder of an answer after its prefill, ignoring white space, or all of it if it begins differently.
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

    fn request_of(prefill: &str, max_tokens: Option<u64>, stop: &[&str]) -> TextPrompt {
        TextPrompt {
            prefill: prefill.into(),
            max_tokens,
            stop_sequences: stop.iter().map(ToString::to_string).collect(),
            user: "hi".into(),
            ..TextPrompt::default()
        }
    }

    #[test]
    fn an_answer_continues_its_prefill() {
        assert_eq!(to_size(r#"{"a": 1}"#, &request_of("{", None, &[])).text, r#""a": 1}"#);
        assert_eq!(to_size(r#"{"a": 1}"#, &request_of("{ \"a\":", None, &[])).text, " 1}");
        assert_eq!(to_size(r#"{"a": 1}"#, &request_of("Here it is:", None, &[])).text, r#"{"a": 1}"#);
    }

    #[test]
    fn an_answer_ends_at_its_tokens_or_stop_sequence() {
        let long = to_size("abcdefghij", &request_of("", Some(2), &[]));
        assert_eq!((long.text.as_str(), long.stop, long.output_tokens), ("abcdefgh", Stop::MaxTokens, 2));
        let stopped = to_size("abc. def# ghi", &request_of("", Some(100), &["#", ". "]));
        assert_eq!((stopped.text.as_str(), stopped.stop), ("abc", Stop::Sequence(". ".into())));
        assert_eq!(to_size("abcd", &request_of("", Some(1), &[])).stop, Stop::EndTurn);
    }
}
