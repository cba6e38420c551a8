//! `JSONPath` expressions (RFC 9535).

use super::FieldValue;
use super::path_cost::PathCost;
use serde_json::Value;
use serde_json_path::JsonPath;

/// Maximum length of a path in bytes.
const MAX_PATH_BYTES: usize = 500;
/// Maximum number of filters and parentheses in a path: the parser recurses for each of them and backtracks. Such
/// characters within names count too, which does not matter in practice.
const MAX_NESTED: usize = 10;

/// Compiled path.
#[derive(Debug, Clone)]
pub(super) enum Path {
    /// Path of the form `$.a.b`, the most common one: only the names have to be looked up.
    Members(Vec<String>),
    /// Any other path, with the work that it may cause.
    Query(JsonPath, PathCost),
}

/// Error: the path matches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missing;

impl Path {
    /// Parses a path.
    ///
    /// # Errors
    /// Returns the rule that the path breaks.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_PATH_BYTES {
            return Err(format!("is longer than {MAX_PATH_BYTES} bytes"));
        }
        if text.matches(['(', '?']).count() > MAX_NESTED {
            return Err(format!("has more than {MAX_NESTED} filters and parentheses"));
        }
        if !text.starts_with('$') {
            return Err("is not a JSONPath: it must begin with `$`, e.g. `$.name`".to_owned());
        }
        // The parser panics at the end of its input here, where no valid path ends.
        if ["\\u", "\\uD", "\\ud"].iter().any(|begun| text.ends_with(begun)) {
            return Err("is not a valid JSONPath: it ends within an escaped character".to_owned());
        }
        let path = JsonPath::parse(text).map_err(|error| format!("is not a valid JSONPath: {error}"))?;
        let simple = |name: &str| {
            let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
            name.bytes().next().is_some_and(letter) && name.bytes().all(|byte| letter(byte) || byte.is_ascii_digit())
        };
        match text.strip_prefix("$.") {
            Some(names) if names.split('.').all(simple) => {
                Ok(Self::Members(names.split('.').map(str::to_owned).collect()))
            }
            _ => Ok(Self::Query(path, PathCost::of(text))),
        }
    }

    /// Returns the field at this path, or `None` for a `null`. Several matches become a list.
    ///
    /// # Errors
    /// Returns an error if the path matches nothing.
    pub(super) fn field(&self, value: &Value) -> Result<Option<FieldValue>, Missing> {
        let query = match self {
            Self::Members(names) => {
                let found = names.iter().try_fold(value, |value, name| value.as_object()?.get(name));
                return found.map(FieldValue::of_json).ok_or(Missing);
            }
            Self::Query(query, _) => query,
        };
        let matches = query.query(value).all();
        match matches.as_slice() {
            [] => Err(Missing),
            [only] => Ok(FieldValue::of_json(only)),
            several => Ok(Some(FieldValue::of_several(several.iter().copied()))),
        }
    }

    /// Returns the same as [`Self::field`], but may move the match out of `value`.
    ///
    /// # Errors
    /// Returns an error if the path matches nothing.
    pub(super) fn take(&self, value: &mut Value) -> Result<Option<FieldValue>, Missing> {
        let Self::Members(names) = self else { return self.field(value) };
        let found = names.iter().try_fold(value, |value, name| value.as_object_mut()?.get_mut(name));
        found.map(|found| FieldValue::of_taken(found.take())).ok_or(Missing)
    }

    /// Returns the work of evaluating the path; `None` if it is small for any value.
    pub(super) fn cost(&self) -> Option<&PathCost> {
        match self {
            Self::Members(_) => None,
            Self::Query(_, cost) => cost.depends_on_the_value().then_some(cost),
        }
    }

    /// Returns the value at a path of members, moved out of `value`. There is none within a `null`.
    ///
    /// # Errors
    /// Returns the place of a value on the way that is not an object, as a JSON pointer.
    pub(super) fn take_value(&self, value: &mut Value) -> Result<Option<Value>, String> {
        let Self::Members(names) = self else { return Ok(None) };
        let mut found = value;
        for (depth, name) in names.iter().enumerate() {
            let next = match found {
                Value::Object(object) => object.get_mut(name),
                Value::Null => None,
                _ => return Err(pointer(&names[..depth])),
            };
            let Some(next) = next else { return Ok(None) };
            found = next;
        }
        Ok(Some(found.take()))
    }

    /// Returns a path of members as a JSON pointer.
    pub(super) fn pointer(&self) -> String {
        let Self::Members(names) = self else { return String::new() };
        pointer(names)
    }

    /// Returns true if `value` has the first member of a path of members.
    pub(super) fn begins_in(&self, value: &Value) -> bool {
        let Self::Members(names) = self else { return false };
        names.first().is_some_and(|name| value.as_object().is_some_and(|object| object.contains_key(name)))
    }

    /// Returns true if the path begins with the name of a member, so that values without it have no match.
    pub(super) fn begins_with_name(&self) -> bool {
        match self {
            Self::Members(_) => true,
            Self::Query(query, _) => {
                let path = query.to_string();
                let named = |begin| path.strip_prefix(begin).is_some_and(|rest: &str| !rest.starts_with(['.', '*']));
                named("$.") || named("$['") || named("$[\"")
            }
        }
    }

    /// Returns the name of the member that the path is, if it is `$.name`.
    pub(super) fn only_member(&self) -> Option<&str> {
        match self {
            Self::Members(names) => names.first().filter(|_| names.len() == 1).map(String::as_str),
            Self::Query(..) => None,
        }
    }

    /// Returns true if the path matches something.
    pub(super) fn exists(&self, value: &Value) -> bool {
        match self {
            Self::Members(names) => names.iter().try_fold(value, |value, name| value.as_object()?.get(name)).is_some(),
            Self::Query(query, _) => !query.query(value).is_empty(),
        }
    }

    /// Returns true if both paths may match the same value, or one a part of the other's match.
    pub(super) fn may_meet(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Members(one), Self::Members(other)) => one.iter().zip(other).all(|(one, other)| one == other),
            _ => true,
        }
    }
}

fn pointer(names: &[String]) -> String {
    let steps = names.iter().flat_map(|name| ["/".to_owned(), name.replace('~', "~0").replace('/', "~1")]);
    steps.collect()
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
    #[case(r"$['a', '\u")]
    #[case(r"$['\uD")]
    #[case(r"$['\uD83D\u")]
    #[case(r"$['\uD83D\uD")]
    #[case(r"$['\ud")]
    fn a_path_that_ends_within_an_escape_is_refused(#[case] path: &str) {
        assert!(Path::parse(path).is_err_and(|rule| rule.starts_with("is not a valid JSONPath")));
        // All that is cut off from a longer one.
        let whole = r"$['a\u0061\uD83D\uDE00\\', 0]";
        assert!(Path::parse(whole).is_ok());
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            let _ = Path::parse(&whole[..end]);
        }
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
    #[case("$.a.b", true)]
    #[case("$.items[*].n", true)]
    #[case("$['size in cm'][0]", true)]
    #[case("$", false)]
    #[case("$[0].a", false)]
    #[case("$[*].a", false)]
    #[case("$..a", false)]
    #[case("$.*", false)]
    #[case("$[?@.a]", false)]
    fn a_path_begins_with_a_name_or_matches_in_other_values(#[case] path: &str, #[case] expected: bool) {
        assert_eq!(Path::parse(path).unwrap().begins_with_name(), expected);
    }

    #[rstest]
    #[case("name", "must begin with `$`")]
    #[case("", "must begin with `$`")]
    #[case("$.", "is not a valid JSONPath")]
    #[case("$.a b", "is not a valid JSONPath")]
    #[case("$.a[", "is not a valid JSONPath")]
    #[case("$[?unknown(@)]", "is not a valid JSONPath")]
    fn an_invalid_path_is_reported_with_the_rule(#[case] path: &str, #[case] expected: &str) {
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
            let opened: String = path(1000).chars().take(MAX_PATH_BYTES).collect();
            assert!(Path::parse(&opened).is_err());
            for depth in 1..=MAX_NESTED {
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
        fn member_lookup_equals_the_evaluation_of_the_path(path in "\\$(\\.[ab_1]{1,2}){1,3}") {
            let value = json!({"a": {"a": 1, "b": {"_": [1], "a1": null}}, "b": "x", "_a": {"a": {"a": "deep"}}, "aa": [{"a": 1}]});
            if let Ok(parsed) = Path::parse(&path) {
                prop_assert!(matches!(parsed, Path::Members(_)));
                let query = Path::Query(JsonPath::parse(&path).unwrap(), PathCost::of(&path));
                prop_assert_eq!(parsed.field(&value), query.field(&value));
                prop_assert_eq!(parsed.take(&mut value.clone()), query.field(&value));
            }
        }
    }
}
