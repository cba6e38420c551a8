//! Reader of the fields of a JSON object, which collects all problems instead of stopping at the first.

use crate::problem::{Problem, nearest};
use serde_json::{Map, Value};

/// Maximum number of unknown fields of an object for which the nearest known name is looked for.
const MAX_SUGGESTIONS: usize = 25;

/// Fields of one JSON object. A field that is `null` counts as absent, as in the Python samples.
#[derive(Debug)]
pub struct Fields<'a> {
    path: String,
    object: &'a Map<String, Value>,
    /// Names of the fields that have been read.
    read: Vec<&'static str>,
    /// If true, unknown fields are not reported.
    accepts_unknown: bool,
    problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    /// Creates a reader for `object`, which is at `path` of the input (empty for the whole input).
    pub fn new(path: &str, object: &'a Map<String, Value>) -> Self {
        Self { path: path.to_owned(), object, read: Vec::new(), accepts_unknown: false, problems: Vec::new() }
    }

    /// Returns the full name of a field, as used in messages.
    pub fn name(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    /// Returns the path of the object.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Adds a problem found by the caller.
    pub fn note(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Adds problems found by the caller.
    pub fn note_all(&mut self, problems: Vec<Problem>) {
        self.problems.extend(problems);
    }

    /// Returns the field's value, if it is present.
    pub fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        if !self.read.contains(&field) {
            self.read.push(field);
        }
        self.object.get(field).filter(|value| !value.is_null())
    }

    /// Reads a text.
    pub fn text(&mut self, field: &'static str) -> Option<&'a str> {
        let value = self.value(field)?;
        let text = value.as_str();
        if text.is_none() {
            self.wrong(field, value, "must be a text");
        }
        text
    }

    /// Reads a text that must be present and not blank.
    pub fn required_text(&mut self, field: &'static str) -> Option<&'a str> {
        let present = self.object.get(field).is_some_and(|value| !value.is_null());
        let text = self.text(field);
        if !present || text.is_some_and(|t| t.trim().is_empty()) {
            self.problems.push(Problem::without_value(self.name(field), "is required and must not be empty"));
            return None;
        }
        text
    }

    /// Reads a boolean.
    pub fn boolean(&mut self, field: &'static str) -> Option<bool> {
        let value = self.value(field)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong(field, value, "must be true or false");
        }
        flag
    }

    /// Reads a whole number from `min` to `max`.
    pub fn integer(&mut self, field: &'static str, min: u64, max: u64) -> Option<u64> {
        let value = self.value(field)?;
        let number = value.as_u64().filter(|n| (min..=max).contains(n));
        if number.is_none() {
            self.wrong(field, value, &format!("must be a whole number from {min} to {max}"));
        }
        number
    }

    /// Reads a number from `min` to `max`.
    pub fn number(&mut self, field: &'static str, min: f64, max: f64) -> Option<f64> {
        let value = self.value(field)?;
        let number = value.as_f64().filter(|n| (min..=max).contains(n));
        if number.is_none() {
            self.wrong(field, value, &format!("must be a number from {min} to {max}"));
        }
        number
    }

    /// Reads a list of texts.
    pub fn texts(&mut self, field: &'static str) -> Option<Vec<&'a str>> {
        let value = self.value(field)?;
        let texts = value.as_array().and_then(|list| list.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        if texts.is_none() {
            self.wrong(field, value, "must be a list of texts");
        }
        texts
    }

    /// Reads an object, whose fields the caller reads with [`Fields::inner`].
    pub fn object(&mut self, field: &'static str) -> Option<&'a Map<String, Value>> {
        let value = self.value(field)?;
        let object = value.as_object();
        if object.is_none() {
            self.wrong(field, value, "must be an object");
        }
        object
    }

    /// Creates a reader for an inner object.
    #[must_use]
    pub fn inner(&self, field: &str, object: &'a Map<String, Value>) -> Self {
        Self::new(&self.name(field), object)
    }

    /// Accepts unknown fields, if it is not clear which fields are allowed.
    pub(super) fn accept_unknown(&mut self) {
        self.accepts_unknown = true;
    }

    /// Adds the problem that `field` breaks `rule`.
    pub fn wrong(&mut self, field: &str, value: &Value, rule: &str) {
        // With the quotes of a text: `"100"` is a text.
        self.problems.push(Problem::new(self.name(field), value, rule));
    }

    /// Returns all problems, including those of unknown fields. The first of these come with the nearest known name; looking
    /// for it is most of the work, and a message lists no more.
    pub fn finish(mut self) -> Vec<Problem> {
        let mut suggestions = 0;
        for name in self.object.keys() {
            // `$schema` is for editors.
            if !self.accepts_unknown && name != "$schema" && !self.read.contains(&name.as_str()) {
                let problem = Problem::without_value(self.name(name), "is not a field of this input");
                suggestions += 1;
                let remedy = (suggestions <= MAX_SUGGESTIONS).then(|| nearest(name, self.read.iter().copied()));
                self.problems.push(problem.remedy(remedy.unwrap_or_default()));
            }
        }
        self.problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_unknown_fields_are_compared_with_known_ones() {
        let object: Map<String, Value> = (0..50_000).map(|n| (format!("model_i{n:05}"), Value::Bool(true))).collect();
        let mut fields = Fields::new("", &object);
        let _ = fields.text("model_id");
        let problems = fields.finish();
        assert_eq!(problems.len(), 50_000);
        let suggested = problems.iter().filter(|problem| problem.remedy.contains("did you mean `model_id`?")).count();
        assert_eq!(suggested, MAX_SUGGESTIONS);
        assert!(problems[MAX_SUGGESTIONS..].iter().all(|problem| problem.remedy.is_empty()));
    }
}
