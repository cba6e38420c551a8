//! Rules of a schema for a value without values within it.

use crate::json_scanner::{Scalar, Span};
use serde_json::{Map, Value};

/// Keywords that limit nothing.
const NOTES: [&str; 8] =
    ["$comment", "default", "deprecated", "description", "example", "examples", "readOnly", "title"];
/// Largest absolute value of a limit: those up to it are exact as 64-bit floats.
const MAX_LIMIT: f64 = 9_007_199_254_740_992.0;
/// Maximum number of allowed texts, which are compared one by one.
const MAX_TEXTS: usize = 64;

/// Set of types that a value may have, by their bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Types(u8);

impl Types {
    const NONE: Self = Self(0);
    const NULL: Self = Self(1);
    const BOOLEAN: Self = Self(2);
    /// Numbers that are written without a fraction: `2.0` is an integer too, which is left to the general way.
    const INTEGER: Self = Self(4);
    const FLOAT: Self = Self(8);
    const TEXT: Self = Self(16);
    const ALL: Self = Self(31);

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Rules for a value, all of which must hold.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    types: Types,
    /// Allowed texts, with the quotes around them; a `null` beside them is allowed by `null_listed`.
    texts: Option<Vec<String>>,
    null_listed: bool,
    minimum: Option<f64>,
    maximum: Option<f64>,
}

impl Rule {
    /// Returns the rule of a value that may be anything.
    pub(super) fn any() -> Self {
        Self { types: Types::ALL, texts: None, null_listed: true, minimum: None, maximum: None }
    }

    /// Returns the rule of a schema within the schema `root`; `None` if it has a keyword that is not held here.
    pub(super) fn of(schema: &Value, root: &Value) -> Option<Self> {
        match schema {
            Value::Bool(true) => Some(Self::any()),
            Value::Object(object) => Self::of_object(object, root, true),
            _ => None,
        }
    }

    fn of_object(schema: &Map<String, Value>, root: &Value, may_refer: bool) -> Option<Self> {
        let mut rule = Self::any();
        let mut others = schema.iter().filter(|(keyword, _)| !is_note(keyword));
        // As pydantic writes enums and optional values: nothing else applies to the value.
        if let (Some((keyword, value)), None) = (others.next(), others.next())
            && may_refer
        {
            match (keyword.as_str(), value) {
                ("$ref", Value::String(reference)) => {
                    let pointer = reference.strip_prefix('#').filter(|pointer| !pointer.contains('%'))?;
                    return Self::of_object(root.pointer(pointer)?.as_object()?, root, false);
                }
                ("anyOf", Value::Array(branches)) => return Self::optional(branches, root),
                _ => {}
            }
        }
        for (keyword, value) in schema.iter().filter(|(keyword, _)| !is_note(keyword)) {
            match keyword.as_str() {
                "type" => rule.types = types_of(value)?,
                "enum" => (rule.texts, rule.null_listed) = texts_of(value)?,
                "minimum" => rule.minimum = Some(limit_of(value)?),
                "maximum" => rule.maximum = Some(limit_of(value)?),
                _ => return None,
            }
        }
        Some(rule)
    }

    /// Returns the rule of a value that is `null` or matches one other schema.
    fn optional(branches: &[Value], root: &Value) -> Option<Self> {
        let null = Value::Object(Map::from_iter([("type".to_owned(), "null".into())]));
        let [one, other] = branches else { return None };
        let schema = match (*one == null, *other == null) {
            (false, true) => one,
            (true, false) => other,
            _ => return None,
        };
        let mut rule = match schema.get("$ref").and_then(Value::as_str) {
            Some(_) => Self::of(schema, root)?,
            None => Self::of_object(schema.as_object()?, root, false)?,
        };
        (rule.types, rule.null_listed) = (rule.types.with(Types::NULL), true);
        Some(rule)
    }

    /// Returns true if the value, which is written like `span` of `text`, certainly matches. Others may match in another way.
    pub(super) fn is_held(&self, scalar: Scalar, span: Span, text: &str) -> bool {
        let is_listed = match &self.texts {
            None => true,
            Some(texts) => match scalar {
                Scalar::Text => texts.iter().any(|allowed| allowed == span.of(text)),
                Scalar::Null => self.null_listed,
                _ => false,
            },
        };
        let is_within = |number: f64| {
            let is_exact = number.abs() <= MAX_LIMIT || (self.minimum.is_none() && self.maximum.is_none());
            is_exact
                && self.minimum.is_none_or(|least| least <= number)
                && self.maximum.is_none_or(|most| number <= most)
        };
        let (of_type, is_in_range) = match scalar {
            Scalar::Null => (Types::NULL, true),
            Scalar::Boolean(_) => (Types::BOOLEAN, true),
            Scalar::Integer(number) => (Types::INTEGER, is_within(number as f64)),
            Scalar::Float(number) => (Types::FLOAT, is_within(number)),
            Scalar::Text | Scalar::EscapedText => (Types::TEXT, true),
        };
        is_listed && is_in_range && self.types.has(of_type)
    }
}

fn is_note(keyword: &str) -> bool {
    // Aliases replace texts that are not allowed themselves: these are not held here.
    NOTES.contains(&keyword) || keyword.starts_with("x-")
}

fn types_of(types: &Value) -> Option<Types> {
    let names: Vec<&str> = match types {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().map(Value::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    names.into_iter().try_fold(Types::NONE, |types, name| {
        let one = match name {
            "null" => Types::NULL,
            "boolean" => Types::BOOLEAN,
            "integer" => Types::INTEGER,
            "number" => Types::INTEGER.with(Types::FLOAT),
            "string" => Types::TEXT,
            _ => return None,
        };
        Some(types.with(one))
    })
}

/// Returns the texts of an `enum`, as JSON writes them, and true if it allows `null`.
fn texts_of(values: &Value) -> Option<(Option<Vec<String>>, bool)> {
    let values = values.as_array().filter(|values| values.len() <= MAX_TEXTS)?;
    let (mut texts, mut null_listed) = (Vec::new(), false);
    for value in values {
        match value {
            Value::String(_) => texts.push(value.to_string()),
            Value::Null => null_listed = true,
            _ => return None,
        }
    }
    Some((Some(texts), null_listed))
}

fn limit_of(limit: &Value) -> Option<f64> {
    limit.as_f64().filter(|limit| limit.abs() < MAX_LIMIT)
}
