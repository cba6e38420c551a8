//! Made-up answers, the same each time for the same model and input.
//!
//! - A request with structured output gets a value that matches its schema (see [`super::by_schema`]).
//! - A prompt that shows a JSON form (see [`super::skeleton`]) gets that form filled in: of alternatives `a|b|c` the one
//!   that the prompt mentions most often elsewhere (a hash decides among equals), numbers in the range shown or 0 to 1,
//!   of a list between tags that the form names one of its values (see [`super::listed`]), texts of some words from the prompt's data (the text between tags), or from the whole prompt if it has no tags. A form
//!   in the system prompt counts when the user's text shows none.
//! - Otherwise a prompt that shows labels (`in the form "Color: <the color>"`, see [`super::labels`]) gets a line for each.
//! - Otherwise a prompt that says `one of: a, b, c` (to the end of the line or sentence) gets one of them.
//! - Otherwise the answer is a sentence that quotes words of the user's last text.
//!
//! A picture is identified by its bytes, unless it is a PNG that contains a description, which counts as data.
//!
//! Four characters count as a token. The answer continues a prefill, and respects stop sequences and `max_tokens`.

use crate::backend::by_schema::BySchema;
use crate::backend::filling::{Filler, choose, words};
use crate::backend::labels::{self, Label};
use crate::backend::{material, skeleton};
use crate::chance::{self, Numbers};
use crate::families::prompt::TextPrompt;

/// The whole answer, before it is cut.
pub(super) fn text(base: &str, prompt: &TextPrompt) -> String {
    let images: String = prompt.images.iter().map(|image| hex::encode(image.hash)).collect();
    let number = chance::number(0, &[base, &prompt.system, &prompt.before, &prompt.user, &images]);
    let data = data(prompt);
    if let Some(schema) = &prompt.schema {
        return BySchema::new(schema, &prompt.user, Numbers::from(number)).fill().to_string();
    }
    if let Some(found) = skeleton::find(&prompt.user).or_else(|| in_system(prompt)) {
        let rest = format!("{}\n{}", found.rest, captions(prompt));
        let found = skeleton::Form { rest, ..found };
        return Filler::new(&found, &data, Numbers::from(number)).with_lists(prompt).fill().to_string();
    }
    let labels = labels::find(&prompt.user);
    if !labels.is_empty() {
        return labelled(&labels, &prompt.user, &data, Numbers::from(number));
    }
    match alternatives(&prompt.user).or_else(|| alternatives(&prompt.system)) {
        Some((listed, rest)) => choose(&listed, &rest, number).to_owned(),
        None => sentence(&prompt.user, number),
    }
}

/// Returns the data of the prompt: the texts between its tags, and the descriptions in its pictures.
fn data(prompt: &TextPrompt) -> String {
    format!("{}\n{}", material::of(&prompt.user), captions(prompt)).trim().to_owned()
}

fn captions(prompt: &TextPrompt) -> String {
    prompt.images.iter().map(|image| image.caption.as_str()).collect::<Vec<_>>().join("\n")
}

/// A line per label: one of the alternatives that it shows, or that the prompt lists if it has a single label; otherwise
/// words of the data, or `unknown` if there are none.
fn labelled(labels: &[Label<'_>], prompt: &str, data: &str, mut numbers: Numbers) -> String {
    let listed = alternatives(prompt).filter(|_| labels.len() == 1).map(|(listed, _)| listed);
    let words = words(data);
    let mut value = |label: &Label<'_>| {
        let number = numbers.next();
        let shown: Vec<&str> = label.hint.split('|').map(str::trim).filter(|part| !part.is_empty()).collect();
        match (shown.len() > 1, &listed) {
            (true, _) => choose(&shown, data, number).to_owned(),
            (false, Some(listed)) => choose(listed, data, number).to_owned(),
            (false, None) => chance::pick(&words, number).map_or("unknown", |word| word).to_owned(),
        }
    };
    labels.iter().map(|label| format!("{}: {}", label.name, value(label))).collect::<Vec<_>>().join("\n")
}

/// A form in the system prompt is filled with the words of the user.
fn in_system(prompt: &TextPrompt) -> Option<skeleton::Form> {
    let found = skeleton::find(&prompt.system)?;
    Some(skeleton::Form { rest: prompt.user.clone(), ..found })
}

/// Returns the alternatives after `one of:`, and the text without them.
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
    use crate::families::prompt::Image;

    fn request_of(user: &str) -> TextPrompt {
        TextPrompt { user: user.into(), ..TextPrompt::default() }
    }

    #[test]
    fn the_same_question_gets_the_same_answer_and_another_model_another() {
        let question = request_of("Tell me something about the quiet harbour and the long winter nights by the sea");
        assert_eq!(text("a.b", &question), text("a.b", &question));
        assert_ne!(text("a.b", &question), text("a.c", &question));
    }

    #[test]
    fn a_form_in_the_prompt_is_filled_in() {
        let answer = text(
            "a.b",
            &request_of(r#"Blue jeans. Answer in JSON: {"category": "pants|shorts", "confidence": 0.0-1.0}"#),
        );
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert!(["pants", "shorts"].contains(&answer["category"].as_str().unwrap()));
    }

    #[test]
    fn values_come_from_the_list_that_the_form_names() {
        let system =
            "<codes>\ncode,term\nA01,Leak\nA02,Break\n</codes>\nAnswer as JSON: {\"codes\": [\"a code from <codes>\"]}";
        let prompt = TextPrompt { system: system.to_owned(), ..request_of("<report>It broke.</report>") };
        let answer: serde_json::Value = serde_json::from_str(&text("m", &prompt)).unwrap();
        let codes = answer["codes"].as_array().unwrap();
        assert!(!codes.is_empty() && codes.iter().all(|code| ["A01", "A02"].contains(&code.as_str().unwrap())));
    }

    #[test]
    fn a_form_in_the_system_prompt_counts_too() {
        let question =
            TextPrompt { system: r#"Answer as JSON {"mood": "good|bad"}"#.into(), ..request_of("It is bad.") };
        assert_eq!(text("a.b", &question), r#"{"mood":"bad"}"#);
    }

    #[test]
    fn one_of_a_list_is_chosen_and_preferably_one_that_is_mentioned() {
        assert_eq!(text("a.b", &request_of("A red shirt. Answer one of: blue, red, or \"green\". No more.")), "red");
        for n in 0..50 {
            let answer = text("a.b", &request_of(&format!("Item {n}. Say ONE OF: S, M, L\nThanks")));
            assert!(["S", "M", "L"].contains(&answer.as_str()), "{answer}");
        }
    }

    #[test]
    fn labels_get_a_line_each() {
        let colour = |data: &str| {
            let prompt =
                format!("Which color? Use one of: red, blue\nAnswer in the form \"Color: <it>\".\n<d>{data}</d>");
            text("a.b", &request_of(&prompt))
        };
        assert_eq!((colour("blue boots").as_str(), colour("red boots").as_str()), ("Color: blue", "Color: red"));
        assert_eq!(colour("boots"), colour("boots"));
        let prompt = "Answer in this form:\nSize: <S|M>\nName: <the name>\n";
        assert_eq!(text("a.b", &request_of(&format!("{prompt}<d>Size M</d>"))), "Size: M\nName: Size");
        assert!(text("a.b", &request_of(prompt)).ends_with("\nName: unknown"));
    }

    #[test]
    fn a_picture_with_a_description_is_recognized() {
        let image = |caption: &str| Image { hash: [0; 32], caption: caption.to_owned() };
        let prompt = r#"The kinds: pants and shorts. JSON: {"category": "pants|shorts", "name": "a name"}"#;
        let seen = |caption| TextPrompt { images: vec![image(caption)], ..request_of(prompt) };
        for (caption, category) in [("navy shorts", "shorts"), ("navy pants", "pants")] {
            let answer: serde_json::Value = serde_json::from_str(&text("a.b", &seen(caption))).unwrap();
            assert_eq!(answer["category"], category);
            assert!("navy shorts navy pants navy".contains(answer["name"].as_str().unwrap()), "{answer}");
        }
    }

    #[test]
    fn a_plain_question_is_quoted() {
        let answer = text("a.b", &request_of("harbour"));
        assert!(answer.contains("\"harbour\""), "{answer}");
        assert!(!text("a.b", &request_of("")).is_empty());
        assert!(!text("a.b", &request_of("one of:")).is_empty());
    }
}
