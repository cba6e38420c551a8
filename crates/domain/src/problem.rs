//! Problems of an input, collected so that a user sees all of them at once.

use std::borrow::Cow;
use std::fmt;

/// One problem of an input: the field, its value, the rule that it breaks, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Field or location, for example `inference.top_p` or `s3://bucket/a.csv line 17`.
    pub field: String,
    /// Its value, shortened; empty if there is none.
    pub value: String,
    /// Rule that is broken.
    pub rule: String,
    /// Remedy; empty if it is obvious from the rule.
    pub remedy: String,
}

/// Maximum number of characters of a value that a message quotes. Values come from users and may be huge.
const MAX_VALUE_CHARS: usize = 120;
/// Maximum number of characters of a rule or a remedy in a message. Both may list names of users.
const MAX_RULE_CHARS: usize = 8_000;
/// Maximum number of problems that a message lists; the others are counted.
const MAX_LISTED_PROBLEMS: usize = 25;
/// Maximum number of bytes of the problems that a message lists after the first one. Step Functions cuts off causes after 32,768
/// characters, and a cause that is cut off is shown as the JSON that it is part of.
const MAX_LISTED_BYTES: usize = 20_000;

impl Problem {
    /// Replaces the field, for example by the one that contains the value.
    #[must_use]
    pub fn of_field(self, field: impl Into<String>) -> Self {
        Self { field: field.into(), ..self }
    }

    /// Creates a problem of `field` that quotes its value, shortened.
    pub fn new(field: impl Into<String>, value: impl fmt::Display, rule: impl Into<String>) -> Self {
        Self { field: field.into(), value: shortened(&value.to_string()), rule: rule.into(), remedy: String::new() }
    }

    /// Creates a problem of a field that is absent, or whose value must not be quoted.
    pub fn without_value(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { field: field.into(), value: String::new(), rule: rule.into(), remedy: String::new() }
    }

    /// Adds the remedy.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names of unknown fields come from users too.
        const MAX_FIELD_CHARS: usize = 300;
        write!(f, "{}", without_controls(&self.field, MAX_FIELD_CHARS))?;
        if !self.value.is_empty() {
            write!(f, " is `{}`", self.value)?;
        }
        write!(f, ": {}", beginning(&self.rule))?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", beginning(&self.remedy))?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// All problems of an input. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Converts a list of problems to a result.
    ///
    /// # Errors
    /// Returns all of `problems` if there are any.
    pub fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// Replaces the field of all problems.
    #[must_use]
    pub fn of_field(self, field: &str) -> Self {
        Self(self.0.into_iter().map(|problem| problem.of_field(field)).collect())
    }

    /// Returns the problems in the order in which they were found.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return write!(f, "{only}");
        }
        write!(f, "{} problems, nothing was submitted:", self.0.len())?;
        let (mut listed, mut bytes) = (0, 0);
        for problem in self.0.iter().take(MAX_LISTED_PROBLEMS) {
            let line = format!("\n- {problem}");
            bytes += line.len();
            if listed > 0 && bytes > MAX_LISTED_BYTES {
                break;
            }
            f.write_str(&line)?;
            listed += 1;
        }
        if self.0.len() > listed {
            write!(f, "\n- and {} more", self.0.len() - listed)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Suggests the nearest of the `known` names in place of `name`, or lists all of them if none is close.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    suggestion(name, &known).unwrap_or_else(|| format!("known: {}", listed(&known)))
}

/// Suggests the nearest of the `known` names in place of `name`; `None` if none is close.
pub fn suggestion(name: &str, known: &[&str]) -> Option<String> {
    // The cost is the product of both lengths. A name that is much longer is not a mistyped one.
    const MAX_NAME_BYTES: usize = 1024;
    if name.len() > MAX_NAME_BYTES {
        return None;
    }
    let mut close: Vec<(f64, &str)> =
        known.iter().map(|k| (strsim::jaro_winkler(name, k), *k)).filter(|(score, _)| *score > 0.8).collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0));
    let names: Vec<String> = close.iter().take(3).map(|(_, k)| format!("`{k}`")).collect();
    (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
}

/// Lists names for a message: at most 60 of them, and the number of the others.
pub fn listed(names: &[&str]) -> String {
    const MAX_NAMES: usize = 60;
    let shown: Vec<String> = names.iter().take(MAX_NAMES).map(|n| format!("`{}`", shortened(n))).collect();
    match names.len() {
        0 => "none".to_owned(),
        n if n > MAX_NAMES => format!("{} and {} more", shown.join(", "), n - MAX_NAMES),
        _ => shown.join(", "),
    }
}

/// Returns a text of a user or of a server for a message: shortened, without control characters.
pub fn shortened(value: &str) -> String {
    without_controls(value, MAX_VALUE_CHARS)
}

/// Returns the beginning of a rule or a remedy, or all of it if it is short.
fn beginning(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_RULE_CHARS) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Returns at most `max` characters of a text, with spaces in place of control characters: a terminal would obey them.
pub(crate) fn without_controls(text: &str, max: usize) -> String {
    let clean: String = text.chars().take(max).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(max).is_some() { format!("{clean}…") } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_problem_reads_as_a_sentence_and_several_as_a_list() {
        let one = Problem::new("inference.top_p", 2.5, "must be from 0 to 1").remedy("leave it out for the default");
        assert_eq!(
            Problems::from(one.clone()).to_string(),
            "inference.top_p is `2.5`: must be from 0 to 1; leave it out for the default"
        );
        let several = Problems::check(vec![one, Problem::without_value("model_id", "is required")]).unwrap_err();
        assert!(several.to_string().starts_with("2 problems, nothing was submitted:\n- inference.top_p"));
    }

    #[test]
    fn a_message_stays_short_however_bad_the_input() {
        let problems = (0..1000).map(|i| Problem::new(format!("f{i}"), "x".repeat(10_000), "rule")).collect();
        let text = Problems::check(problems).unwrap_err().to_string();
        assert!(text.len() < 5_000, "{}", text.len());
        assert!(text.ends_with("and 975 more"));
        // Of a column of a wide table, each message lists the others.
        let names: Vec<String> = (0..60).map(|at| format!("{at}{}", "n".repeat(100))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let rule = format!("is not a column; the columns are {}", listed(&names));
        let problems = (0..1000).map(|i| Problem::new(format!("f{i}"), i, rule.as_str())).collect();
        let text = Problems::check(problems).unwrap_err().to_string();
        assert!(
            text.len() < 25_000 && text.contains("f2 is `2`: ") && text.ends_with("and 997 more"),
            "{}",
            text.len()
        );
        let long = Problem::new("f", "v", "é".repeat(100_000)).remedy("é".repeat(100_000));
        assert!(long.to_string().chars().count() < 20_000);
        assert!(Problems::check(vec![long; 3]).unwrap_err().to_string().ends_with("and 2 more"));
    }

    #[test]
    fn no_message_contains_control_characters() {
        let problem = Problem::new("a\u{1b}[31m", "b\r\u{7}", "is wrong");
        assert_eq!(problem.to_string(), "a [31m is `b  `: is wrong");
    }

    #[test]
    fn the_nearest_name_is_offered() {
        assert_eq!(nearest("joke_abut_topic", ["joke_about_topic", "other"]), "did you mean `joke_about_topic`?");
        assert_eq!(nearest("zzz", ["a", "b"]), "known: `a`, `b`");
    }
}
