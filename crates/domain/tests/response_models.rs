//! Response models: whatever a schema describes and a model answers, no value is lost or changed silently.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bedrock_batch_domain::extract::{Cell, ColumnType, Extractor};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Returns schemas of properties, each with a value that matches it.
fn property(depth: u32) -> BoxedStrategy<(Value, Value)> {
    let leaf = prop_oneof![
        "[a-zé \"]{0,6}".prop_map(|text| (json!({"type": "string"}), json!(text))),
        any::<i64>().prop_map(|number| (json!({"type": "integer"}), json!(number))),
        (-1000_i32..1000).prop_map(|number| (json!({"type": "integer"}), json!(f64::from(number)))),
        (-1000_i32..1000).prop_map(|number| (json!({"type": "number"}), json!(f64::from(number) / 8.0))),
        any::<bool>().prop_map(|flag| (json!({"type": "boolean"}), json!(flag))),
        prop::sample::select(vec!["Red", "Blue"]).prop_map(|color| (json!({"enum": ["Red", "Blue"]}), json!(color))),
        Just((json!({"type": ["string", "null"]}), json!(null))),
        prop::collection::vec("[a-z]{0,3}", 0..3)
            .prop_map(|list| (json!({"type": "array", "items": {"type": "string"}}), json!(list))),
        prop::collection::vec(any::<i32>(), 0..3)
            .prop_map(|list| (json!({"type": "array", "items": {"type": "integer"}}), json!(list))),
        any_value().prop_map(|value| (json!({}), value)),
        any_value().prop_map(|value| (json!({"anyOf": [{"type": "string"}, {"not": {"type": "string"}}]}), value)),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    prop_oneof![4 => leaf, 1 => object(depth - 1)].boxed()
}

fn object(depth: u32) -> impl Strategy<Value = (Value, Value)> {
    prop::collection::vec(property(depth), 1..4).prop_map(|properties| {
        let (mut schemas, mut values) = (Map::new(), Map::new());
        for (at, (schema, value)) in properties.into_iter().enumerate() {
            schemas.insert(format!("p{at}"), schema);
            values.insert(format!("p{at}"), value);
        }
        (json!({"type": "object", "properties": schemas}), Value::Object(values))
    })
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1000_i32..1000).prop_map(|number| json!(f64::from(number) / 8.0)),
        "[a-z\"{}\\[ ]{0,6}".prop_map(Value::from),
        prop::sample::select(vec!["red", " Blue", "Red"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("p[0-3]", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

/// Returns the value of a column, whose name has the names of properties without `_`.
fn at<'v>(value: &'v Value, column: &str) -> Option<&'v Value> {
    column.split('_').try_fold(value, |value, name| value.as_object()?.get(name))
}

/// Returns true if a cell says the same as the JSON value that it was read from.
fn is_same(cell: &Cell<'_>, value: &Value) -> bool {
    match (cell, value) {
        (Cell::Integer(integer), Value::Number(number)) => number
            .as_i64()
            .map_or_else(|| number.as_f64() == Some(integer.to_string().parse().unwrap()), |own| own == *integer),
        (Cell::Float(float), Value::Number(number)) => number.as_f64() == Some(*float),
        (Cell::Boolean(flag), Value::Bool(own)) => flag == own,
        (Cell::Text(text), Value::String(own)) => text == own,
        (Cell::Text(text), other) => serde_json::from_str::<Value>(text).is_ok_and(|read| read == *other),
        (Cell::List(texts), Value::Array(list)) => texts.iter().map(|text| json!(text)).collect::<Vec<_>>() == *list,
        _ => false,
    }
}

/// Returns the value with the words of the enum that all others stand for.
fn without_case(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text.trim().to_lowercase()),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn an_answer_that_matches_gives_every_property_in_its_column((schema, value) in object(2)) {
        let extractor = Extractor::of_model(&schema).unwrap();
        let found = extractor.extract_with_changes(&value.to_string(), None).unwrap();
        prop_assert_eq!(&found.changed, &Vec::<usize>::new());
        for ((name, column), field) in extractor.names().iter().zip(extractor.types()).zip(&found.values) {
            let own = at(&value, name).filter(|own| !own.is_null());
            match (field, own) {
                (Some(field), Some(own)) => {
                    let cell = column.cell(field);
                    prop_assert!(cell.as_ref().is_some_and(|cell| is_same(cell, own)), "{}: {:?} {}", name, cell, own);
                }
                (None, None) => {}
                other => prop_assert!(false, "{}: {:?}", name, other),
            }
        }
    }

    #[test]
    fn any_answer_fails_or_keeps_what_it_says((schema, _) in object(2), value in any_value()) {
        let extractor = Extractor::of_model(&schema).unwrap();
        let types: Vec<ColumnType> = extractor.types().to_vec();
        let Ok(found) = extractor.extract_with_changes(&value.to_string(), None) else { return Ok(()) };
        prop_assert_eq!(found.values.len(), types.len());
        for ((name, column), field) in extractor.names().iter().zip(types).zip(&found.values) {
            let own = at(&value, name).filter(|own| !own.is_null());
            prop_assert_eq!(field.is_some(), own.is_some(), "{}", name);
            let (Some(field), Some(own)) = (field, own) else { continue };
            let cell = column.cell(field);
            let is_kept = cell.as_ref().is_some_and(|cell| {
                is_same(cell, own) || (!found.changed.is_empty() && is_same_without_case(cell, own))
            });
            prop_assert!(is_kept, "{}: {:?} {}", name, cell, own);
        }
    }
}

fn is_same_without_case(cell: &Cell<'_>, value: &Value) -> bool {
    matches!(cell, Cell::Text(text) if json!(text.to_lowercase()) == without_case(value))
}

#[test]
fn a_schema_of_eight_fields_flattens_as_documented() {
    let schema = json!({"type": "object", "required": ["topic", "customer", "days"], "properties": {
        "topic": {"enum": ["delivery", "return"]},
        "days": {"type": "integer"},
        "customer": {"type": "object", "required": ["mood"], "properties": {
            "mood": {"enum": ["good", "bad"]}, "name": {"type": ["string", "null"]}}},
        "tags": {"type": "array", "items": {"type": "string"}},
        "steps": {"type": "array", "items": {"type": "object", "properties": {"what": {"type": "string"}}}},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "other": {"type": "object"}}});
    let extractor = Extractor::of_model(&schema).unwrap();
    let columns: Vec<String> =
        extractor.names().iter().zip(extractor.types()).map(|(name, column)| format!("{name}:{column:?}")).collect();
    let expected =
        "topic:Text customer_mood:Text customer_name:Text days:Integer other:Text score:Float steps:Text tags:List";
    assert_eq!(columns.join(" "), expected);
    for (answer, place) in [
        (r#"{"topic": "refund", "customer": {"mood": "good"}, "days": 1}"#, "at /topic: "),
        (r#"{"topic": "return", "customer": {"mood": "good"}, "days": 1, "score": 1.5}"#, "at /score: "),
        (r#"{"topic": "return", "days": 1}"#, "at the top: "),
        (r#"{"else": 1}"#, "has none of the properties of `response_schema`"),
    ] {
        let error = extractor.extract(answer, None).unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
    }
}
