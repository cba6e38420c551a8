//! Work of evaluating a `JSONPath`, which can be far more than the size of an answer: `$..*..*` finds a value once for each of
//! those around it, and a filter may search the whole answer for each value.

use serde_json::Value;

/// Maximum number of visits of values by a path, as a multiple of their number: usual answers have a few levels, and usual paths
/// search them once.
const MAX_VISITS_PER_VALUE: u64 = 32;
/// Number of visits that is always allowed.
const MIN_VISITS: u64 = 1 << 14;

/// Properties of a path that multiply its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PathCost {
    /// Number of steps that visit a value once for each one around it.
    nested: u32,
    /// Number of steps that may visit all values for each value.
    all: u32,
    /// Number of times that a step may find the same value.
    copies: u64,
}

impl PathCost {
    /// Returns the cost of a valid path.
    pub(super) fn of(path: &str) -> Self {
        let path = without_names(path);
        let mut cost = Self { nested: 0, all: 0, copies: 1 };
        // For each open bracket, if it is a filter, and the number of its selectors.
        let mut open: Vec<(bool, u64)> = Vec::new();
        let bytes = path.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            let in_filter = open.iter().any(|(is_filter, _)| *is_filter);
            match byte {
                b'[' => open.push((false, 1)),
                b']' => {
                    let (_, selectors) = open.pop().unwrap_or_default();
                    cost.copies = cost.copies.saturating_mul(selectors.max(1));
                }
                b',' => open.iter_mut().rev().take(1).for_each(|(_, selectors)| *selectors += 1),
                b'?' => {
                    cost.nested += u32::from(in_filter);
                    open.iter_mut().rev().take(1).for_each(|(is_filter, _)| *is_filter = true);
                }
                b'.' if bytes.get(at + 1) == Some(&b'.') => {
                    *if in_filter { &mut cost.all } else { &mut cost.nested } += 1;
                }
                b'$' => cost.all += u32::from(in_filter),
                _ => {}
            }
        }
        cost
    }

    /// Returns true if the work may be more than that of some visits of each value.
    pub(super) fn depends_on_the_value(&self) -> bool {
        self.nested > 0 || self.all > 0 || self.copies > 1
    }

    /// Returns true if a path with one of these costs may visit too many values of `value`.
    pub(super) fn is_too_high<'c>(mut costs: impl Iterator<Item = &'c Self>, value: &Value) -> bool {
        let size = Size::of(value, 0);
        let max = MIN_VISITS.max(size.values.saturating_mul(MAX_VISITS_PER_VALUE));
        costs.any(|cost| {
            let nested = size.depth.max(1).saturating_pow(cost.nested);
            let all = size.values.saturating_pow(cost.all);
            size.values.saturating_mul(nested).saturating_mul(all).saturating_mul(cost.copies) > max
        })
    }
}

/// Returns the path without the content of quoted names and texts.
fn without_names(path: &str) -> String {
    let mut quote = None;
    let mut out = String::with_capacity(path.len());
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match quote {
            None => {
                out.push(c);
                quote = matches!(c, '\'' | '"').then_some(c);
            }
            Some(_) if c == '\\' => drop(chars.next()),
            Some(open) if c == open => quote = None,
            Some(_) => {}
        }
    }
    out
}

/// Size of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    values: u64,
    depth: u64,
}

impl Size {
    /// The depth of values is limited by the reader of JSON, so that the recursion ends.
    fn of(value: &Value, above: u64) -> Self {
        let leaf = Self { values: 1, depth: above };
        let with = |sum: Self, inner: &Value| {
            let inner = Self::of(inner, above + 1);
            Self { values: sum.values + inner.values, depth: sum.depth.max(inner.depth) }
        };
        match value {
            Value::Array(values) => values.iter().fold(leaf, with),
            Value::Object(members) => members.values().fold(leaf, with),
            _ => leaf,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("$.items[*].n", 0, 0, 1)]
    #[case("$['a..b, c$', \"d?\"]", 0, 0, 2)]
    #[case("$..n", 1, 0, 1)]
    #[case("$..*..*", 2, 0, 1)]
    #[case("$[*,*][*,*]", 0, 0, 4)]
    #[case("$..[?@..a]", 1, 1, 1)]
    #[case("$[?count($..*) > 1]", 0, 2, 1)]
    #[case("$[?@[?@.a]]", 1, 0, 1)]
    fn what_multiplies_the_work_is_found(
        #[case] path: &str,
        #[case] nested: u32,
        #[case] all: u32,
        #[case] copies: u64,
    ) {
        assert_eq!(PathCost::of(path), PathCost { nested, all, copies });
    }

    #[test]
    fn usual_answers_are_searched_and_hostile_ones_are_not() {
        let cost = |path| PathCost::of(path);
        let rows: Vec<Value> = (0..2_000).map(|n| json!({"n": n, "tags": ["a", {"b": [n]}]})).collect();
        let usual = json!({ "items": rows });
        let deep: Value = serde_json::from_str(&format!("{}{}", "[".repeat(120), "]".repeat(120))).unwrap();
        let hostile = Value::Array(vec![deep; 100]);
        for path in ["$..n", "$.items[?@.n > 3]", "$.items[0, 1]", "$..tags[*]"] {
            assert!(!PathCost::is_too_high([cost(path)].iter(), &usual), "{path}");
        }
        for path in ["$..*", "$..*..*", "$..[?@..a]", "$[*,*,*,*,*,*,*,*,*,*][*,*,*,*,*,*,*,*,*,*]"] {
            assert!(PathCost::is_too_high([cost(path)].iter(), &hostile), "{path}");
        }
    }
}
