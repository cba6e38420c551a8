//! Problems of an input, gathered so that a user sees all of them at once.

use std::fmt;

/// One thing that is wrong: where, what stands there, the rule it breaks, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field or place, e.g. `inference.top_p` or `s3://bucket/a.csv line 17`.
    pub field: String,
    /// What stands there, shortened; empty if nothing does.
    pub value: String,
    /// The rule that is broken.
    pub rule: String,
    /// What the user can do; empty where the rule says it already.
    pub remedy: String,
}

/// The longest value that a message repeats, in characters. Values are the user's and may be huge.
const LONGEST_VALUE: usize = 120;
/// The most problems that one message lists; the rest is counted. An execution's cause holds 32,768 characters.
const MOST_LISTED: usize = 25;

impl Problem {
    /// The same problem, of the field that contains the value.
    #[must_use]
    pub fn of_field(self, field: impl Into<String>) -> Self {
        Self { field: field.into(), ..self }
    }

    /// A problem of `field`, whose value is shown (shortened).
    pub fn new(field: impl Into<String>, value: impl fmt::Display, rule: impl Into<String>) -> Self {
        Self { field: field.into(), value: shortened(&value.to_string()), rule: rule.into(), remedy: String::new() }
    }

    /// A problem of a field that is absent, or whose value must not be repeated.
    pub fn without_value(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { field: field.into(), value: String::new(), rule: rule.into(), remedy: String::new() }
    }

    /// The same problem, with what to do about it.
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
        write!(f, ": {}", self.rule)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

/// All that is wrong with an input. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// `Err` with all of `problems` if there is any, else `Ok`.
    ///
    /// # Errors
    /// When `problems` is not empty.
    pub fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// The problems, in the order they were found.
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
        for problem in self.0.iter().take(MOST_LISTED) {
            write!(f, "\n- {problem}")?;
        }
        if self.0.len() > MOST_LISTED {
            write!(f, "\n- and {} more", self.0.len() - MOST_LISTED)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// `name` put among `known` names for a message: the nearest ones first if any is close, else all of them.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let mut close: Vec<(f64, &str)> =
        known.iter().map(|k| (strsim::jaro_winkler(name, k), *k)).filter(|(score, _)| *score > 0.8).collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0));
    if close.is_empty() {
        return format!("known: {}", listed(&known));
    }
    let names: Vec<String> = close.iter().take(3).map(|(_, k)| format!("`{k}`")).collect();
    format!("did you mean {}?", names.join(" or "))
}

/// Names for a message: at most 40, the rest counted.
pub fn listed(names: &[&str]) -> String {
    const MOST: usize = 40;
    let shown: Vec<String> = names.iter().take(MOST).map(|n| format!("`{}`", shortened(n))).collect();
    match names.len() {
        0 => "none".to_owned(),
        n if n > MOST => format!("{} and {} more", shown.join(", "), n - MOST),
        _ => shown.join(", "),
    }
}

fn shortened(value: &str) -> String {
    without_controls(value, LONGEST_VALUE)
}

/// Returns at most `max` characters of a text, with spaces in place of control characters: a terminal would obey them.
fn without_controls(text: &str, max: usize) -> String {
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
