//! Reading a JSON object field by field, noting every problem instead of stopping at the first.

use crate::problem::{Problem, nearest};
use serde_json::{Map, Value};

/// The fields of one JSON object. A field that is `null` counts as absent, as in the Python samples.
#[derive(Debug)]
pub struct Fields<'a> {
    path: String,
    object: &'a Map<String, Value>,
    asked: Vec<&'static str>,
    all: bool,
    problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    /// The fields of `object`, which lies at `path` (empty for the whole input).
    pub fn new(path: &str, object: &'a Map<String, Value>) -> Self {
        Self { path: path.to_owned(), object, asked: Vec::new(), all: false, problems: Vec::new() }
    }

    /// The full name of a field, as messages give it.
    pub fn name(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    /// Notes a problem found outside.
    pub fn note(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The field's value, if it is there.
    pub fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        self.asked.push(field);
        self.object.get(field).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(&mut self, field: &'static str) -> Option<&'a str> {
        let value = self.value(field)?;
        let text = value.as_str();
        if text.is_none() {
            self.wrong(field, value, "must be a text");
        }
        text
    }

    /// A text that must be there and not be blank.
    pub fn required_text(&mut self, field: &'static str) -> Option<&'a str> {
        let present = self.object.get(field).is_some_and(|value| !value.is_null());
        let text = self.text(field);
        if !present || text.is_some_and(|t| t.trim().is_empty()) {
            self.problems.push(Problem::without_value(self.name(field), "is required and must not be empty"));
            return None;
        }
        text
    }

    /// A boolean.
    pub fn boolean(&mut self, field: &'static str) -> Option<bool> {
        let value = self.value(field)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong(field, value, "must be true or false");
        }
        flag
    }

    /// A whole number from `least` to `most`.
    pub fn integer(&mut self, field: &'static str, least: u64, most: u64) -> Option<u64> {
        let value = self.value(field)?;
        let number = value.as_u64().filter(|n| (least..=most).contains(n));
        if number.is_none() {
            self.wrong(field, value, &format!("must be a whole number from {least} to {most}"));
        }
        number
    }

    /// A number from `least` to `most`.
    pub fn number(&mut self, field: &'static str, least: f64, most: f64) -> Option<f64> {
        let value = self.value(field)?;
        let number = value.as_f64().filter(|n| (least..=most).contains(n));
        if number.is_none() {
            self.wrong(field, value, &format!("must be a number from {least} to {most}"));
        }
        number
    }

    /// A list of texts.
    pub fn texts(&mut self, field: &'static str) -> Option<Vec<&'a str>> {
        let value = self.value(field)?;
        let texts = value.as_array().and_then(|list| list.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        if texts.is_none() {
            self.wrong(field, value, "must be a list of texts");
        }
        texts
    }

    /// An object; the caller reads it with [`Fields::inner`].
    pub fn object(&mut self, field: &'static str) -> Option<&'a Map<String, Value>> {
        let value = self.value(field)?;
        let object = value.as_object();
        if object.is_none() {
            self.wrong(field, value, "must be an object");
        }
        object
    }

    /// The fields of an inner object.
    #[must_use]
    pub fn inner(&self, field: &str, object: &'a Map<String, Value>) -> Self {
        Self::new(&self.name(field), object)
    }

    /// Takes all fields for known, where it is not clear which there may be.
    pub(super) fn ask_all(&mut self) {
        self.all = true;
    }

    /// Notes that `field` breaks `rule`.
    pub fn wrong(&mut self, field: &str, value: &Value, rule: &str) {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.problems.push(Problem::new(self.name(field), shown, rule));
    }

    /// All problems, those of fields that nobody asked for included.
    pub fn finish(mut self) -> Vec<Problem> {
        for name in self.object.keys() {
            // `$schema` is for editors.
            if !self.all && name != "$schema" && !self.asked.contains(&name.as_str()) {
                let problem = Problem::without_value(self.name(name), "is not a field of this input");
                self.problems.push(problem.remedy(nearest(name, self.asked.iter().copied())));
            }
        }
        self.problems
    }
}
