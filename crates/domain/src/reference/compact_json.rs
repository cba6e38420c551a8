//! JSON without insignificant whitespace, in the order in which it was written: parsers sort or deduplicate the members of
//! objects.

/// Returns a valid JSON text without the whitespace between its tokens.
pub(super) fn compact(json: &str) -> String {
    let mut compacted = String::with_capacity(json.len());
    let (mut in_text, mut is_escaped) = (false, false);
    for letter in json.chars() {
        if in_text {
            in_text = is_escaped || letter != '"';
            is_escaped = !is_escaped && letter == '\\';
        } else if matches!(letter, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_text = letter == '"';
        }
        compacted.push(letter);
    }
    compacted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn whitespace_disappears_and_the_order_stays() {
        let json = "{\n  \"z\": [1, \"a \\\" b\\\\\" , 1.50],\r\n\t\"a\": \" \\\\\\\" \" }\n";
        assert_eq!(compact(json), r#"{"z":[1,"a \" b\\",1.50],"a":" \\\" "}"#);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            "[ \"\\\\a\n]{0,6}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ \"\\\\a]{0,4}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn compact_json_has_the_same_value(value in any_json()) {
            let compacted = compact(&serde_json::to_string_pretty(&value).unwrap());
            prop_assert_eq!(compacted, value.to_string());
        }
    }
}
