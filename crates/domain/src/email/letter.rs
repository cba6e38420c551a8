//! Emails within the limits of SNS.

use crate::printable;

/// Maximum length of a subject: SNS requires fewer than 100 characters.
const MAX_SUBJECT_CHARS: usize = 99;
/// Maximum size of a message; the limit of SNS is 256 KiB, including what it adds.
const MAX_MESSAGE_BYTES: usize = 200 * 1024;
const SENDER: &str = "[bedrock-batch] ";

/// Plain-text email that SNS accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Printable ASCII, at most 99 characters.
    pub subject: String,
    /// At most 200 KiB, without hidden characters other than line feeds.
    pub message: String,
}

impl Email {
    /// Creates an email of `lines` about `thing`, whose name is truncated so that the subject has room for what `happened` too.
    pub(super) fn new(thing: &str, happened: &str, lines: &[String]) -> Self {
        let (thing, happened) = (ascii(thing), ascii(happened));
        let room = MAX_SUBJECT_CHARS.saturating_sub(SENDER.len() + happened.len() + 1);
        let thing = if thing.len() > room { format!("{}...", &thing[..room.saturating_sub(3)]) } else { thing };
        let mut subject = format!("{SENDER}{thing} {happened}");
        subject.truncate(MAX_SUBJECT_CHARS);
        Self { subject, message: message(lines) }
    }

    /// Returns this email with `detail` at the end of its subject, as far as there is room for it.
    #[must_use]
    pub(super) fn with_detail(mut self, detail: &str) -> Self {
        let detail = ascii(detail);
        let room = MAX_SUBJECT_CHARS.saturating_sub(self.subject.len() + 1);
        if detail.len() <= room {
            self.subject = format!("{} {detail}", self.subject);
        } else if let Some(cut) = room.checked_sub(3).and_then(|room| detail.get(..room)) {
            self.subject = format!("{} {cut}...", self.subject);
        }
        self
    }
}

/// Converts a text to printable ASCII; each sequence of other characters becomes one `?`.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            out.push(c);
        } else if !out.ends_with('?') {
            out.push('?');
        }
    }
    out
}

fn message(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        // Lines quote texts of anyone. One that could end its line could also add a section to the email.
        text.push_str(&printable::line(line));
        text.push('\n');
    }
    if text.len() > MAX_MESSAGE_BYTES {
        let end = (0..=MAX_MESSAGE_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str(
            "\n… (truncated to the maximum size of an email; the remainder is in the summary.json of each run)\n",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_name_is_truncated_but_not_what_happened() {
        let email = Email::new(&format!("Pipeline {}", "ü".repeat(3)), "has completed", &[]);
        assert_eq!(email.subject, "[bedrock-batch] Pipeline ? has completed");
        let email = Email::new(&"x".repeat(300), "has completed", &[]);
        assert!(email.subject.ends_with("... has completed"), "{}", email.subject);
        assert_eq!(email.subject.len(), 99);
    }

    proptest! {
        #[test]
        fn every_email_is_within_the_limits_of_sns(thing in "\\PC{0,200}|[\\x00-\\x7f]{0,200}", happened in "\\PC{0,60}", line in ".{0,80}|[\\x00-\\x9f\u{2028}\u{202e}]{0,9}", times in 0usize..5000) {
            let email = Email::new(&thing, &happened, &vec![line; times]);
            prop_assert!(email.subject.len() <= 99);
            prop_assert!(email.subject.chars().all(|c| c == ' ' || c.is_ascii_graphic()));
            prop_assert!(email.message.len() < 255 * 1024);
            prop_assert!(!email.message.replace('\n', "").contains(printable::is_hidden));
            prop_assert!(email.message.lines().count() <= times + 2, "a text adds no line");
        }
    }
}
