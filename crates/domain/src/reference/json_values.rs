//! Values of a JSON list: its texts, or a member of its objects.

use crate::problem::listed;
use serde_json::Value;

/// Returns the texts of a list, or (with `member`) this member of each of its objects. An object may lack it.
///
/// # Errors
/// Returns the rule that the value breaks.
pub(super) fn values(value: &Value, member: Option<&str>) -> Result<Vec<String>, String> {
    let Some(list) = value.as_array() else {
        return Err("is not a list: values come from a JSON list of texts or of objects".to_owned());
    };
    let texts = list.iter().enumerate().map(|(at, element)| match member {
        None => text_of(element).ok_or_else(|| {
            let remedy =
                if element.is_object() { "; name a member of its objects: `reference.name.member`" } else { "" };
            format!("is a list whose element {} is not a text{remedy}", at + 1)
        }),
        Some(member) => {
            let Some(object) = element.as_object() else {
                return Err(format!("is a list whose element {} is not an object with a member `{member}`", at + 1));
            };
            match object.get(member) {
                None | Some(Value::Null) => Ok(String::new()),
                Some(value) => text_of(value)
                    .ok_or_else(|| format!("has a member `{member}` that is not a text, in element {}", at + 1)),
            }
        }
    });
    let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    if let Some(member) = member.filter(|member| !list.iter().any(|element| element.get(member).is_some())) {
        let mut members: Vec<&str> =
            list.iter().filter_map(Value::as_object).flatten().map(|(name, _)| name.as_str()).collect();
        members.sort_unstable();
        members.dedup();
        return Err(format!("has no member `{member}` in its objects; the members are {}", listed(&members)));
    }
    Ok(texts)
}

/// Returns a text, or a number as it is written.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!(["a", 7]), None, &["a", "7"])]
    #[case(json!([{"code": "A", "n": 1}, {"code": null}, {"n": 2}]), Some("code"), &["A", "", ""])]
    #[case(json!([{"code": "A", "n": 1}, {"code": "B", "n": 2.5}]), Some("n"), &["1", "2.5"])]
    fn values_of_lists_are_read(#[case] value: Value, #[case] member: Option<&str>, #[case] expected: &[&str]) {
        assert_eq!(values(&value, member).unwrap(), expected);
    }

    #[rstest]
    #[case(json!({"a": 1}), None, "is not a list")]
    #[case(json!(["a", ["b"]]), None, "is a list whose element 2 is not a text")]
    #[case(json!([{"code": "A"}]), None, "is a list whose element 1 is not a text; name a member of its objects: `reference.name.member`")]
    #[case(json!(["a"]), Some("code"), "is a list whose element 1 is not an object with a member `code`")]
    #[case(json!([{"code": []}]), Some("code"), "has a member `code` that is not a text, in element 1")]
    #[case(json!([{"b": 1}, {"a": 1, "b": 2}]), Some("code"), "has no member `code` in its objects; the members are `a`, `b`")]
    fn lists_of_another_form_are_refused(#[case] value: Value, #[case] member: Option<&str>, #[case] expected: &str) {
        let rule = values(&value, member).unwrap_err();
        assert!(rule.starts_with(expected), "{rule}");
    }
}
