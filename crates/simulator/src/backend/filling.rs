//! Fills in the form that a prompt shows.

use serde_json::{Map, Value, json};

use crate::backend::listed;
use crate::backend::skeleton::{Form, Skeleton};
use crate::chance::{self, Numbers};
use crate::families::prompt::TextPrompt;

/// A value for every part of the form, chosen by the numbers.
pub(super) struct Filler<'a> {
    found: &'a Form,
    words: Vec<&'a str>,
    /// Text that may hold lists which the form names.
    lists: String,
    numbers: Numbers,
}

impl<'a> Filler<'a> {
    /// Creates a filler whose texts consist of words of `material`, if it has any.
    pub(super) fn new(found: &'a Form, material: &'a str, numbers: Numbers) -> Self {
        let words = Some(words(material)).filter(|words| !words.is_empty());
        Self { found, words: words.unwrap_or_else(|| self::words(&found.rest)), lists: String::new(), numbers }
    }

    /// Takes texts for which the form names a list from these lists of the prompt.
    pub(super) fn with_lists(self, prompt: &TextPrompt) -> Self {
        Self { lists: format!("{}\n{}", prompt.system, prompt.user), ..self }
    }

    pub(super) fn fill(mut self) -> Value {
        let skeleton = &self.found.skeleton;
        self.value(skeleton)
    }

    fn value(&mut self, skeleton: &Skeleton) -> Value {
        match skeleton {
            Skeleton::Object(fields) => {
                let filled = fields.iter().map(|(key, value)| (key.clone(), self.value(value)));
                Value::Object(filled.collect::<Map<_, _>>())
            }
            Skeleton::List(items) => match items.first() {
                Some(first) => (0..=self.numbers.next() % 3).map(|_| self.value(first)).collect(),
                None => json!([]),
            },
            Skeleton::Text(text) => json!(self.text(text)),
            Skeleton::Bare(text) => self.bare(text),
        }
    }

    fn text(&mut self, shown: &str) -> String {
        let alternatives: Vec<&str> = shown.split('|').map(str::trim).filter(|part| !part.is_empty()).collect();
        if alternatives.len() > 1 {
            return choose(&alternatives, &self.found.rest, self.numbers.next()).to_owned();
        }
        let listed = listed::values(shown, &self.lists);
        if !listed.is_empty() {
            return chance::pick(&listed, self.numbers.next()).cloned().unwrap_or_default();
        }
        if shown.contains("sentence") {
            format!("{}.", capitalized(&self.some_words(7, 12)))
        } else if shown.contains("title") {
            capitalized(&self.some_words(3, 5))
        } else {
            self.some_words(1, 3)
        }
    }

    /// `true|false`, `0.0-1.0`, `0.95`, `3`, `null`, or a placeholder for a number.
    fn bare(&mut self, shown: &str) -> Value {
        let number = self.numbers.next();
        let lower = shown.to_ascii_lowercase();
        if lower.starts_with("true") || lower.starts_with("false") || lower.contains("bool") {
            return json!(number.is_multiple_of(2));
        }
        if lower == "null" {
            return Value::Null;
        }
        if let Some((low, high)) = range(shown) {
            let part = low + (high - low) * share(number);
            let whole = !shown.contains('.');
            return if whole {
                json!(part.round()).as_f64().map_or(json!(0), integer)
            } else {
                json!(hundredths(part))
            };
        }
        if shown.parse::<i64>().is_ok() || lower.contains("int") {
            return json!(number % 2);
        }
        json!(hundredths(share(number)))
    }

    /// Words that follow each other.
    fn some_words(&mut self, min: u64, max: u64) -> String {
        let count = min + self.numbers.next() % (max - min + 1);
        let first = self.numbers.next();
        let (Ok(count), Ok(first)) =
            (usize::try_from(count), usize::try_from(first % (self.words.len() as u64).max(1)))
        else {
            return String::new();
        };
        let chosen: Vec<&str> =
            self.words.iter().cycle().skip(first).take(count.min(self.words.len())).copied().collect();
        if chosen.is_empty() { "unknown".to_owned() } else { chosen.join(" ") }
    }
}

/// One of the alternatives: of those that the text mentions most often, the one that the number falls on.
pub(super) fn choose<'a>(alternatives: &[&'a str], text: &str, number: u64) -> &'a str {
    let text = text.to_lowercase();
    let mentions = |alternative: &&str| mentions(&text, &alternative.to_lowercase());
    let max = alternatives.iter().map(mentions).max().unwrap_or_default();
    let best: Vec<&&str> = alternatives.iter().filter(|alternative| mentions(alternative) == max).collect();
    chance::pick(&best, number).map_or("", |chosen| chosen)
}

/// Returns the number of times that the text contains the word as a whole: `shorts` does not contain `short`.
fn mentions(text: &str, word: &str) -> usize {
    let bound = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    let alone = |(at, _): &(usize, &str)| {
        let (before, from) = text.split_at(*at);
        bound(before.chars().next_back()) && bound(from.get(word.len()..).and_then(|after| after.chars().next()))
    };
    text.match_indices(word).filter(alone).count()
}

/// Returns the words of a text that can be used in an answer.
pub(super) fn words(text: &str) -> Vec<&str> {
    let letters = |word: &&str| word.chars().count() > 2 && word.chars().all(char::is_alphanumeric);
    text.split(|letter: char| !letter.is_alphanumeric()).filter(letters).collect()
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

fn range(shown: &str) -> Option<(f64, f64)> {
    let digits = shown.trim_matches(|letter: char| !letter.is_ascii_digit());
    let (low, high) = digits.split_once(['-', '–']).or_else(|| digits.split_once(" to "))?;
    let (low, high) = (low.trim().parse::<f64>().ok()?, high.trim().parse::<f64>().ok()?);
    (low <= high && high.is_finite()).then_some((low, high))
}

fn share(number: u64) -> f64 {
    Numbers::from(number).next_share()
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

fn integer(number: f64) -> Value {
    // Written without a fraction; a form's range is far from where this loses digits.
    format!("{number:.0}").parse::<i64>().map_or(Value::Null, |number| json!(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::skeleton;

    fn fill(prompt: &str, seed: u64) -> Value {
        let found = skeleton::find(prompt).unwrap();
        Filler::new(&found, "", Numbers::from(seed)).fill()
    }

    #[test]
    fn a_form_is_filled_by_the_kinds_it_shows() {
        let prompt = "A blue denim jacket. As JSON: {\"category\": \"pants|jacket\", \"confidence\": 0.0, \"stars\": 1-5, \
                      \"keywords\": [\"...\"], \"sold\": true|false, \"count\": 0, \"size\": {\"name\": \"size\"}}";
        for seed in 0..200 {
            let filled = fill(prompt, seed);
            assert_eq!(filled["category"], "jacket");
            assert!((0.0..=1.0).contains(&filled["confidence"].as_f64().unwrap()));
            assert!((1..=5).contains(&filled["stars"].as_i64().unwrap()));
            assert!(filled["sold"].is_boolean());
            assert!((0..=1).contains(&filled["count"].as_i64().unwrap()));
            assert!(!filled["size"]["name"].as_str().unwrap().is_empty());
            let keywords = filled["keywords"].as_array().unwrap();
            assert!((1..=3).contains(&keywords.len()));
            let from_prompt = |text: &Value| text.as_str().unwrap().split(' ').all(|word| prompt.contains(word));
            assert!(keywords.iter().all(from_prompt), "{keywords:?}");
        }
    }

    #[test]
    fn texts_are_made_of_the_material_if_there_is_any() {
        let found = skeleton::find(r#"Form: {"title": "the title", "text": "two sentences"}"#).unwrap();
        for seed in 0..50 {
            let filled = Filler::new(&found, "warm woolen socks", Numbers::from(seed)).fill();
            let title = filled["title"].as_str().unwrap().to_lowercase();
            assert!("warm woolen socks warm woolen".contains(&title), "{filled}");
            let text = filled["text"].as_str().unwrap();
            assert!(text.starts_with(char::is_uppercase) && text.ends_with('.'), "{filled}");
        }
    }

    #[test]
    fn alternatives_are_all_used_when_the_text_names_none() {
        let seen: std::collections::BTreeSet<String> =
            (0..100).map(|seed| fill("JSON {\"x\": \"a|b|c\"}", seed)["x"].as_str().unwrap().to_owned()).collect();
        assert_eq!(seen.len(), 3);
    }

    #[test]
    fn a_part_of_a_word_is_not_a_mention() {
        assert_eq!(mentions("shorts and a short, short one", "short"), 2);
        assert_eq!(mentions("t-shirt", "t-shirt"), 1);
    }
}
