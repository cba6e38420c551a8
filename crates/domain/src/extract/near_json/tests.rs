//! Tests of what is read, what is refused, and what is left alone.

use super::{Translation, translated};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Map, Value, json};

fn value(text: &str) -> Option<Value> {
    let Translation { json, length } = translated(text, true).ok()?;
    assert!(text.is_char_boundary(length));
    serde_json::from_str(&json).ok()
}

#[rstest]
#[case::line_break("{\"a\": \"one\ntwo\tthree\r\"}", json!({"a": "one\ntwo\tthree\r"}))]
#[case::other_control_characters("{\"a\": \"\u{1}\"}", json!({"a": "\u{1}"}))]
#[case::trailing_commas("{\"a\": [1, 2,], \"b\": {\"c\": 1,\n},}", json!({"a": [1, 2], "b": {"c": 1}}))]
#[case::missing_comma("{\"a\": 1 \"b\": \"x\"\n\"c\": [{\"d\": 1} {\"d\": 2}]}", json!({"a": 1, "b": "x", "c": [{"d": 1}, {"d": 2}]}))]
#[case::python("{'a': True, 'b': None, 'c': [False, 'x', \"it's\"]}", json!({"a": true, "b": null, "c": [false, "x", "it's"]}))]
#[case::python_quotes(r#"{'a': 'say "hi"', 'b': 'it\'s', 'c': 'it's'}"#, json!({"a": "say \"hi\"", "b": "it's", "c": "it's"}))]
#[case::comments("{\"a\": 1, // one: {\n# two\n/* three */ \"b\": \"// x\" /* } */}", json!({"a": 1, "b": "// x"}))]
#[case::not_a_number(r#"{"a": NaN, "b": [nan, undefined]}"#, json!({"a": null, "b": [null, null]}))]
#[case::bare_names("{a: 1, _b$2: 'x'}", json!({"a": 1, "_b$2": "x"}))]
#[case::numbers("{'a': +1, 'b': .5, 'c': -.5e-3, 'd': 5., 'e': 1E5}", json!({"a": 1, "b": 0.5, "c": -0.0005, "d": 5.0, "e": 1E5}))]
#[case::leading_zeros("{'a': 01234, 'b': -007.5, 'c': 0.5, 'd': 0}", json!({"a": "01234", "b": "-007.5", "c": 0.5, "d": 0}))]
#[case::long_numbers("{'a': 9400111899223344556677}", json!({"a": "9400111899223344556677"}))]
#[case::escapes(r#"{"a": "it\'s snake\_case, \d+\.\w", "b": "\u00e9\n"}"#, json!({"a": "it's snake_case, \\d+\\.\\w", "b": "é\n"}))]
#[case::escapes_that_are_none(r#"{"a": "C:\users\Public"}"#, json!({"a": "C:\\users\\Public"}))]
#[case::half_a_character(r#"{"a": "grin \ud83d", "b": "\ud83d\ude00 \ude00"}"#, json!({"a": "grin \u{FFFD}", "b": "😀 \u{FFFD}"}))]
#[case::spaces("{\u{a0}\"a\":\u{200b}1,\u{3000}\u{feff}\"b\": \"\u{a0}\"}", json!({"a": 1, "b": "\u{a0}"}))]
#[case::full_width("｛＂a＂：1，\"b\"： ［＂x，\"y＂，2］｝", json!({"a": 1, "b": ["x，\"y", 2]}))]
#[case::last_bracket_missing(r#"{"a": {"b": [1, "x"]"#, json!({"a": {"b": [1, "x"]}}))]
#[case::last_bracket_of_a_fenced_block_missing("{\"a\": [1\n```\nDone.", json!({"a": [1]}))]
#[case::more_brackets_than_needed("{'a': 1}}", json!({"a": 1}))]
#[case::text_after_it("{'a': 1} is {'b'", json!({"a": 1}))]
#[case::empty("{ /* none */ }", json!({}))]
fn what_has_one_reading_is_read(#[case] text: &str, #[case] expected: Value) {
    assert_eq!(value(text), Some(expected));
}

#[rstest]
#[case::thousands(r#"{"a": 1,234, "b": "x"}"#)]
#[case::percent(r#"{"a": 95%}"#)]
#[case::infinity(r#"{"a": -Infinity}"#)]
#[case::quote_within_a_string(r#"{"a": "a 5" screen, bright", "b": 1}"#)]
#[case::quotes_within_a_string(r#"{"a": "say "hi" to", "b": 1}"#)]
#[case::doubled_quotes(r#"{"a": "say ""b": 1}"#)]
#[case::two_texts(r#"["a" "b"]"#)]
#[case::two_numbers("[1 2]")]
#[case::object_after_a_text(r#"["a" {"b": 1}]"#)]
#[case::apostrophe_first("{'a': ''tis late'}")]
#[case::bare_value("{a: b}")]
#[case::set("{'a', 'b'}")]
#[case::tuple("{'a': (1, 2)}")]
#[case::no_value(r#"{"a": }"#)]
#[case::no_element("[1,, 2]")]
#[case::only_a_comma("[,]")]
#[case::other_bracket(r#"{"a": [1}"#)]
#[case::unended_string(r#"{"a": "x"#)]
#[case::after_a_comma(r#"{"a": 1,"#)]
#[case::after_a_colon(r#"{"a":"#)]
#[case::unended_comment(r#"{"a": 1 /* }"#)]
#[case::comment_to_the_end(r#"{"a": 1, // one }"#)]
#[case::path_or_line_break(r#"{"a": "C:\new\Users"}"#)]
#[case::formula_or_line_break(r#"{"a": "\nabla \alpha"}"#)]
#[case::hexadecimal_escape(r#"{"a": "\xe9"}"#)]
#[case::continued_line("{\"a\": \"x\\\ny\"}")]
#[case::html("{&quot;a&quot;: 1}")]
#[case::curly_quotes("{“a”: 1}")]
#[case::plural_and_text("{'a': 'the dogs' tails'}")]
#[case::prose("{see photo}")]
#[case::footnote("[see 2]")]
#[case::no_bracket("'a': 1")]
#[case::too_large("{'a': 1e999}")]
fn what_has_several_readings_or_none_is_refused(#[case] text: &str) {
    assert_eq!(value(text), None);
}

#[test]
fn brackets_are_added_only_where_the_model_ended_the_text_itself() {
    for text in [r#"{"a": 1"#, r#"{"a": ["x""#, r#"[{"a": 1}"#] {
        assert!(translated(text, true).is_ok() && translated(text, false).is_err(), "{text}");
    }
}

#[test]
fn values_that_are_too_deep_count_as_read_to_the_end() {
    for part in ["[", "{'a':", "[1,"] {
        let text = part.repeat(100_000);
        assert_eq!(translated(&text, true), Err(text.len()), "{part}");
    }
}

#[test]
fn a_comment_that_does_not_end_counts_as_read() {
    let text = "{/*".repeat(1_000);
    assert_eq!(translated(&text, true), Err(text.len()));
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "([\\\\\"'{}\\[\\],:/#*\\n „“”aü😀｛：\u{a0}]|```|//|\\\\u){0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[\\\\\"'{}:a ]{0,4}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// Returns a value as Python writes it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(flag) => (if *flag { "True" } else { "False" }).to_owned(),
        Value::String(text) => {
            let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
            let escaped = |char: char| match char {
                '\n' => "\\n".to_owned(),
                '\\' => "\\\\".to_owned(),
                _ if char == quote => format!("\\{quote}"),
                _ => char.to_string(),
            };
            let escaped: String = text.chars().map(escaped).collect();
            format!("{quote}{escaped}{quote}")
        }
        Value::Array(elements) => format!("[{}]", elements.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| format!("{}: {}", python(&name.as_str().into()), python(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::Number(number) => number.to_string(),
    }
}

proptest! {
    #[test]
    fn json_stays_as_it_is(elements in prop::collection::vec(values(), 0..4), pretty: bool, after in "[ x}\\]]{0,3}") {
        let list = Value::from(elements);
        let text = if pretty { serde_json::to_string_pretty(&list).unwrap() } else { list.to_string() };
        let translation = translated(&format!("{text}{after}"), true).unwrap();
        prop_assert_eq!(translation.length, text.len());
        let expected: Value = serde_json::from_str(&super::super::long_numbers::quoted_long_numbers(&text)).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&translation.json).unwrap(), expected);
    }

    #[test]
    fn values_are_read_as_python_writes_them(elements in prop::collection::vec(values(), 0..4)) {
        let list = Value::from(elements);
        let text = python(&list);
        let expected = super::super::long_numbers::quoted_long_numbers(&list.to_string()).into_owned();
        prop_assert_eq!(value(&text), Some(serde_json::from_str::<Value>(&expected).unwrap()), "{}", text);
    }

    #[test]
    fn nothing_panics_and_whatever_is_read_is_json(
        text in "[\\[{]([{}\\[\\]\"':,/#*\\\\\\n u1d.eE+-]|ü|｛|＂|“|```|True|//|\\\\ud83d|NaN){0,30}", is_ended: bool,
    ) {
        match translated(&text, is_ended) {
            Ok(Translation { json, length }) => {
                prop_assert!(text.is_char_boundary(length));
                // A number may be too large.
                prop_assert!(serde_json::from_str::<Value>(&json).is_ok() || json.contains(['e', 'E']), "{} → {}", text, json);
            }
            Err(read) => prop_assert!(read <= text.len()),
        }
    }

    #[test]
    fn prose_is_not_read(text in "[A-Za-z .,;!?()'\"„“”’–\\n0-9%€-]{0,80}") {
        prop_assert_eq!(value(&text), None);
        let words = text.replace(['"', '\''], "");
        let bracketed = format!("[{words} and {words}]");
        prop_assert!(value(&bracketed).is_none(), "{}", bracketed);
    }
}
