//! Reader of the attributes of an item. A required attribute that is missing, or one with an invalid value, is an error that
//! names item, attribute and value: the outcome and the cost of a job are never guessed.

use crate::error::EngineError;
use aws_sdk_dynamodb::types::AttributeValue;
use bedrock_batch_domain::contract::job_table::PARTITION_KEY;
use bedrock_batch_domain::printable;
use serde::de::DeserializeOwned;
use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

/// Item as returned by DynamoDB.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Maximum number of characters of a value that a message quotes.
const MAX_SHOWN_CHARS: usize = 120;

/// Attributes of an item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes<'a> {
    name: &'a str,
    item: &'a Item,
}

impl<'a> Attributes<'a> {
    /// Creates a reader of `item`, which must have a key.
    pub(super) fn of(item: &'a Item) -> Result<Self, EngineError> {
        match item.get(PARTITION_KEY) {
            Some(AttributeValue::S(name)) => Ok(Self { name, item }),
            other => Err(corrupt("without a name", PARTITION_KEY, other, "text")),
        }
    }

    /// Returns the value of an attribute, or `None` if it is absent or null.
    fn value(&self, attribute: &str) -> Option<&'a AttributeValue> {
        self.item.get(attribute).filter(|value| !value.is_null())
    }

    fn corrupt(&self, attribute: &str, expected: &str) -> EngineError {
        corrupt(&format!("`{}`", self.name), attribute, self.value(attribute), expected)
    }

    pub(super) fn text(&self, attribute: &str) -> Result<Option<String>, EngineError> {
        match self.value(attribute) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.corrupt(attribute, "text")),
        }
    }

    pub(super) fn flag(&self, attribute: &str) -> Result<Option<bool>, EngineError> {
        match self.value(attribute) {
            None => Ok(None),
            Some(AttributeValue::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.corrupt(attribute, "true or false")),
        }
    }

    /// A set of texts; empty if it is absent, since DynamoDB stores no empty set.
    pub(super) fn texts(&self, attribute: &str) -> Result<BTreeSet<String>, EngineError> {
        match self.value(attribute) {
            None => Ok(BTreeSet::new()),
            Some(AttributeValue::Ss(texts)) => Ok(texts.iter().cloned().collect()),
            Some(_) => Err(self.corrupt(attribute, "a set of texts")),
        }
    }

    pub(super) fn number<N: FromStr>(&self, attribute: &str) -> Result<Option<N>, EngineError> {
        let wrong = || self.corrupt(attribute, &format!("a number of type {}", std::any::type_name::<N>()));
        match self.value(attribute) {
            None => Ok(None),
            Some(AttributeValue::N(number)) => number.parse().map(Some).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }

    pub(super) fn json<T: DeserializeOwned>(&self, attribute: &str) -> Result<Option<T>, EngineError> {
        let Some(json) = self.text(attribute)? else { return Ok(None) };
        let read = serde_json::from_str(&json);
        read.map(Some).map_err(|error| self.corrupt(attribute, "JSON of this version").caused_by(error))
    }

    pub(super) fn parsed<T>(
        &self,
        attribute: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, EngineError> {
        let Some(text) = self.text(attribute)? else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| self.corrupt(attribute, expected))
    }

    /// A name or an ARN, in the form that its type checks.
    pub(super) fn id<T: FromStr>(&self, attribute: &str, expected: &str) -> Result<Option<T>, EngineError> {
        self.parsed(attribute, expected, |text| text.parse().ok())
    }

    pub(super) fn required_id<T: FromStr>(&self, attribute: &str, expected: &str) -> Result<T, EngineError> {
        self.id(attribute, expected)?.ok_or_else(|| self.corrupt(attribute, expected))
    }

    pub(super) fn required_text(&self, attribute: &str) -> Result<String, EngineError> {
        self.text(attribute)?.ok_or_else(|| self.corrupt(attribute, "text"))
    }

    pub(super) fn required_number<N: FromStr>(&self, attribute: &str) -> Result<N, EngineError> {
        self.number(attribute)?.ok_or_else(|| self.corrupt(attribute, "a number"))
    }

    pub(super) fn required_flag(&self, attribute: &str) -> Result<bool, EngineError> {
        self.flag(attribute)?.ok_or_else(|| self.corrupt(attribute, "true or false"))
    }

    pub(super) fn required_parsed<T>(
        &self,
        attribute: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, EngineError> {
        self.parsed(attribute, expected, parse)?.ok_or_else(|| self.corrupt(attribute, expected))
    }
}

fn corrupt(item: &str, attribute: &str, value: Option<&AttributeValue>, expected: &str) -> EngineError {
    let found = value.map_or_else(|| "is missing".to_owned(), |value| format!("is `{}`", shown(value)));
    EngineError::corrupt(format!(
        "item {item} of the job table: attribute `{attribute}` {found}, and must be {expected}"
    ))
}

fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => printable::shortened(text, MAX_SHOWN_CHARS),
        AttributeValue::Bool(flag) => flag.to_string(),
        _ => "a value of another type".to_owned(),
    }
}
