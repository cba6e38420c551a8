//! Words of texts, for comparisons in which case, marks, order and small words do not count.

use std::collections::BTreeSet;

/// English words that say nothing on their own.
const SMALL_WORDS: [&str; 30] = [
    "a", "an", "and", "any", "are", "as", "at", "be", "but", "by", "for", "from", "has", "have", "in", "is", "it",
    "of", "on", "or", "that", "the", "their", "there", "this", "to", "was", "were", "which", "with",
];

/// Returns the words of a text in lower case, in order.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Returns the text without case and marks. If it has only marks, they count.
pub(super) fn normalized(text: &str) -> String {
    let joined = words(text).collect::<Vec<_>>().join(" ");
    if joined.is_empty() { text.trim().to_owned() } else { joined }
}

/// Returns the words that count.
pub(super) fn significant(text: &str) -> BTreeSet<String> {
    words(text).filter(|word| !SMALL_WORDS.contains(&word.as_str())).collect()
}

/// Returns a key that is the same for texts of the same words, in any order.
pub(super) fn key(text: &str) -> String {
    let words = significant(text);
    if words.is_empty() { normalized(text) } else { words.into_iter().collect::<Vec<_>>().join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_marks_order_and_small_words_do_not_count() {
        assert_eq!(key("The delivery is LATE!"), key("late delivery"));
        assert_ne!(key("late delivery"), key("late deliveries"));
        assert_eq!(normalized(" Sign-up "), normalized("sign up"));
        assert_eq!((normalized("?!"), key("?!")), ("?!".to_owned(), "?!".to_owned()));
        assert_eq!(key("to be"), "to be");
    }
}
