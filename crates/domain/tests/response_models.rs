//! Response models: whatever a schema describes and a model answers, no value is lost or changed silently.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bedrock_batch_domain::extract::{Cell, ColumnType, Extractor};
use bedrock_batch_domain::prompt::{OutputSchema, SchemaType};
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

/// Returns true if a value has any property itself. Of others, an object within them may be the answer.
fn has_any(extractor: &Extractor, value: &Value) -> bool {
    extractor.names().iter().any(|name| at(value, name).is_some())
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
        if !has_any(&extractor, &value) {
            return Ok(());
        }
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

/// Returns schemas of any kind, most of which can be compiled: with references, alternatives, and keywords in places where
/// they are unusual.
fn any_schema() -> impl Strategy<Value = Value> {
    let types = prop::sample::select(vec!["string", "integer", "number", "boolean", "null", "array", "object"]);
    let several = prop::collection::btree_set(types.clone(), 1..4);
    let leaf = prop_oneof![
        Just(json!({})),
        Just(json!(true)),
        types.prop_map(|name| json!({"type": name})),
        several.prop_map(|names| json!({"type": names})),
        prop::collection::vec(any_value(), 1..4).prop_map(|values| json!({"enum": values})),
        prop::collection::vec(prop::sample::select(vec!["Red", "red ", "Blue", "1"]), 1..3)
            .prop_map(|values| json!({"enum": values, "x-aliases": {"navy": values[0]}})),
        any_value().prop_map(|value| json!({"const": value})),
        prop::sample::select(vec!["#", "#/$defs/a", "#/$defs/b"]).prop_map(|to| json!({"$ref": to})),
        any::<i8>().prop_map(|limit| json!({"type": "number", "minimum": limit})),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        let all = prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            3 => prop::collection::btree_map("p[0-3]", inner.clone(), 1..4).prop_map(|all| json!({"properties": all})),
            2 => prop::collection::btree_map("p[0-3]", inner.clone(), 1..4)
                .prop_map(|all| json!({"type": "object", "properties": all, "required": ["p1"]})),
            1 => all.clone().prop_map(|all| json!({"anyOf": all})),
            1 => all.clone().prop_map(|all| json!({"oneOf": all})),
            1 => all.clone().prop_map(|all| json!({"allOf": all})),
            1 => all.prop_map(|all| json!({"prefixItems": all, "items": {"type": "string"}})),
            1 => inner.clone().prop_map(|not| json!({"not": not})),
            1 => inner.clone().prop_map(|items| json!({"items": items})),
            1 => inner.prop_map(|others| json!({"additionalProperties": others})),
        ]
    })
}

/// Returns response models of any kind.
fn any_model() -> impl Strategy<Value = Value> {
    (prop::collection::btree_map("p[0-3]", any_schema(), 1..4), any_schema(), any_schema(), any::<bool>()).prop_map(
        |(properties, a, b, is_typed)| {
            let mut model = json!({"properties": properties, "$defs": {"a": a, "b": b}});
            if is_typed {
                model["type"] = json!("object");
            }
            model
        },
    )
}

proptest! {
    #[test]
    fn any_model_and_any_answer_give_values_of_the_declared_types_or_a_reason(
        schema in any_model(), values in prop::collection::vec(any_value(), 1..12),
    ) {
        let Ok(extractor) = Extractor::of_model(&schema) else { return Ok(()) };
        let validator = jsonschema::validator_for(&schema).unwrap();
        prop_assert_eq!(extractor.names().len(), extractor.types().len());
        // Members by the names of properties are more likely to match.
        let objects = values.iter().map(|value| json!({"p0": value, "p1": values[0], "p2": {"p1": value}}));
        for value in values.iter().cloned().chain(objects) {
            let found = match extractor.extract_with_changes(&value.to_string(), None) {
                Ok(found) => found,
                Err(reason) => {
                    prop_assert!(reason.to_string().chars().count() < 1000);
                    continue;
                }
            };
            if !has_any(&extractor, &value) {
                continue;
            }
            prop_assert!(!found.changed.is_empty() || validator.is_valid(&value), "{} {}", schema, value);
            prop_assert_eq!(found.values.len(), extractor.types().len());
            for ((name, column), field) in extractor.names().iter().zip(extractor.types()).zip(&found.values) {
                let own = at(&value, name).filter(|own| !own.is_null());
                prop_assert_eq!(field.is_some(), own.is_some(), "{}", name);
                let (Some(field), Some(own)) = (field, own) else { continue };
                let cell = column.cell(field);
                let is_kept = cell.is_some_and(|cell| !found.changed.is_empty() || is_same(&cell, own));
                prop_assert!(is_kept, "{}: {} {}", name, schema, own);
            }
        }
    }
}

#[test]
fn an_optional_object_may_be_null_or_empty() {
    let customer = json!({"type": "object", "properties": {"mood": {"type": "string"}}});
    let optional = json!({"anyOf": [customer, {"type": "null"}]});
    let schema = json!({"type": "object", "required": ["customer"], "properties": {"customer": optional}});
    let extractor = Extractor::of_model(&schema).unwrap();
    for answer in [r#"{"customer": null}"#, r#"{"customer": {}}"#] {
        assert_eq!(extractor.extract(answer, None), Ok(vec![None]), "{answer}");
    }
}

#[test]
fn a_value_where_columns_expect_an_object_is_not_lost() {
    let schema = json!({"properties": {"customer": {"properties": {"mood": {"type": "string"}}}}});
    let extractor = Extractor::of_model(&schema).unwrap();
    assert!(extractor.extract(r#"{"customer": {"mood": "good"}}"#, None).is_ok());
    for answer in [r#"{"customer": "angry"}"#, r#"{"customer": ["angry"]}"#, r#"{"customer": 7}"#] {
        let error = extractor.extract(answer, None).unwrap_err().to_string();
        assert_eq!(error, "the answer does not match `response_schema` at /customer: is not an object");
    }
}

#[test]
fn the_reason_of_an_answer_is_short_and_without_control_characters() {
    let long = r"x\u001b".repeat(50_000);
    let members: Vec<String> = (0..10_000).map(|number| format!("\"member{number}\": 1")).collect();
    let schema = json!({"type": "object", "additionalProperties": false, "properties": {
        "a": {"type": "object", "additionalProperties": {"type": "integer"}},
        "b": {"not": {"enum": vec!["value"; 10_000]}}, "c": {"const": "v".repeat(100_000)},
        "d": {"type": "object", "propertyNames": {"maxLength": 3}}}});
    let extractor = Extractor::of_model(&schema).unwrap();
    for answer in [
        format!("{{\"a\": {{}}, {}}}", members.join(", ")),
        format!("{{\"a\": {{\"{long}\": \"secret\"}}}}"),
        format!("{{\"d\": {{\"{long}\": \"secret\"}}}}"),
        r#"{"b": "value"}"#.to_owned(),
        r#"{"c": "secret"}"#.to_owned(),
    ] {
        let error = extractor.extract(&answer, None).unwrap_err().to_string();
        assert!(error.starts_with("the answer does not match `response_schema` at "), "{error}");
        assert!(error.chars().count() < 1000 && !error.contains(char::is_control), "{} {error}", error.len());
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn a_huge_schema_is_refused_or_compiled_quickly() {
    let names = |count: usize| (0..count).map(|number| format!("a{number}"));
    let properties: Map<String, Value> = names(20_000).map(|name| (name, json!({"enum": ["x", "y"]}))).collect();
    let many = json!({"type": "object", "properties": properties, "required": names(20_000).collect::<Vec<_>>()});
    assert!(Extractor::of_model(&many).unwrap_err().to_string().contains("more than 500 columns"));
    let aliases: Map<String, Value> = names(50_000).map(|name| (format!("{name}!"), json!(name))).collect();
    let codes = json!({"enum": names(100_000).collect::<Vec<_>>(), "x-aliases": aliases});
    let extractor = Extractor::of_model(&json!({"properties": {"code": codes}})).unwrap();
    let found = extractor.extract_with_changes(r#"{"code": "A49999!"}"#, None).unwrap();
    assert_eq!(found.values[0].clone().unwrap().into_text(), "a49999");
    let error = extractor.extract(r#"{"code": "b"}"#, None).unwrap_err().to_string();
    assert!(error.len() < 1000, "{}", error.len());
}

#[test]
fn schemas_that_refer_to_others_very_often_end() {
    let link = |level: usize| json!({"$ref": format!("#/$defs/l{level}")});
    let chain: Map<String, Value> =
        (0..25_000).map(|level| (format!("l{level}"), link(level + 1))).chain([("l25000".into(), json!({}))]).collect();
    let schema = json!({"$defs": chain, "properties": {"a": link(0)}});
    assert!(Extractor::of_model(&schema).is_err());
    let fields = OutputSchema { schema_type: SchemaType::Json, fields: vec![("a".to_owned(), "$.a".to_owned())] };
    let _ = Extractor::new(&fields, Some(&schema));
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let level = |level: usize| (format!("l{level}"), json!({keyword: [link(level + 1), link(level + 1)]}));
        let defs: Map<String, Value> = (0..60).map(level).chain([("l60".into(), json!({"type": "integer"}))]).collect();
        let schema = json!({"$defs": defs, "properties": {"a": link(0), "b": {"type": "string"}}});
        if let Ok(extractor) = Extractor::of_model(&schema) {
            let _ = extractor.extract(r#"{"a": 1, "b": "x"}"#, None);
            let _ = extractor.extract(r#"{"a": "x", "b": "x"}"#, None);
        }
    }
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
