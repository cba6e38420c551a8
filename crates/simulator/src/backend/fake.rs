//! Made-up answers, the same each time for the same model and input.
//!
//! - A prompt that shows a JSON form (see [`super::skeleton`]) gets that form filled in: of alternatives `a|b|c` the one
//!   that the rest of the prompt mentions most often (among equals a hash decides), numbers in the range shown or 0 to 1,
//!   texts of some words from the prompt. A form in the system prompt counts when the user's text shows none.
//! - Else a prompt that says `one of: a, b, c` (to the end of the line or sentence) gets one of them.
//! - Else the answer is a sentence that quotes words of the user's last text.
//!
//! Four characters count as a token. The answer goes on from a prefill, and respects stop sequences and the most tokens.

use crate::backend::filling::{Filler, choose, words};
use crate::backend::skeleton;
use crate::chance::{self, Numbers};
use crate::families::ask::TextAsk;

/// The whole answer, before it is cut.
pub(super) fn text(base: &str, ask: &TextAsk) -> String {
    let images: String = ask.images.iter().map(hex::encode).collect();
    let number = chance::number(0, &[base, &ask.system, &ask.before, &ask.user, &images]);
    if let Some(found) = skeleton::find(&ask.user).or_else(|| in_system(ask)) {
        return Filler::new(&found, Numbers::from(number)).fill().to_string();
    }
    match alternatives(&ask.user).or_else(|| alternatives(&ask.system)) {
        Some((listed, rest)) => choose(&listed, &rest, number).to_owned(),
        None => sentence(&ask.user, number),
    }
}

/// A form in the system prompt is filled with the words of the user.
fn in_system(ask: &TextAsk) -> Option<skeleton::Found> {
    let found = skeleton::find(&ask.system)?;
    Some(skeleton::Found { rest: ask.user.clone(), ..found })
}

/// What follows `one of:`, and the text without it.
fn alternatives(text: &str) -> Option<(Vec<&str>, String)> {
    const MARK: &str = "one of:";
    let at = text.to_ascii_lowercase().find(MARK)? + MARK.len();
    let from = text.get(at..)?;
    let end = from.find(['\n', '.']).unwrap_or(from.len());
    let list = from.get(..end)?;
    let strip = |word: &'static [char]| move |item: &str| -> bool { item.chars().all(|letter| word.contains(&letter)) };
    let quotes: &[char] = &['"', '\'', '`', ' ', '\t', '\r', ';', '!', '?'];
    let listed: Vec<&str> = list
        .split(',')
        .map(str::trim)
        .map(|item| item.strip_prefix("or ").or_else(|| item.strip_prefix("and ")).unwrap_or(item))
        .map(|item| item.trim_matches(quotes))
        .filter(|item| !strip(&[' '])(item))
        .collect();
    let rest = format!("{} {}", text.get(..at)?, from.get(end..)?);
    (!listed.is_empty()).then_some((listed, rest))
}

fn sentence(user: &str, number: u64) -> String {
    const OPENINGS: [&str; 4] =
        ["In short, this is about", "The main point here is", "What stands out is", "This concerns"];
    const ENDINGS: [&str; 4] =
        ["and nothing in it is unusual.", "as far as the text says.", "with no more to add.", "which is clear enough."];
    let words = words(user);
    let mut numbers = Numbers::from(number);
    let start = usize::try_from(numbers.next() % (words.len() as u64).max(1)).unwrap_or_default();
    let quoted: Vec<&str> = words.iter().cycle().skip(start).take(words.len().min(5)).copied().collect();
    let quoted = if quoted.is_empty() { "the input".to_owned() } else { format!("\"{}\"", quoted.join(" ")) };
    let opening = chance::pick(&OPENINGS, numbers.next()).copied().unwrap_or_default();
    let ending = chance::pick(&ENDINGS, numbers.next()).copied().unwrap_or_default();
    format!("{opening} {quoted}, {ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(user: &str) -> TextAsk {
        TextAsk { user: user.into(), ..TextAsk::default() }
    }

    #[test]
    fn the_same_question_gets_the_same_answer_and_another_model_another() {
        let question = ask("Tell me something about the quiet harbour and the long winter nights by the sea");
        assert_eq!(text("a.b", &question), text("a.b", &question));
        assert_ne!(text("a.b", &question), text("a.c", &question));
    }

    #[test]
    fn a_form_in_the_prompt_is_filled_in() {
        let answer =
            text("a.b", &ask(r#"Blue jeans. Answer in JSON: {"category": "pants|shorts", "confidence": 0.0-1.0}"#));
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert!(["pants", "shorts"].contains(&answer["category"].as_str().unwrap()));
    }

    #[test]
    fn a_form_in_the_system_prompt_counts_too() {
        let question = TextAsk { system: r#"Answer as JSON {"mood": "good|bad"}"#.into(), ..ask("It is bad.") };
        assert_eq!(text("a.b", &question), r#"{"mood":"bad"}"#);
    }

    #[test]
    fn one_of_a_list_is_chosen_and_preferably_one_that_is_mentioned() {
        assert_eq!(text("a.b", &ask("A red shirt. Answer one of: blue, red, or \"green\". No more.")), "red");
        for n in 0..50 {
            let answer = text("a.b", &ask(&format!("Item {n}. Say ONE OF: S, M, L\nThanks")));
            assert!(["S", "M", "L"].contains(&answer.as_str()), "{answer}");
        }
    }

    #[test]
    fn a_plain_question_is_quoted() {
        let answer = text("a.b", &ask("harbour"));
        assert!(answer.contains("\"harbour\""), "{answer}");
        assert!(!text("a.b", &ask("")).is_empty());
        assert!(!text("a.b", &ask("one of:")).is_empty());
    }
}
