//! Values of JSON as they are written: their kinds, texts and elements, without a loss of digits or of the order of members.

use serde::de::{DeserializeSeed, Deserializer as _, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Maximum whole number, up to which each has a float of its own.
const MAX_EXACT_INTEGER: u64 = 1 << 53;
/// Maximum number of digits of a number that a float certainly gives back, as far as digits count.
const MAX_FLOAT_DIGITS: usize = 17;

/// Kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    /// Whole number that is exact as a float too.
    Integer,
    /// Whole number of 64 bits that is not.
    LongInteger,
    Float,
    /// Number that would lose digits as an integer and as a float.
    LongNumber,
    Text,
    List,
    Object,
}

/// Returns the kind of a valid value; `None` for null.
pub(super) fn kind_of(json: &str) -> Option<Kind> {
    Some(match json.as_bytes().first()? {
        b'n' => return None,
        b't' | b'f' => Kind::Boolean,
        b'"' => Kind::Text,
        b'[' => Kind::List,
        b'{' => Kind::Object,
        _ => kind_of_number(json),
    })
}

fn kind_of_number(json: &str) -> Kind {
    let (mantissa, has_exponent) = json.find(['e', 'E']).map_or((json, false), |at| (&json[..at], true));
    // Zero with a sign is a float.
    if !has_exponent && !mantissa.contains('.') && mantissa != "-0" {
        return match json.parse::<i64>() {
            Ok(number) if number.unsigned_abs() <= MAX_EXACT_INTEGER => Kind::Integer,
            Ok(_) => Kind::LongInteger,
            Err(_) => Kind::LongNumber,
        };
    }
    // Zeros before the first digit and after the last one do not count.
    let (mut digits, mut significant) = (0, 0);
    for digit in mantissa.bytes().filter(u8::is_ascii_digit) {
        digits += usize::from(digits > 0 || digit != b'0');
        significant = if digit == b'0' { significant } else { digits };
    }
    let is_kept = json.parse::<f64>().is_ok_and(|number| number.is_finite() && (number != 0.0 || significant == 0));
    if is_kept && significant <= MAX_FLOAT_DIGITS { Kind::Float } else { Kind::LongNumber }
}

/// Returns the text that a string stands for; `None` if it has half of a pair of surrogates, which no text can hold.
pub(super) fn text_of(json: &str) -> Option<Cow<'_, str>> {
    if memchr::memchr(b'\\', json.as_bytes()).is_none() {
        return json.get(1..json.len().checked_sub(1)?).map(Cow::Borrowed);
    }
    serde_json::from_str::<String>(json).ok().map(Cow::Owned)
}

/// Returns a cell of text: that of a string, other values as they are written, without white space between their parts.
pub(super) fn cell_of(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes().first()? {
        b'"' => text_of(json),
        b'[' | b'{' => Some(Cow::Owned(compact(json))),
        _ => Some(Cow::Borrowed(json)),
    }
}

/// Returns a value without white space outside its strings.
fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut remainder = json;
    while let Some(quote) = memchr::memchr(b'"', remainder.as_bytes()) {
        push_without_space(&mut text, &remainder[..quote]);
        let end = quote + string_bytes(&remainder[quote..]);
        text.push_str(&remainder[quote..end]);
        remainder = &remainder[end..];
    }
    push_without_space(&mut text, remainder);
    text
}

fn push_without_space(text: &mut String, json: &str) {
    json.split([' ', '\t', '\r', '\n']).for_each(|part| text.push_str(part));
}

/// Returns the length of the string that a value begins with, quotes included.
fn string_bytes(json: &str) -> usize {
    let bytes = json.as_bytes();
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    json.len()
}

/// Calls `member` with the name and the value of each member of an object, as often as a name occurs.
///
/// # Errors
/// Returns an error if the text is not one valid object.
pub(super) fn each_member<'a>(
    object: &'a str,
    member: impl FnMut(Cow<'a, str>, &'a str),
) -> Result<(), serde_json::Error> {
    let mut deserializer = Deserializer::from_str(object);
    deserializer.deserialize_map(Members(member))?;
    deserializer.end()
}

struct Members<F>(F);

impl<'de, F: FnMut(Cow<'de, str>, &'de str)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key_seed(Name)? {
            let value: &RawValue = members.next_value()?;
            (self.0)(name, value.get());
        }
        Ok(())
    }
}

/// Name of a member, which is copied only if it has escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Calls `element` with each element of a valid list.
pub(super) fn each_element<'a>(list: &'a str, element: impl FnMut(&'a str)) {
    // What is not a list has no elements.
    let _: Result<(), serde_json::Error> = Deserializer::from_str(list).deserialize_seq(Elements(element));
}

struct Elements<F>(F);

impl<'de, F: FnMut(&'de str)> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element::<&RawValue>()? {
            (self.0)(value.get());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::Value;

    #[rstest]
    #[case("null", None)]
    #[case("true", Some(Kind::Boolean))]
    #[case("0", Some(Kind::Integer))]
    #[case("-9007199254740992", Some(Kind::Integer))]
    #[case("9007199254740993", Some(Kind::LongInteger))]
    #[case("-9223372036854775808", Some(Kind::LongInteger))]
    #[case("9223372036854775808", Some(Kind::LongNumber))]
    #[case("-0", Some(Kind::Float))]
    #[case("1.0", Some(Kind::Float))]
    #[case("1e3", Some(Kind::Float))]
    #[case("0.30000000000000004", Some(Kind::Float))]
    #[case("1.000000000000000000000000", Some(Kind::Float))]
    #[case("0.1234567890123456789", Some(Kind::LongNumber))]
    #[case("1e999", Some(Kind::LongNumber))]
    #[case("1e-999", Some(Kind::LongNumber))]
    #[case("0e999", Some(Kind::Float))]
    #[case("\"5\"", Some(Kind::Text))]
    #[case("[1]", Some(Kind::List))]
    #[case("{\"a\":1}", Some(Kind::Object))]
    fn kinds_are_those_that_keep_all_digits(#[case] json: &str, #[case] expected: Option<Kind>) {
        assert_eq!(kind_of(json), expected);
    }

    #[rstest]
    #[case(r#"{ "b" : [ 1.10 , "x y" ],"a": {"q": "\" \\"} }"#, r#"{"b":[1.10,"x y"],"a":{"q":"\" \\"}}"#)]
    #[case("[\t1,\r\n 2 ]", "[1,2]")]
    #[case("12345678901234567890", "12345678901234567890")]
    #[case(r#""tab\t""#, "tab\t")]
    fn cells_are_written_as_in_the_file(#[case] json: &str, #[case] expected: &str) {
        assert_eq!(cell_of(json).unwrap(), expected);
    }

    #[test]
    fn halves_of_pairs_of_surrogates_are_no_text() {
        assert_eq!(text_of(r#""\ud83d\ude00""#).unwrap(), "😀");
        assert_eq!(text_of(r#""\ud83d""#), None);
    }

    #[test]
    fn members_come_in_their_order_and_as_often_as_they_occur() {
        let mut found = Vec::new();
        each_member(r#" {"b": 1, "a\u0062": null, "b": []} "#, |name, value| found.push(format!("{name}={value}")))
            .unwrap();
        assert_eq!(found, ["b=1", "ab=null", "b=[]"]);
        assert!(each_member("{} {}", |_, _| {}).is_err());
    }

    #[test]
    fn deep_values_are_read_without_recursion() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let mut bytes = 0;
        each_member(&deep, |_, value| bytes = cell_of(value).unwrap().len()).unwrap();
        assert_eq!(bytes, 2_000_001);
    }

    proptest! {
        #[test]
        fn compact_values_are_the_same_values(texts in prop::collection::vec("[ \\\\\"a\n\u{7f}é]{0,6}", 0..5), spaces in "[ \t\r\n]{0,3}") {
            let value = serde_json::json!({"a": texts, "b": {"c": [1, 2.5, null]}});
            let pretty = serde_json::to_string_pretty(&value).unwrap().replace('\n', &format!("\n{spaces}"));
            let written = compact(&pretty);
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value.clone());
            prop_assert_eq!(written, value.to_string());
        }
    }
}
