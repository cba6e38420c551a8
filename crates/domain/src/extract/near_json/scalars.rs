//! Numbers, literals and names without quotes.

use super::Translator;
use crate::extract::long_numbers::is_too_long;

/// Number of digits that always fit into 64 bits.
const MAX_SMALL_DIGITS: usize = 18;

impl<'t> Translator<'t> {
    /// Translates a number or a literal. `None` for any other word.
    pub(super) fn word(&mut self) -> Option<()> {
        let word = self.take_word(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte));
        if is_small_number(word) {
            self.json.push_str(word);
            return Some(());
        }
        let json = match word {
            "true" | "True" | "TRUE" => "true".to_owned(),
            "false" | "False" | "FALSE" => "false".to_owned(),
            // `NaN` stands for a missing value. `Infinity` stands for one that JSON cannot write.
            "null" | "Null" | "NULL" | "None" | "none" | "undefined" | "NaN" | "nan" => "null".to_owned(),
            _ => number(word)?,
        };
        self.json.push_str(&json);
        Some(())
    }

    /// Translates the name of a member without quotes.
    pub(super) fn bare_key(&mut self) -> Option<()> {
        let name = self.take_word(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$');
        if name.is_empty() || name.starts_with(|char: char| char.is_ascii_digit()) {
            return None;
        }
        let quoted = format!("\"{name}\"");
        self.json.push_str(&quoted);
        Some(())
    }

    fn take_word(&mut self, is_part: impl Fn(u8) -> bool) -> &'t str {
        let begin = self.at;
        self.at += self.rest().bytes().take_while(|byte| is_part(*byte)).count();
        self.text.get(begin..self.at).unwrap_or_default()
    }
}

/// Returns true for whole numbers that are JSON: most numbers.
fn is_small_number(word: &str) -> bool {
    let are_digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    are_digits && word.len() <= MAX_SMALL_DIGITS && (word.len() == 1 || !word.starts_with('0'))
}

/// Returns a number in JSON. One with leading zeros is a code, of which the digits count: it becomes a text.
fn number(word: &str) -> Option<String> {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let sign = if word.starts_with('-') { "-" } else { "" };
    let exponent_at = unsigned.find(['e', 'E']).unwrap_or(unsigned.len());
    let (mantissa, exponent) = unsigned.split_at(exponent_at);
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, part)| (whole, Some(part)));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let of_exponent = exponent.get(1..).map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    let is_number = are_digits(whole)
        && fraction.is_none_or(are_digits)
        && !(whole.is_empty() && fraction.is_none_or(str::is_empty))
        && of_exponent.is_none_or(|digits| !digits.is_empty() && are_digits(digits));
    if !is_number {
        return None;
    }
    if (whole.len() > 1 && whole.starts_with('0')) || is_too_long(word) {
        return Some(format!("\"{word}\""));
    }
    let zero = |digits: &str| if digits.is_empty() { "0".to_owned() } else { digits.to_owned() };
    let fraction = fraction.map(|digits| format!(".{}", zero(digits))).unwrap_or_default();
    Some(format!("{sign}{}{fraction}{exponent}", zero(whole)))
}
