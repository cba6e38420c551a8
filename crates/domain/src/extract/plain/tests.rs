use super::*;
use crate::extract::{Extractor, FieldKinds, FieldValue, NotListed, read_list};
use crate::prompt::{OutputSchema, SchemaType};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

/// Schema of the fields `topic`, `n`, `share` and `done`; `note` is not described.
fn schema() -> Value {
    json!({"type": "object", "required": ["topic"], "properties": {
        "topic": {"enum": ["a", "b \u{fc}", null], "description": "d", "x-aliases": {"c": "a"}},
        "n": {"type": "integer", "minimum": -2, "maximum": 5},
        "share": {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "null"}], "default": null},
        "done": {"$ref": "#/$defs/flag"}},
        "$defs": {"flag": {"type": ["boolean", "null"]}}})
}

/// Extractors by paths without and with a schema, and by a response model.
fn extractors() -> Vec<Extractor> {
    let names = ["topic", "n", "share", "done", "note"];
    let fields = names.iter().map(|name| ((*name).to_owned(), format!("$.{name}"))).collect();
    let fields = OutputSchema { schema_type: SchemaType::Json, fields };
    let mut closed = schema();
    closed["additionalProperties"] = false.into();
    vec![
        Extractor::new(&fields, None).unwrap(),
        Extractor::new(&fields, Some(&schema())).unwrap(),
        Extractor::of_model(&schema()).unwrap(),
        Extractor::of_model(&closed).unwrap(),
    ]
}

/// Reads a list, and checks that whatever is read is the same in the general way. Returns the number of rows whose fields were
/// read, or `None` if the list was not.
fn read(extractor: &Extractor, text: &str, rows: usize) -> Result<Option<usize>, TestCaseError> {
    let (mut lists, mut answers, mut cells) = (PlainLists::default(), "before".to_owned(), vec![PlainCell::Null]);
    if !lists.scan(text, rows) {
        return Ok(None);
    }
    let general = read_list(text, rows, None);
    prop_assert_eq!(lists.strange(), general.strange);
    let of_fields: Vec<usize> = (1..=extractor.names().len()).rev().collect();
    let columns = CellColumns { of_fields: &of_fields, all: of_fields.len() + 1 };
    let fields = extractor.plain().map(|plain| (plain, columns));
    let mut read = 0;
    for (row, expected) in general.rows.iter().enumerate() {
        let (begin, first_cell) = (answers.len(), cells.len());
        let found = lists.read_row(row, text, fields, (&mut answers, &mut cells));
        let has_fields = match (found, expected) {
            (PlainAnswer::Elements(0), Err(NotListed::Missing(all))) if *all == rows => continue,
            (PlainAnswer::Elements(several), Err(NotListed::Doubled(times))) if several == *times => continue,
            (PlainAnswer::Appended(has_fields), Ok(answer)) => {
                prop_assert_eq!(&answers[begin..], answer);
                has_fields
            }
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        if !has_fields {
            prop_assert_eq!(cells.len(), first_cell);
            continue;
        }
        read += 1;
        let answer = &answers[begin..];
        let extraction = extractor.extract_with_changes(answer, None);
        let extraction = extraction.map_err(|why| TestCaseError::fail(format!("{answer}: {why}")))?;
        prop_assert_eq!(extraction.changed, Vec::<usize>::new());
        prop_assert_eq!(cells.len() - first_cell, columns.all);
        for (field, value) in extraction.values.iter().enumerate() {
            let cell = cells[first_cell + of_fields[field]];
            prop_assert_eq!(&cell.value(answer), value);
            let (mut kinds, mut expected) = (FieldKinds::default(), FieldKinds::default());
            cell.record(&mut kinds);
            if let Some(value) = value {
                expected.record(value);
            }
            prop_assert_eq!(kinds, expected);
        }
    }
    Ok(Some(read))
}

fn scalar() -> impl Strategy<Value = String> {
    let texts = prop_oneof![Just("a"), Just("A"), Just("c"), Just("b ü"), Just("```json {"), Just("</think>")];
    prop_oneof![
        6 => texts.prop_map(|text| Value::from(text).to_string()),
        2 => "[a\"\\\\\n\u{1}ü{}]{0,6}".prop_map(|text| Value::from(text).to_string()),
        1 => "\"[a\"\\\\nu0d8\n{ ]{0,9}\"",
        4 => (-3i64..7).prop_map(|number| number.to_string()),
        3 => "-?[0-9]{1,3}\\.[0-9]{1,3}",
        1 => "-?[0-9.eE+-]{1,24}",
        3 => prop_oneof![Just("true"), Just("false"), Just("null"), Just("nul"), Just("{}"), Just("[1]"), Just("{\"id\": 1}")]
            .prop_map(str::to_owned),
    ]
}

/// Lists as models write them, and worse.
fn lists() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        12 => prop_oneof![Just("topic"), Just("n"), Just("share"), Just("done"), Just("note")].prop_map(str::to_owned),
        1 => "[a\\\\nid \"]{0,4}",
    ];
    let id = prop_oneof![8 => "[1-4]|\"[1-4]\"", 1 => "\"? ?0?[0-9]{1,2}\"?", 1 => scalar()];
    let member = (name, scalar()).prop_map(|(name, value)| (format!("\"{name}\""), value));
    let element = (prop::collection::vec(member, 0..6), prop::option::weighted(0.9, id), 0usize..7, "[ \n]{0,1}");
    let element = element.prop_map(|(mut members, id, at, space)| {
        if let Some(id) = id {
            members.insert(at.min(members.len()), ("\"id\"".to_owned(), id));
        }
        let members: Vec<String> =
            members.into_iter().map(|(name, value)| format!("{space}{name}:{space}{value}")).collect();
        format!("{{{}{space}}}", members.join(","))
    });
    (
        prop::collection::vec(element, 0..5),
        "[ \n\u{a0}]{0,1}",
        prop_oneof![20 => Just(","), 1 => Just(",,"), 1 => Just("")],
    )
        .prop_map(|(elements, space, comma)| format!("{space}[{}]{space}", elements.join(comma)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn whatever_is_read_is_the_same_in_the_general_way(text in lists(), rows in 0usize..5) {
        for extractor in extractors() {
            read(&extractor, &text, rows)?;
        }
    }

    #[test]
    fn damaged_lists_are_left_to_the_general_way_or_read_as_it_does(
        text in lists(), at in 0usize..200, noise in "[\\[\\]{}\",:\\\\ ü1e.-]{0,2}", removed in 0usize..4,
    ) {
        let places: Vec<usize> = text.char_indices().map(|(place, _)| place).chain([text.len()]).collect();
        let (begin, end) = (places[at.min(places.len() - 1)], places[(at + removed).min(places.len() - 1)]);
        let text = format!("{}{noise}{}", &text[..begin], &text[end..]);
        for extractor in extractors() {
            read(&extractor, &text, 4)?;
        }
    }
}

#[rstest]
#[case::usual(r#"[{"id": "2", "topic": "a", "n": 3, "share": 0.5, "done": true}, {"id": 1, "topic": "b ü"}]"#, [2, 2, 2, 2])]
#[case::other_order(r#" [ {"done":null,"share":null,"topic":null,"id":1} ] "#, [1, 1, 1, 1])]
#[case::quotes(r#"[{"id": 1, "topic": "a", "note": "the \"best\" \n one"}]"#, [1, 1, 1, 0])]
#[case::other_members(r#"[{"id": 1, "topic": "a", "other": 1e5}]"#, [0, 0, 0, 0])]
#[case::of_another_case(r#"[{"id": 1, "topic": "A"}, {"id": 2, "topic": "a"}]"#, [2, 1, 1, 1])]
#[case::out_of_range(r#"[{"id": 1, "topic": "a", "n": 6}, {"id": 2, "topic": "a", "n": 2.0}]"#, [2, 0, 0, 0])]
#[case::without_a_required_one(r#"[{"id": 1, "n": 1}]"#, [1, 0, 0, 0])]
#[case::without_any(r#"[{"id": 1}]"#, [0, 0, 0, 0])]
#[case::nothing("[]", [0, 0, 0, 0])]
fn the_usual_lists_are_read(#[case] text: &str, #[case] expected: [usize; 4]) {
    let found = extractors().iter().map(|extractor| read(extractor, text, 2).unwrap().unwrap_or(0)).collect::<Vec<_>>();
    assert_eq!(found, expected);
}

#[rstest]
#[case(json!({"properties": {"a": {"type": "string", "pattern": "x"}}}))]
#[case(json!({"properties": {"a": {"type": "array", "items": {"type": "string"}}}, "minProperties": 2}))]
#[case(json!({"properties": {"a": {"type": "object", "properties": {"b": {}}}}}))]
#[case(json!({"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}}))]
#[case(json!({"properties": {"a": {"$ref": "#/$defs/b", "enum": ["x"]}}, "$defs": {"b": {"enum": ["x", "y"]}}}))]
#[case(json!({"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "number"}]}}}))]
#[case(json!({"properties": {"a": {"enum": ["x", 1]}}}))]
#[case(json!({"properties": {"a": {}}, "required": ["a", "b"], "additionalProperties": false}))]
#[case(json!({"allOf": [{"properties": {"a": {}}}]}))]
fn other_schemas_are_left_to_the_general_way(#[case] schema: Value) {
    assert!(Extractor::of_model(&schema).unwrap().plain().is_none());
}

#[test]
fn a_text_is_borrowed_and_a_quoted_one_is_read() {
    let answer = r#"{"a":"x","b":"\"y\""}"#;
    assert_eq!(PlainCell::Text(6, 7).text(answer).as_deref(), Some("x"));
    assert_eq!(PlainCell::EscapedText(13, 20).value(answer), Some(FieldValue::Text("\"y\"".into())));
    assert_eq!(PlainCell::Text(6, 99).value(answer), None);
}
