//! A value within a request, with its location, which refusals name like those of Bedrock.

use serde_json::Value;

use crate::families::prompt::Refusal;

/// One value of a request.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    at: String,
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value, at: "#".to_owned() }
    }

    /// Returns the refusal of the request because of this value.
    pub(crate) fn refuse(&self, problem: &str) -> Refusal {
        Refusal::invalid(format!(
            "Malformed input request: {}: {problem}, please reformat your input and try again.",
            self.at
        ))
    }

    /// An object with none but these keys.
    pub(crate) fn object(self, allowed: &[&str]) -> Result<Self, Refusal> {
        let fields = self.value.as_object().ok_or_else(|| self.wrong_type("JSONObject"))?;
        match fields.keys().find(|key| !allowed.contains(&key.as_str())) {
            Some(key) => Err(self.refuse(&format!("extraneous key [{key}] is not permitted"))),
            None => Ok(self),
        }
    }

    /// A union: an object with one of these keys.
    pub(crate) fn union(self, allowed: &[&str]) -> Result<Self, Refusal> {
        let union = self.object(allowed)?;
        match union.value.as_object().map_or(0, serde_json::Map::len) {
            1 => Ok(union),
            count => Err(union.refuse(&format!("expected one key, found: {count}"))),
        }
    }

    pub(crate) fn any_object(self) -> Result<Self, Refusal> {
        if self.value.is_object() { Ok(self) } else { Err(self.wrong_type("JSONObject")) }
    }

    pub(crate) fn required(&self, key: &str) -> Result<Self, Refusal> {
        self.optional(key).ok_or_else(|| self.refuse(&format!("required key [{key}] not found")))
    }

    pub(crate) fn optional(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key)?;
        Some(Self { value, at: format!("{}/{key}", self.at) })
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.value.get(key).is_some()
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    pub(crate) fn as_text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    pub(crate) fn text(&self) -> Result<&'a str, Refusal> {
        self.value.as_str().ok_or_else(|| self.wrong_type("String"))
    }

    pub(crate) fn boolean(&self) -> Result<bool, Refusal> {
        self.value.as_bool().ok_or_else(|| self.wrong_type("Boolean"))
    }

    pub(crate) fn list(&self) -> Result<Vec<Self>, Refusal> {
        let items = self.value.as_array().ok_or_else(|| self.wrong_type("JSONArray"))?;
        let node = |(index, value)| Self { value, at: format!("{}/{index}", self.at) };
        Ok(items.iter().enumerate().map(node).collect())
    }

    /// A list that is not empty.
    pub(crate) fn filled_list(&self) -> Result<Vec<Self>, Refusal> {
        let items = self.list()?;
        if items.is_empty() { Err(self.refuse("expected minimum item count: 1, found: 0")) } else { Ok(items) }
    }

    pub(crate) fn strings(&self, max: usize) -> Result<Vec<String>, Refusal> {
        let items = self.list()?;
        if items.len() > max {
            return Err(self.refuse(&format!("expected maximum item count: {max}, found: {}", items.len())));
        }
        items.iter().map(|item| item.text().map(str::to_owned)).collect()
    }

    pub(crate) fn number(&self, min: f64, max: f64) -> Result<f64, Refusal> {
        let number = self.value.as_f64().ok_or_else(|| self.wrong_type("Number"))?;
        if number < min {
            return Err(self.refuse(&format!("{number} is not greater or equal to {min}")));
        }
        if number > max {
            return Err(self.refuse(&format!("{number} is not less or equal to {max}")));
        }
        Ok(number)
    }

    pub(crate) fn integer(&self, min: u64, max: u64) -> Result<u64, Refusal> {
        let number = self.value.as_u64();
        if number.is_none() && !self.value.is_i64() {
            return Err(self.wrong_type("Integer"));
        }
        let number = number.filter(|number| *number >= min);
        let number = number.ok_or_else(|| self.refuse(&format!("{} is not greater or equal to {min}", self.value)))?;
        if number > max { Err(self.refuse(&format!("{number} is not less or equal to {max}"))) } else { Ok(number) }
    }

    /// One of these strings.
    pub(crate) fn one_of(&self, allowed: &[&str]) -> Result<&'a str, Refusal> {
        let text = self.text()?;
        // The value is not repeated: it may be anything that a record holds.
        if allowed.contains(&text) { Ok(text) } else { Err(self.refuse("the value is not a valid enum value")) }
    }

    fn wrong_type(&self, expected: &str) -> Refusal {
        let found = match self.value {
            Value::Null => "Null",
            Value::Bool(_) => "Boolean",
            Value::Number(number) if number.is_f64() => "Double",
            Value::Number(_) => "Integer",
            Value::String(_) => "String",
            Value::Array(_) => "JSONArray",
            Value::Object(_) => "JSONObject",
        };
        self.refuse(&format!("expected type: {expected}, found: {found}"))
    }
}
