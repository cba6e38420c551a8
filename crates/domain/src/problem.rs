//! Problems of an input, collected so that a user sees all of them at once.

use crate::printable;
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
/// Maximum number of characters of a field. The names of unknown fields come from users too.
const MAX_FIELD_CHARS: usize = 300;
/// Maximum number of characters of a rule and of a remedy, which may list names.
const MAX_RULE_CHARS: usize = 8000;
/// Maximum length of a name for which a similar one is searched.
const MAX_COMPARED_BYTES: usize = 500;
/// Maximum number of problems that a message lists; the others are counted.
const MAX_LISTED_PROBLEMS: usize = 25;
/// Maximum length of the listed problems, so that their number is not cut off with the end of a cause.
const MAX_LISTED_LENGTH: usize = printable::MAX_CAUSE_LENGTH - 2000;

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
        write!(f, "{}", printable::shortened(&self.field, MAX_FIELD_CHARS))?;
        if !self.value.is_empty() {
            // Longer than a shortened value with its count.
            write!(f, " is `{}`", printable::shortened(&self.value, MAX_FIELD_CHARS))?;
        }
        write!(f, ": {}", printable::shortened(&self.rule, MAX_RULE_CHARS))?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", printable::shortened(&self.remedy, MAX_RULE_CHARS))?;
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
        let (mut listed, mut length) = (0, 0);
        for problem in self.0.iter().take(MAX_LISTED_PROBLEMS) {
            let text = problem.to_string();
            length += printable::length_in_json(&text);
            if listed > 0 && length > MAX_LISTED_LENGTH {
                break;
            }
            write!(f, "\n- {text}")?;
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
    // Comparing takes time with the product of the lengths, and no known name is as long.
    if name.len() > MAX_COMPARED_BYTES {
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

/// Returns a text of a user or of a server for a message: one line, shortened, without hidden characters.
pub fn shortened(value: &str) -> String {
    printable::shortened(value, MAX_VALUE_CHARS)
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
            text.len() < 32_000 && text.contains("f2 is `2`: ") && text.ends_with("and 996 more"),
            "{}",
            text.len()
        );
        let long = Problem::new("f", "v", "é".repeat(100_000)).remedy("é".repeat(100_000));
        assert!(long.to_string().chars().count() < 20_000);
        assert!(Problems::check(vec![long; 3]).unwrap_err().to_string().ends_with("and 2 more"));
    }

    #[test]
    fn no_message_contains_hidden_characters() {
        let problem = Problem::new("a\u{1b}[31m", "b\r\u{7}", "is\nwrong\u{202e}").remedy("do\u{9b}this");
        assert_eq!(problem.to_string(), "a�[31m is `b �`: is wrong�; do�this");
        let value = "v\u{1b}".to_owned();
        let problem = Problem { field: "f".to_owned(), value, rule: "r".to_owned(), remedy: String::new() };
        assert_eq!(problem.to_string(), "f is `v�`: r");
    }

    #[test]
    fn a_field_that_looks_like_a_remedy_stays_within_its_line() {
        let field = format!("x\n\nWHAT TO DO\n  run this{}", " ".repeat(200_000));
        let text = Problem::new(field, "v", "is not a field").to_string();
        assert!(!text.contains('\n') && text.starts_with("x  WHAT TO DO   run this"), "{text}");
        assert!(text.ends_with("… (199724 more characters) is `v`: is not a field"), "{text}");
    }

    #[test]
    fn long_problems_leave_room_for_the_number_of_the_others() {
        let problems = (0..25).map(|i| Problem::without_value(format!("f{i}"), "r".repeat(7000))).collect();
        let text = Problems::check(problems).unwrap_err().to_string();
        assert!(text.len() < 30_000 && text.ends_with("\n- and 22 more"), "{}", text.len());
    }

    #[test]
    fn the_nearest_name_is_offered() {
        assert_eq!(nearest("joke_abut_topic", ["joke_about_topic", "other"]), "did you mean `joke_about_topic`?");
        assert_eq!(nearest("zzz", ["a", "b"]), "known: `a`, `b`");
    }
}
