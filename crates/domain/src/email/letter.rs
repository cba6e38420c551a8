//! An email within what SNS takes.

/// The longest subject: SNS wants fewer than 100 characters.
const LONGEST_SUBJECT: usize = 99;
/// The most bytes of a message; SNS takes 256 KiB with all that it adds.
const MOST_BYTES: usize = 200 * 1024;
const SENDER: &str = "[bedrock-batch] ";

/// A plain-text email that SNS takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Printable ASCII, at most 99 characters.
    pub subject: String,
    /// At most 200 KiB, without control characters but line feeds.
    pub message: String,
}

impl Email {
    /// An email about `what`, whose name is cut so that the subject also has room for what `happened`.
    pub(super) fn new(what: &str, happened: &str, lines: &[String]) -> Self {
        let (what, happened) = (ascii(what), ascii(happened));
        let room = LONGEST_SUBJECT.saturating_sub(SENDER.len() + happened.len() + 1);
        let what = if what.len() > room { format!("{}...", &what[..room.saturating_sub(3)]) } else { what };
        let mut subject = format!("{SENDER}{what} {happened}");
        subject.truncate(LONGEST_SUBJECT);
        Self { subject, message: message(lines) }
    }
}

/// Printable ASCII; each run of other characters becomes one `?`.
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
        // What a line quotes may have been written by anybody.
        text.extend(line.chars().filter(|c| *c == '\n' || !(c.is_control() || ('\u{fffe}'..='\u{ffff}').contains(c))));
        text.push('\n');
    }
    if text.len() > MOST_BYTES {
        let end = (0..=MOST_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str("\n… (cut off: an email holds no more; the rest is in the summary.json of each run)\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_name_is_cut_and_what_happened_stays() {
        let email = Email::new(&format!("Pipeline {}", "ü".repeat(3)), "has completed", &[]);
        assert_eq!(email.subject, "[bedrock-batch] Pipeline ? has completed");
        let email = Email::new(&"x".repeat(300), "has completed", &[]);
        assert!(email.subject.ends_with("... has completed"), "{}", email.subject);
        assert_eq!(email.subject.len(), 99);
    }

    proptest! {
        #[test]
        fn sns_takes_it(what in "\\PC{0,200}|[\\x00-\\x7f]{0,200}", happened in "\\PC{0,60}", line in ".{0,80}", times in 0usize..5000) {
            let email = Email::new(&what, &happened, &vec![line; times]);
            prop_assert!(email.subject.len() <= 99);
            prop_assert!(email.subject.chars().all(|c| c == ' ' || c.is_ascii_graphic()));
            prop_assert!(email.message.len() < 255 * 1024);
            prop_assert!(email.message.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
