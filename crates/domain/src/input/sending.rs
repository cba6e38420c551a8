//! Options to send what is not worth a request by default.

use super::Fields;
use serde::{Deserialize, Serialize};

/// Options to send what is not worth a request by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SendingOptions {
    /// If true, prompts may show no column, so that all rows send the same request.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_constant_prompt: bool,
    /// If true, rows are sent although all cells that their prompt shows are blank.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ask_blank_rows: bool,
}

impl SendingOptions {
    /// Reads these options from the fields of an execution input.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            allow_constant_prompt: fields.boolean("allow_constant_prompt").unwrap_or(false),
            ask_blank_rows: fields.boolean("ask_blank_rows").unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn options_are_stored_only_where_they_are_set() {
        let read = |input: serde_json::Value| {
            let mut fields = Fields::new("", input.as_object().unwrap());
            let options = SendingOptions::read(&mut fields);
            assert_eq!(fields.finish(), []);
            options
        };
        assert_eq!(serde_json::to_value(read(json!({}))).unwrap(), json!({}), "plans stay as they were");
        let set = json!({"allow_constant_prompt": true, "ask_blank_rows": true});
        assert_eq!(serde_json::to_value(read(set.clone())).unwrap(), set);
        assert_eq!(serde_json::from_value::<SendingOptions>(set.clone()).unwrap(), read(set));
    }
}
