//! Parts of a request that every family words in its own way.

use crate::input::Inference;
use serde_json::Value;

/// Parts of a request other than the text of the row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instructions<'a> {
    pub(crate) inference: &'a Inference,
    pub(crate) system: Option<&'a str>,
    pub(crate) prefill: Option<&'a str>,
    /// JSON Schema that the model's answer is made to match.
    pub(crate) schema: Option<&'a Value>,
}

/// Names of a media type in the formats of the families.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MediaName<'a> {
    pub(crate) mime: &'a str,
    pub(crate) format: &'a str,
}
