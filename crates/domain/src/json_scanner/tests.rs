use super::*;
use proptest::prelude::*;
use serde_json::{Number, Value};

fn value(text: &str) -> Option<Value> {
    let mut scanner = JsonScanner::new(text)?;
    let (span, scalar) = scanner.scalar()?;
    let value = match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => Value::Bool(flag),
        Scalar::Integer(number) => Value::Number(number.into()),
        Scalar::Float(number) => Value::Number(Number::from_f64(number)?),
        Scalar::Text => Value::String(span.of(text).trim_matches('"').to_owned()),
        Scalar::EscapedText => serde_json::from_str(span.of(text)).ok()?,
    };
    (scanner.next_byte().is_none() && scanner.is_at_end()).then_some(value)
}

proptest! {
    #[test]
    fn whatever_is_read_has_the_same_value_otherwise(
        text in r#"[ \n]{0,2}("([a-zü0-9 ]{0,20}|[a"\\nu0dü\n\u{1} ]{0,24})"|-?[0-9.eE+-]{1,22}|true|nul{1,2}|false|[\[{])[ ]{0,2}"#,
    ) {
        if let Some(value) = value(&text) {
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn usual_values_are_read(
        number in -1_000_000_000_000_000_000_i64 + 1..1_000_000_000_000_000_000, whole in -99_999_i64..100_000, fraction in "[0-9]{1,10}",
        text in "[^\u{0}-\u{1f}]{0,40}",
    ) {
        for written in [number.to_string(), format!("{whole}.{fraction}"), Value::from(text.as_str()).to_string()] {
            prop_assert_eq!(value(&written), Some(serde_json::from_str(&written).unwrap()), "{}", written);
        }
    }
}

proptest! {
    #[test]
    fn values_that_are_skipped_are_valid_and_whole(
        json in r#"[ \n]?("[a-zü\\u"]{0,5}"|-?[0-9.e]{1,4}|true|fals|null|\[|[{]( ?"[ab]" ?: ?("x"|[0-9]{1,3}|null|[{]),?){0,3}[}])"#,
    ) {
        let mut scanner = JsonScanner::new(&json).unwrap();
        if scanner.skip_value().is_some() {
            let mut values = serde_json::Deserializer::from_str(&json).into_iter::<Value>();
            prop_assert!(values.next().is_some_and(|value| value.is_ok()), "{}", json);
            prop_assert_eq!(scanner.position(), values.byte_offset());
        }
    }

    #[test]
    fn texts_and_numbers_have_the_values_of_serde_json(text in any::<String>(), number in 0..1_000_000_000_000_000_000_u64) {
        let json = format!(" {} {number}", Value::from(text.as_str()));
        let mut scanner = JsonScanner::new(&json).unwrap();
        let read = scanner.text();
        prop_assert_eq!(read.as_deref(), Some(text.as_str()));
        prop_assert_eq!(scanner.number(), Some(number));
    }
}

#[test]
fn other_numbers_are_left_to_others() {
    for json in ["-1", "1.5", "1e3", "01", "1234567890123456789", "", "x"] {
        assert_eq!(JsonScanner::new(json).unwrap().number(), None, "{json}");
    }
    assert_eq!(JsonScanner::new("0,").unwrap().number(), Some(0));
}
