//! Human-readable numbers, amounts of money, durations and quoted texts.

use crate::printable;
use std::collections::BTreeMap;

/// Maximum number of reasons that are named; the others are only counted.
const MAX_REASONS: usize = 5;
/// Maximum number of characters of a quoted text within a line.
const MAX_QUOTED_CHARS: usize = 200;
/// Smallest amount that is shown as a figure.
const MIN_SHOWN_USD: f64 = 0.0001;

/// Formats a number with separators: `2,050`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Formats a count with its noun: `1 row`, `2,050 rows`.
pub(super) fn number(count: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// Formats a cost in US dollars. A cost above zero is never shown as zero.
pub(super) fn usd(cost: f64) -> String {
    if cost > 0.0 && cost < MIN_SHOWN_USD { format!("under ${MIN_SHOWN_USD}") } else { format!("${cost:.4}") }
}

/// Formats a duration with at most two units: `3 h 12 min`.
pub fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if days > 0 {
        format!("{days} d {} h", hours % 24)
    } else if hours > 0 {
        format!("{hours} h {} min", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else {
        format!("{seconds} s")
    }
}

/// Shortens a quoted text to a part of one line.
pub(super) fn shortened(words: &str) -> String {
    let flat = words.split_whitespace().collect::<Vec<_>>().join(" ");
    printable::shortened(&flat, MAX_QUOTED_CHARS)
}

/// Lists the most frequent reasons, each as `12 x reason`, and the total of the others.
pub(super) fn reasons(counts: &BTreeMap<String, u64>) -> Vec<String> {
    let mut sorted: Vec<(&String, &u64)> = counts.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let mut lines: Vec<String> = sorted
        .iter()
        .take(MAX_REASONS)
        .map(|(reason, count)| format!("{} x {}", grouped(**count), shortened(reason)))
        .collect();
    let others = sorted.get(MAX_REASONS..).unwrap_or_default();
    if !others.is_empty() {
        let times: u64 = others.iter().map(|(_, count)| **count).sum();
        lines.push(format!("{} x {}", grouped(times), number(others.len() as u64, "other reason")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "0 s")]
    #[case(59, "59 s")]
    #[case(61, "1 min 1 s")]
    #[case(3600, "1 h 0 min")]
    #[case(11_520, "3 h 12 min")]
    #[case(183_600, "2 d 3 h")]
    fn durations_have_at_most_two_units(#[case] seconds: u64, #[case] text: &str) {
        assert_eq!(duration(seconds), text);
    }

    #[test]
    fn numbers_are_grouped_and_small_costs_are_not_rounded_to_zero() {
        assert_eq!(["0", "999", "1,000", "1,234,567"], [0, 999, 1000, 1_234_567].map(grouped).each_ref().map(|s| &**s));
        assert_eq!((number(1, "row"), number(2050, "row")), ("1 row".to_owned(), "2,050 rows".to_owned()));
        assert_eq!([usd(0.0), usd(0.000_001), usd(1.5)], ["$0.0000", "under $0.0001", "$1.5000"]);
    }

    #[test]
    fn five_reasons_are_named_and_the_others_are_counted() {
        let counts = (1..=8).map(|n| (format!("reason\n{n}"), n)).collect();
        let expected =
            ["8 x reason 8", "7 x reason 7", "6 x reason 6", "5 x reason 5", "4 x reason 4", "6 x 3 other reasons"];
        assert_eq!(reasons(&counts), expected);
        let expected = format!("1 x {}… (300 more characters)", "x".repeat(200));
        assert_eq!(reasons(&BTreeMap::from([("x".repeat(500), 1)])), [expected]);
    }
}
