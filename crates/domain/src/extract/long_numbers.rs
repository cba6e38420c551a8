//! Integers that no type of numbers holds: their digits are kept as text.
//!
//! A parser of JSON reads an integer of more than 64 bits as the nearest float, so that the number of a parcel with 22 digits becomes
//! another one. Numbers with an exponent are floats, as meant; further digits after the point are rounded, as in any column of floats.

use std::borrow::Cow;

/// Number of digits of the largest integer of 64 bits.
const MAX_DIGITS: usize = 20;

/// Returns true if a text has enough digits in a row for such a number. Only every 20th byte is looked at where there are none.
pub(super) fn has_long_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    let mut at = MAX_DIGITS - 1;
    while let Some(byte) = bytes.get(at) {
        if byte.is_ascii_digit() {
            let before = bytes[..at].iter().rev().take(MAX_DIGITS).take_while(is_digit).count();
            let after = bytes[at..].iter().take(MAX_DIGITS).take_while(is_digit).count();
            if before + after >= MAX_DIGITS {
                return true;
            }
        }
        at += MAX_DIGITS;
    }
    false
}

/// Returns true if a number without an exponent has more digits before its point than integers of 64 bits hold.
pub(super) fn is_too_long(number: &str) -> bool {
    let whole = number.split('.').next().unwrap_or_default();
    let digits = whole.trim_start_matches(['+', '-']);
    let fits = || if whole.starts_with('-') { whole.parse::<i64>().is_ok() } else { digits.parse::<u64>().is_ok() };
    digits.len() >= MAX_DIGITS - 1 && !number.contains(['e', 'E']) && !fits()
}

/// Returns JSON in which each such number is a text.
pub(super) fn quoted_long_numbers(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = after_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let end = at + bytes[at..].iter().take_while(is_part).count();
                let number = json.get(at..end).unwrap_or_default();
                if is_too_long(number) {
                    out.push_str(json.get(copied..at).unwrap_or_default());
                    out.extend(["\"", number, "\""]);
                    copied = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(json.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// Returns the position after the string that begins at `at`.
fn after_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    loop {
        let Some(offset) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) else {
            return bytes.len();
        };
        at += offset;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::Value;

    #[rstest]
    #[case::parcel(r#"{"a": 9400111899223344556677, "b": 1}"#, r#"{"a": "9400111899223344556677", "b": 1}"#)]
    #[case::first_beyond_64_bits("[18446744073709551616]", r#"["18446744073709551616"]"#)]
    #[case::last_of_64_bits("[18446744073709551615]", "[18446744073709551615]")]
    #[case::negative("[-9223372036854775809,-9223372036854775808]", r#"["-9223372036854775809",-9223372036854775808]"#)]
    #[case::with_a_fraction("[9400111899223344556677.5]", r#"["9400111899223344556677.5"]"#)]
    #[case::long_fraction("[0.12345678901234567890123]", "[0.12345678901234567890123]")]
    #[case::exponent("[12345678901234567890123e2]", "[12345678901234567890123e2]")]
    #[case::in_a_string(r#"["\"9400111899223344556677"]"#, r#"["\"9400111899223344556677"]"#)]
    fn digits_that_no_number_holds_become_text(#[case] json: &str, #[case] expected: &str) {
        assert_eq!(quoted_long_numbers(json), expected);
    }

    proptest! {
        #[test]
        fn long_numbers_are_found_wherever_they_are(before in "[a ]{0,45}", digits in "[0-9]{1,40}", after in "[a ]{0,45}") {
            let text = format!("{before}{digits}{after}");
            prop_assert_eq!(has_long_number(&text), digits.len() >= MAX_DIGITS);
        }

        #[test]
        fn other_numbers_stay_as_they_are(numbers in prop::collection::vec(prop_oneof![
            any::<i64>().prop_map(Value::from), any::<u64>().prop_map(Value::from), any::<f64>().prop_map(Value::from),
            "[0-9\"\\\\]{0,30}".prop_map(Value::from),
        ], 0..9)) {
            let json = Value::from(numbers).to_string();
            let quoted = quoted_long_numbers(&json);
            // Floats without an exponent may have long whole parts.
            let is_float = |json: &str| json.contains(".0");
            prop_assert!(quoted == json || is_float(&json), "{}", quoted);
        }
    }
}
