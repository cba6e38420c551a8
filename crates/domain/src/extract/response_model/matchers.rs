//! Replacement of texts that stand for an allowed value by that value.

use super::node::{Document, Node};
use crate::matching::{AllowedValues, folded};
use crate::problem::{Problem, listed};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// Keyword of a schema with an `enum`: texts that stand for one of its values, each with that value.
pub(crate) const ALIASES: &str = "x-aliases";
/// Maximum number of places in a schema that are searched for allowed values. References can multiply them.
const MAX_PLACES: usize = 20_000;
/// Maximum depth of the search. References can make it deeper than any JSON.
const MAX_DEPTH: usize = 64;

/// Allowed values of a value, of its members and of its elements.
#[derive(Debug)]
pub(crate) struct ValueMatcher {
    /// Name of the field that changes are counted by.
    field: usize,
    allowed: Option<AllowedValues>,
    members: Vec<(String, Self)>,
    elements: Option<Box<Self>>,
}

impl ValueMatcher {
    /// Replaces texts in `value`, and adds the field of each to `changed`.
    pub(crate) fn apply(&self, value: &mut Value, changed: &mut Vec<usize>) {
        match value {
            Value::String(text) => {
                let found = self.allowed.as_ref().and_then(|allowed| allowed.find(text));
                if let Some(found) = found.filter(|found| *found != text.as_str()).map(str::to_owned) {
                    *text = found;
                    changed.push(self.field);
                }
            }
            Value::Object(object) => {
                for (name, matcher) in &self.members {
                    if let Some(member) = object.get_mut(name) {
                        matcher.apply(member, changed);
                    }
                }
            }
            Value::Array(list) => {
                if let Some(matcher) = &self.elements {
                    for element in list {
                        matcher.apply(element, changed);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Result of [`matcher_of`].
#[derive(Debug, Default)]
pub(crate) struct Matchers {
    /// Matcher of the whole value; `None` if no text is limited to allowed values.
    pub(crate) matcher: Option<ValueMatcher>,
    /// Names of the fields that changes are counted by.
    pub(crate) fields: Vec<String>,
    /// Problems of aliases.
    pub(crate) problems: Vec<Problem>,
}

/// Returns the matcher of values of the schema `root`, whose aliases apply to the values of properties and lists.
pub(crate) fn matcher_of(root: &Value) -> Matchers {
    let document = Document::new(root);
    let mut building =
        Building { document, open: Vec::new(), used: Vec::new(), places: 0, depth: 0, found: Matchers::default() };
    let matcher = building.matcher(&document.root_node(), &mut Vec::new());
    let used = building.used;
    let mut found = building.found;
    found.matcher = matcher;
    note_unused(root, &used, &mut found.problems);
    found
}

struct Building<'s> {
    document: Document<'s>,
    /// Schemas that are being read, to stop at one that occurs within itself.
    open: Vec<&'s Map<String, Value>>,
    /// Schemas whose aliases are applied.
    used: Vec<&'s Map<String, Value>>,
    places: usize,
    depth: usize,
    found: Matchers,
}

impl<'s> Building<'s> {
    fn matcher(&mut self, node: &Node<'s>, path: &mut Vec<String>) -> Option<ValueMatcher> {
        let is_open = |part: &&Map<String, Value>| self.open.iter().any(|open| std::ptr::eq(*open, *part));
        self.places += 1;
        let is_too_deep = self.depth >= MAX_DEPTH || self.places > MAX_PLACES;
        if is_too_deep || node.parts().is_empty() || node.parts().iter().any(is_open) {
            return None;
        }
        let opened = self.open.len();
        self.depth += 1;
        let allowed = self.allowed(node, path);
        let mut members = Vec::new();
        for (name, schemas) in node.properties() {
            self.open.extend(node.parts_with(name));
            path.push(name.to_owned());
            let member = self.document.node(schemas);
            members.extend(self.matcher(&member, path).map(|matcher| (name.to_owned(), matcher)));
            path.pop();
            self.open.truncate(opened);
        }
        self.open.extend(node.parts().iter().filter(|part| part.contains_key("items")));
        let elements = self.matcher(&node.elements(self.document), path).map(Box::new);
        self.depth -= 1;
        self.open.truncate(opened);
        if allowed.is_none() && members.is_empty() && elements.is_none() {
            return None;
        }
        let name = path.join("_");
        let field = self.found.fields.iter().position(|field| *field == name).unwrap_or_else(|| {
            self.found.fields.push(name);
            self.found.fields.len() - 1
        });
        Some(ValueMatcher { field, allowed, members, elements })
    }

    /// Returns the allowed texts of a node, if there are any.
    fn allowed(&mut self, node: &Node<'s>, path: &[String]) -> Option<AllowedValues> {
        let listed: Vec<&Value> = node.all("enum").next().and_then(Value::as_array).into_iter().flatten().collect();
        let texts: Vec<&str> = listed.iter().filter_map(|value| value.as_str()).collect();
        let field = format!("response_schema, {ALIASES} of `{}`", path.join("."));
        let mut pairs = Vec::new();
        let mut reader = None;
        for part in node.parts() {
            let Some(aliases) = part.get(ALIASES) else { continue };
            self.used.push(part);
            let reader = reader.get_or_insert_with(|| AliasReader::new(&field, &texts));
            match aliases.as_object() {
                Some(aliases) => pairs.extend(reader.read(aliases, &mut self.found.problems)),
                None => {
                    let rule = "must be an object that maps each alias to a value of `enum`";
                    self.found.problems.push(Problem::new(&field, aliases, rule));
                }
            }
        }
        if texts.is_empty() {
            return None;
        }
        Some(AllowedValues::new(texts, pairs))
    }
}

/// Reader of the aliases of one value, which may be in several schemas.
struct AliasReader<'a, 's> {
    field: &'a str,
    values: &'a [&'s str],
    allowed: HashSet<&'s str>,
    /// For each text without case and surrounding spaces, what it stands for: values, or the value of an alias.
    known: HashMap<String, Vec<&'s str>>,
}

impl<'a, 's> AliasReader<'a, 's> {
    fn new(field: &'a str, values: &'a [&'s str]) -> Self {
        let mut known: HashMap<String, Vec<&str>> = HashMap::new();
        for value in values {
            let same = known.entry(folded(value)).or_default();
            if !same.contains(value) {
                same.push(value);
            }
        }
        Self { field, values, allowed: values.iter().copied().collect(), known }
    }

    /// Returns the valid aliases, and adds a problem for each of the others.
    fn read(&mut self, aliases: &'s Map<String, Value>, problems: &mut Vec<Problem>) -> Vec<(&'s str, &'s str)> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for (alias, value) in aliases {
            let place = format!("{}.{alias}", self.field);
            let Some(text) = value.as_str().filter(|text| self.allowed.contains(text)) else {
                let rule = "must be one of the texts in `enum`";
                let remedy = if self.values.is_empty() {
                    "add an `enum`: aliases stand for its values".to_owned()
                } else {
                    format!("the values are {}", listed(self.values))
                };
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                problems.push(Problem::new(place, shown, rule).remedy(remedy));
                continue;
            };
            let same = self.known.entry(folded(alias)).or_default();
            let others: Vec<&str> = same.iter().copied().filter(|other| *other != text).collect();
            if others.is_empty() {
                same.push(text);
                pairs.push((alias, text));
            } else {
                let rule = format!("also stands for {}: case and surrounding spaces are ignored", listed(&others));
                problems.push(Problem::new(place, text, rule).remedy("leave out one of them"));
            }
        }
        pairs
    }
}

/// Adds a problem for each schema whose aliases are not applied. An object of that name within `enum` or `default` is none.
fn note_unused(schema: &Value, used: &[&Map<String, Value>], problems: &mut Vec<Problem>) {
    match schema {
        Value::Object(object) => {
            if object.contains_key(ALIASES) && !used.iter().any(|part| std::ptr::eq(*part, object)) {
                let rule = "has no effect: it is not on a property or on the elements of a list";
                let problem = Problem::without_value(format!("response_schema, {ALIASES}"), rule);
                problems.push(problem.remedy("move it beside the `enum` of a property that is no alternative"));
            }
            let data = ["enum", "const", "default", "examples", "example", ALIASES];
            let schemas = object.iter().filter(|(name, _)| !data.contains(&name.as_str()));
            schemas.for_each(|(_, inner)| note_unused(inner, used, problems));
        }
        Value::Array(list) => list.iter().for_each(|inner| note_unused(inner, used, problems)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn applied(root: &Value, mut value: Value) -> (Value, Vec<String>) {
        let matchers = matcher_of(root);
        assert_eq!(matchers.problems, []);
        let mut changed = Vec::new();
        if let Some(matcher) = &matchers.matcher {
            matcher.apply(&mut value, &mut changed);
        }
        (value, changed.into_iter().map(|field| matchers.fields[field].clone()).collect())
    }

    #[test]
    fn texts_are_matched_wherever_values_are_allowed() {
        let root = json!({"properties": {
            "kind": {"enum": ["Pants", "Shirt", null], "x-aliases": {"trousers": "Pants"}},
            "looks": {"type": "object", "properties": {"color": {"$ref": "#/$defs/color"}}},
            "colors": {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/color"}, {"type": "null"}]}},
            "parts": {"type": "array", "items": {"properties": {"color": {"$ref": "#/$defs/color"}}}},
            "free": {"type": "string"}}, "$defs": {"color": {"enum": ["red", "blue"], "x-aliases": {"Navy": "blue"}}}});
        let answer = json!({"kind": "TROUSERS", "looks": {"color": "Red "}, "colors": ["navy", "red", null, "green", 7],
            "parts": [{"color": " NAVY"}, {"color": "blue"}], "free": " Red", "else": "Navy"});
        let (value, changed) = applied(&root, answer);
        let expected = json!({"kind": "Pants", "looks": {"color": "red"}, "colors": ["blue", "red", null, "green", 7],
            "parts": [{"color": "blue"}, {"color": "blue"}], "free": " Red", "else": "Navy"});
        assert_eq!(value, expected);
        let mut fields = changed;
        fields.sort();
        assert_eq!(fields, ["colors", "kind", "looks_color", "parts_color"]);
    }

    #[test]
    fn texts_are_matched_in_an_object_that_shares_a_part_with_the_one_around_it() {
        let root = json!({"allOf": [{"$ref": "#/$defs/moody"}], "properties": {
            "inner": {"allOf": [{"$ref": "#/$defs/moody"}]},
            "list": {"items": {"$ref": "#/$defs/moody"}}},
            "$defs": {"moody": {"properties": {"mood": {"enum": ["good", "bad"]}}}}});
        let answer = json!({"mood": "Good", "inner": {"mood": "BAD"}, "list": [{"mood": "BAD"}]});
        let (value, changed) = applied(&root, answer);
        assert_eq!(value, json!({"mood": "good", "inner": {"mood": "bad"}, "list": [{"mood": "bad"}]}));
        assert_eq!(changed, ["inner_mood", "list_mood", "mood"]);
    }

    #[test]
    fn elements_with_schemas_of_their_own_are_not_matched_to_those_of_the_others() {
        let root = json!({"properties": {"list": {"prefixItems": [{"type": "string"}], "items": {"enum": ["Red"]}}}});
        let value = json!({"list": ["red", "red"]});
        assert_eq!(applied(&root, value.clone()), (value, vec![]));
    }

    #[test]
    fn values_of_other_types_and_shapes_stay_as_they_are() {
        let root = json!({"properties": {"kind": {"enum": ["a", 1]}, "next": {"$ref": "#"}}});
        for value in
            [json!(7), json!([]), json!({"kind": {"kind": "A"}}), json!({"kind": 1}), json!({"next": {"kind": "A"}})]
        {
            assert_eq!(applied(&root, value.clone()), (value, vec![]));
        }
    }

    #[rstest]
    #[case(json!({"enum": ["a", "b"], "x-aliases": {"c": "d"}}), "`kind`.c is `d`: must be one of the texts in `enum`; the values are `a`, `b`")]
    #[case(json!({"enum": ["a"], "x-aliases": {"c": 1}}), "`kind`.c is `1`: must be one of the texts in `enum`")]
    #[case(json!({"type": "string", "x-aliases": {"c": "d"}}), "`kind`.c is `d`: must be one of the texts in `enum`; add an `enum`")]
    #[case(json!({"enum": ["a", "b"], "x-aliases": {"B": "a"}}), "`kind`.B is `a`: also stands for `b`")]
    #[case(json!({"enum": ["a", "b"], "x-aliases": {"C": "a", "c ": "b"}}), "`kind`.c  is `b`: also stands for `a`")]
    #[case::of_two_values(json!({"enum": ["Other", "other"], "x-aliases": {"OTHER": "other"}}), "`kind`.OTHER is `other`: also stands for `Other`")]
    #[case::of_two_parts(json!({"allOf": [{"enum": ["a", "b"], "x-aliases": {"c": "a"}}, {"x-aliases": {"C": "b"}}]}), "`kind`.C is `b`: also stands for `a`")]
    #[case(json!({"enum": ["a"], "x-aliases": ["c"]}), "`kind` is `[\"c\"]`: must be an object")]
    #[case(json!({"anyOf": [{"enum": ["a"], "x-aliases": {"c": "a"}}, {"type": "number"}]}), "x-aliases: has no effect")]
    fn invalid_aliases_are_reported(#[case] kind: Value, #[case] expected: &str) {
        let problems = matcher_of(&json!({"properties": { "kind": kind }})).problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].to_string().contains(expected), "{}", problems[0]);
    }

    #[test]
    fn a_schema_that_refers_to_others_very_often_is_searched_quickly() {
        let mut defs = Map::new();
        for level in 0..60 {
            let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
            defs.insert(format!("l{level}"), json!({"properties": {"a": next, "b": next}}));
        }
        assert!(matcher_of(&json!({"$defs": defs, "$ref": "#/$defs/l0"})).matcher.is_none());
    }

    #[test]
    fn an_alias_that_says_the_same_as_its_value_is_accepted() {
        let root =
            json!({"properties": {"kind": {"enum": ["Pants"], "x-aliases": {"pants": "Pants", "PANTS ": "Pants"}}}});
        assert_eq!(applied(&root, json!({"kind": "pants"})).0, json!({"kind": "Pants"}));
    }
}
