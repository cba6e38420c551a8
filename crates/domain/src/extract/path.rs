//! `JSONPath`s: RFC 9535.

use super::FieldValue;
use serde_json::Value;
use serde_json_path::JsonPath;

/// The longest path, in bytes, and the most filters and parentheses in it: the parser calls itself for each of these,
/// and tries several ways to read it. Names count even where they merely hold such a character; nobody misses them.
const LONGEST: usize = 500;
const MOST_NESTED: usize = 10;

/// A path.
#[derive(Debug, Clone)]
pub(super) enum Path {
    /// `$.a.b`, which most paths are: no need for more than looking up the names.
    Members(Vec<String>),
    /// Any other.
    Query(JsonPath),
}

/// A path leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missing;

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("is longer than {LONGEST} bytes"));
        }
        if text.matches(['(', '?']).count() > MOST_NESTED {
            return Err(format!("has more than {MOST_NESTED} filters and parentheses"));
        }
        if !text.starts_with('$') {
            return Err("is no JSONPath: one begins with `$`, e.g. `$.name`".to_owned());
        }
        let path = JsonPath::parse(text).map_err(|error| format!("is no valid JSONPath: {error}"))?;
        let simple = |name: &str| {
            let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
            name.bytes().next().is_some_and(letter) && name.bytes().all(|byte| letter(byte) || byte.is_ascii_digit())
        };
        match text.strip_prefix("$.") {
            Some(names) if names.split('.').all(simple) => {
                Ok(Self::Members(names.split('.').map(str::to_owned).collect()))
            }
            _ => Ok(Self::Query(path)),
        }
    }

    /// The field at this path; `None` if there is a `null`. Several matches are a list.
    ///
    /// # Errors
    /// If the path leads nowhere.
    pub(super) fn field(&self, value: &Value) -> Result<Option<FieldValue>, Missing> {
        let query = match self {
            Self::Members(names) => {
                let found = names.iter().try_fold(value, |value, name| value.as_object()?.get(name));
                return found.map(FieldValue::of_json).ok_or(Missing);
            }
            Self::Query(query) => query,
        };
        let matches = query.query(value).all();
        match matches.as_slice() {
            [] => Err(Missing),
            [only] => Ok(FieldValue::of_json(only)),
            several => Ok(Some(FieldValue::of_several(several.iter().copied()))),
        }
    }

    /// The same; what is found may be gone from `value` then.
    ///
    /// # Errors
    /// If the path leads nowhere.
    pub(super) fn take(&self, value: &mut Value) -> Result<Option<FieldValue>, Missing> {
        let Self::Members(names) = self else { return self.field(value) };
        let found = names.iter().try_fold(value, |value, name| value.as_object_mut()?.get_mut(name));
        found.map(|found| FieldValue::of_taken(found.take())).ok_or(Missing)
    }

    /// Whether both may lead to one place, or one into what the other finds.
    pub(super) fn may_meet(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Members(one), Self::Members(other)) => one.iter().zip(other).all(|(one, other)| one == other),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn text(text: &str) -> FieldValue {
        FieldValue::Text(text.to_owned())
    }

    fn list(elements: &[&str]) -> FieldValue {
        FieldValue::List(elements.iter().map(|element| Some((*element).to_owned())).collect())
    }

    #[rstest]
    #[case("$.a", Ok(Some(text("x"))))]
    #[case("$['a']", Ok(Some(text("x"))))]
    #[case("$.o.p", Ok(Some(text("y"))))]
    #[case("$.o.p.q", Err(Missing))]
    #[case("$.missing", Err(Missing))]
    #[case("$.nothing", Ok(None))]
    #[case("$.list", Ok(Some(list(&["1", "2"]))))]
    #[case("$.list[0]", Ok(Some(FieldValue::Number(1.into()))))]
    #[case("$.list[-1:]", Ok(Some(FieldValue::Number(2.into()))))]
    #[case("$.items[*].n", Ok(Some(list(&["p", "q"]))))]
    #[case("$.items[?@.n == 'q'].n", Ok(Some(text("q"))))]
    #[case("$.items[?search(@.n, '[pq]')].n", Ok(Some(list(&["p", "q"]))))]
    #[case("$..n", Ok(Some(list(&["p", "q"]))))]
    #[case("$['größe in cm']", Ok(Some(FieldValue::Boolean(true))))]
    #[case("$.größe", Ok(Some(text("z"))))]
    #[case("$.o", Ok(Some(text(r#"{"p":"y"}"#))))]
    fn a_path_finds_none_one_or_several(#[case] path: &str, #[case] expected: Result<Option<FieldValue>, Missing>) {
        let value = json!({"a": "x", "o": {"p": "y"}, "nothing": null, "list": [1, 2], "größe": "z",
            "items": [{"n": "p"}, {"n": "q"}], "größe in cm": true});
        assert_eq!(Path::parse(path).unwrap().field(&value), expected);
    }

    #[rstest]
    #[case("name", "begins with `$`")]
    #[case("", "begins with `$`")]
    #[case("$.", "is no valid JSONPath")]
    #[case("$.a b", "is no valid JSONPath")]
    #[case("$.a[", "is no valid JSONPath")]
    #[case("$[?unknown(@)]", "is no valid JSONPath")]
    fn a_wrong_path_says_what_is_wrong(#[case] path: &str, #[case] expected: &str) {
        let error = Path::parse(path).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn no_path_exhausts_the_stack_or_takes_long() {
        let value: Value = serde_json::from_str(&format!("{}{}", "[".repeat(120), "]".repeat(120))).unwrap();
        for (begin, nested, end) in [
            ("$[?", "(", ")"),
            ("$", "[?@", "]"),
            ("$[?", "!(", ")"),
            ("$[?", "length(", ")"),
            ("$", "..[0", "]"),
            ("$", "[", "]"),
            ("$", "..*", ""),
        ] {
            let path = |depth: usize| format!("{begin}{}@.a{}", nested.repeat(depth), end.repeat(depth));
            assert!(Path::parse(&path(1000)).unwrap_err().contains("longer"));
            let opened: String = path(1000).chars().take(LONGEST).collect();
            assert!(Path::parse(&opened).is_err());
            for depth in 1..=MOST_NESTED {
                let closed = path(depth) + if begin.ends_with('?') { "]" } else { "" };
                if let Ok(path) = Path::parse(&closed).or_else(|_| Path::parse(&closed.replace("@.a", ""))) {
                    let _ = path.field(&json!({"a": 1}));
                    if depth < 3 {
                        let _ = path.field(&value);
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "\\$[.\\[\\]?@*'\"a1:,()=<!-]{0,20}") {
            if let Ok(path) = Path::parse(&path) {
                let _ = path.field(&json!({"a": [1, {"a": "1"}], "1": null}));
            }
        }

        #[test]
        fn looking_names_up_is_what_the_path_means(path in "\\$(\\.[ab_1]{1,2}){1,3}") {
            let value = json!({"a": {"a": 1, "b": {"_": [1], "a1": null}}, "b": "x", "_a": {"a": {"a": "deep"}}, "aa": [{"a": 1}]});
            if let Ok(parsed) = Path::parse(&path) {
                prop_assert!(matches!(parsed, Path::Members(_)));
                let query = Path::Query(JsonPath::parse(&path).unwrap());
                prop_assert_eq!(parsed.field(&value), query.field(&value));
                prop_assert_eq!(parsed.take(&mut value.clone()), query.field(&value));
            }
        }
    }
}
