use super::*;
use crate::error::EngineError;
use crate::rows::cell_text::as_text;
use crate::rows::csv_infer::CellType;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::sync::Arc;

fn shape_of(files: &[&[u8]]) -> Result<JsonShape, EngineError> {
    let mut table = JsonTable::default();
    for (number, file) in files.iter().enumerate() {
        table.add_file(*file, &format!("{number}.jsonl"))?;
    }
    Ok(table.finish()?)
}

fn batches_of(files: &[&[u8]], shape: &JsonShape) -> Vec<RecordBatch> {
    let rows = files.iter().flat_map(|file| JsonRows::open(*file, "a.jsonl", Arc::clone(&shape.columns)).unwrap());
    rows.map(Result::unwrap).collect()
}

/// Texts of the cells of a row.
type Cells = Vec<Option<String>>;

/// Returns the columns of some files with their types, and the text of all cells by rows.
fn read(files: &[&[u8]]) -> Result<(Vec<String>, Vec<Cells>), String> {
    let shape = shape_of(files).map_err(|error| error.message())?;
    let mut rows = Vec::new();
    for batch in batches_of(files, &shape) {
        let columns: Vec<_> = batch.columns().iter().map(|column| as_text(column).unwrap()).collect();
        let cell = |column: &arrow_array::StringArray, row| column.is_valid(row).then(|| column.value(row).to_owned());
        rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|column| cell(column, row)).collect()));
    }
    assert_eq!(shape.rows, rows.len() as u64);
    let fields = shape.columns.schema.fields().iter();
    Ok((fields.map(|field| format!("{} {}", field.name(), field.data_type())).collect(), rows))
}

fn cells(texts: &[&str]) -> Cells {
    texts.iter().map(|text| (*text != "null").then(|| (*text).to_owned())).collect()
}

#[test]
fn types_are_those_of_all_lines() {
    let text = br#"{"id": 7, "text": "5", "price": 1, "tags": ["a", null], "who": {"b": 1, "a": [ 2 ]}, "ok": true}

{"price": 2.50, "id": 9007199254740993, "text": null, "tags": [], "more": 12345678901234567890, "who": [1, "x"]}
"#;
    let (columns, rows) = read(&[text]).unwrap();
    let types = ["id Int64", "text Utf8", "price Float64", "tags List(Utf8)", "who Utf8", "ok Boolean", "more Utf8"];
    assert_eq!(columns, types);
    assert_eq!(rows[0], cells(&["7", "5", "1.0", "[\"a\",null]", "{\"b\":1,\"a\":[2]}", "true", "null"]));
    assert_eq!(rows[1], cells(&["9007199254740993", "null", "2.5", "[]", "[1,\"x\"]", "null", "12345678901234567890"]));
}

#[test]
fn all_files_are_one_table() {
    let files: [&[u8]; 3] = [b"{\"a\": 1}", b"{\"b\": \"x\", \"a\": null}\n{\"a\": 1.5}", b"\n"];
    let (columns, rows) = read(&files).unwrap();
    assert_eq!(columns, ["a Float64", "b Utf8"]);
    assert_eq!(rows, [cells(&["1.0", "null"]), cells(&["null", "x"]), cells(&["1.5", "null"])]);
}

#[test]
fn files_are_read_in_every_form_of_text() {
    let text = "{\"a\": \"Größe €5 👩\"}\r\n{\"a\": \"b\"}\r\n";
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let utf_16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let forms = [
        gzip.finish().unwrap(),
        utf_16,
        ["\u{feff}", text].concat().into_bytes(),
        text.replace('\n', "").into_bytes(),
        text.replace("\r\n{", "\n\u{feff}{").into_bytes(),
        text.trim_end().as_bytes().to_vec(),
    ];
    for form in forms {
        let (_, rows) = read(&[&form]).unwrap();
        assert_eq!(rows, [cells(&["Größe €5 👩"]), cells(&["b"])]);
    }
}

#[rstest]
#[case::twice("{\"a\":1,\"b\":2,\"\\u0061\":3}", "line 1 is `a`: the object has this name twice; rename one")]
#[case::twice_in_one_form("{\"a\":1,\" a\":3}", "line 1 is `a`: the object has this name twice")]
#[case::list("{\"a\":1}\n[1]", "line 2: is not a JSON object, but a list; write each row as one JSON object")]
#[case::text("{\"a\":1}\n\"x\"", "line 2: is not a JSON object, but other text")]
#[case::csv("a,b\n1,2", "line 1: is not a JSON object, but other text")]
#[case::pretty("{\n  \"a\": 1\n}\n", "line 1: the object does not end on its line; if it goes on in the next lines")]
#[case::array(
    "[\n{\"a\": 1}\n]\n",
    "0.jsonl: is a JSON list, not JSON lines; write its elements as lines: `jq -c '.[]'"
)]
#[case::two(
    "{\"a\":1}{\"a\":2}",
    "line 1: is not valid JSON: trailing characters at byte 8; write each object on a line"
)]
#[case::comma("{\"a\":1,}", "line 1: is not valid JSON: trailing comma at byte 8")]
#[case::nan("{\"a\": NaN}", "at byte 7; JSON has no such number: write null in its place")]
#[case::infinity("{\"a\": -Infinity}", "JSON has no such number: write null in its place")]
#[case::python("{'a': 1}", "line 1: is not valid JSON: key must be a string at byte 2; write each row as")]
#[case::surrogate("{\"a\":\"x\\ud83d\"}", "line 1 column `a`: the text has half of a character (a lone surrogate")]
#[case::surrogate_in_a_list("{\"a\":[\"x\\ud83d\"]}", "column `a`: a text of the list has half of a character")]
#[case::surrogate_in_a_name("{\"\\ud83d\":1}", "line 1: a name has half of a character")]
#[case::workbook("PK\u{3}\u{4}", "perhaps an Excel workbook (.xlsx), not JSON lines")]
#[case::parquet("PAR1", "is a Parquet file, not JSON lines; name it `.parquet`")]
#[case::nothing("{}\n{}", "all objects of the JSON lines are empty")]
fn what_is_not_one_object_per_line_is_refused_with_its_line(#[case] text: &str, #[case] expected: &str) {
    let message = read(&[text.as_bytes()]).unwrap_err();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_with_their_line() {
    let message = read(&[b"{\"a\":1}\n{\"a\":\"\xe4\"}\n"]).unwrap_err();
    assert!(message.contains("0.jsonl line 2: is not valid UTF-8; save the file as UTF-8"), "{message}");
    let message = read(&[b"{\0\"\0a\0\"\0:\x001\0}\0"]).unwrap_err();
    assert!(message.contains("looks like UTF-16LE without a mark") && !message.contains("csv."), "{message}");
}

#[test]
fn several_bad_lines_are_reported_at_once() {
    let text = "{\"a\":1}\nx\n\n".repeat(9);
    let message = read(&[text.as_bytes()]).unwrap_err();
    let lines: Vec<bool> = [2, 5, 8, 11, 14, 17].map(|line| message.contains(&format!("line {line}:"))).into();
    assert_eq!(lines, [true, true, true, true, true, false], "{message}");
}

#[test]
fn names_and_columns_are_limited() {
    let many: Vec<String> = (0..5_001).map(|number| format!("\"c{number}\":1")).collect();
    let message = read(&[format!("{{{}}}", many.join(",")).as_bytes()]).unwrap_err();
    assert!(message.contains("has the first name after 5000 others"), "{message}");
    let message = read(&[format!("{{\"{}\":1}}", "n".repeat(5_000)).as_bytes()]).unwrap_err();
    assert!(message.contains("the name of a member has 5000 bytes; at most 4096 are read"), "{message}");
}

#[test]
fn cells_are_limited() {
    let message = read(&[format!("{{\"a\":\"{}\"}}", "x".repeat(33 << 20)).as_bytes()]).unwrap_err();
    assert!(message.contains("0.jsonl line 1 column `a`: has 34603008 bytes; at most 32 MiB are read"), "{message}");
}

#[test]
fn what_is_read_in_another_form_is_counted() {
    let text =
        b"{\" a\": 1, \"b\": \"x\"}\n \n{\"a\": \"2\", \"b\": 12345678901234567890}\n{\"b\": \"y\", \"c\": [1]}\n";
    let warnings = shape_of(&[text]).unwrap().warnings;
    let expected = [
        ("JSON values of the column `a` read as text, since it has integers, texts", 1),
        ("JSON values of the column `b` read as text, since it has numbers of more digits than 64 bits hold, texts", 1),
        ("blank lines of JSON lines, passed over", 1),
        ("names of columns read without outer or invisible spaces, and in one Unicode form", 1),
    ];
    assert_eq!(warnings, expected.map(|(text, count)| (text.to_owned(), count)).into());
    let many: Vec<String> = (0..30).map(|number| format!("\"c{number}\":[1]")).collect();
    let text = format!("{{{}}}\n{{{}}}", many.join(","), many.join(",").replace("[1]", "1"));
    let warnings = shape_of(&[text.as_bytes()]).unwrap().warnings;
    assert_eq!((warnings.len(), warnings.values().max()), (11, Some(&20)), "{warnings:?}");
}

#[test]
fn records_of_bedrock_are_told() {
    let text = br#"{"recordId": "r1", "modelInput": {"max_tokens": 1, "messages": []}}"#;
    let (columns, rows) = read(&[text]).unwrap();
    assert_eq!(columns, ["recordId Utf8", "modelInput Utf8"]);
    assert_eq!(rows, [cells(&["r1", "{\"max_tokens\":1,\"messages\":[]}"])]);
    let warnings = shape_of(&[text]).unwrap().warnings;
    assert!(warnings.keys().next().unwrap().contains("`{modelInput}`"), "{warnings:?}");
}

#[test]
fn a_file_that_has_changed_is_refused() {
    let shape = shape_of(&[b"{\"a\": 1}"]).unwrap();
    for text in ["{\"b\": 1}", "{\"a\": 1, \"a\": 2}", "x"] {
        let mut rows = JsonRows::open(text.as_bytes(), "a.jsonl", Arc::clone(&shape.columns)).unwrap();
        assert_eq!(rows.next().unwrap().unwrap_err().name(), "InvalidInput");
        assert!(rows.next().is_none());
    }
}

#[test]
fn batches_are_small_however_few_bytes_have_many_cells() {
    let names: Vec<String> = (0..4_000).map(|number| format!("\"c{number}\":1")).collect();
    let text = format!("{{{}}}\n{}", names.join(","), "{}\n".repeat(200));
    let shape = shape_of(&[text.as_bytes()]).unwrap();
    let batches = batches_of(&[text.as_bytes()], &shape);
    assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [65, 65, 65, 6]);
}

/// Returns a cell as JSON, in the type of its column.
fn value_of(column: &ArrayRef, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).into(),
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            (0..list.len()).map(|at| value_of(&list, at)).collect()
        }
        _ => column.as_string::<i32>().value(row).into(),
    }
}

/// Returns the value that a column of this type has for a value of the file.
fn expected(value: &Value, json_type: JsonType) -> Value {
    match (value, json_type) {
        (Value::Null, _) => Value::Null,
        (Value::Array(list), JsonType::List(cell)) => {
            list.iter().map(|element| expected(element, JsonType::Cell(cell))).collect()
        }
        (value, JsonType::Cell(CellType::Float)) => value.as_f64().into(),
        (Value::String(text), _) => text.as_str().into(),
        (value, JsonType::Cell(CellType::Text)) => value.to_string().into(),
        (value, _) => value.clone(),
    }
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_i64..9).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-9.0..9.0_f64).prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        "\\PC{0,6}|[\"\\\\\n\u{0}5 ]{0,4}".prop_map(Value::from),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let nested = scalars().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,3}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    // Most columns are of one kind.
    let of_one_kind = prop_oneof![
        "[a-z]{0,5}".prop_map(Value::from),
        prop::collection::vec("[a-z\"]{0,5}", 0..4).prop_map(|texts| json!(texts)),
        prop::collection::vec(prop::option::of(0..9_i64), 0..4).prop_map(|numbers| json!(numbers)),
    ];
    prop_oneof![of_one_kind, nested]
}

proptest! {
    #[test]
    fn any_objects_are_read_as_they_were_written(
        objects in prop::collection::vec(prop::collection::btree_map("[a-d]|é|\"", values(), 1..5), 1..6),
        is_spaced in any::<bool>(),
    ) {
        let objects: Vec<Map<String, Value>> = objects.into_iter().map(|members| members.into_iter().collect()).collect();
        let line = |object: &Map<String, Value>| {
            let pretty = || serde_json::to_string_pretty(object).unwrap().replace('\n', " ");
            if is_spaced { pretty() } else { serde_json::to_string(object).unwrap() }
        };
        let text: Vec<String> = objects.iter().map(line).collect();
        let text = text.join("\n");
        let shape = shape_of(&[text.as_bytes()]).unwrap();
        let batches = batches_of(&[text.as_bytes()], &shape);
        let mut rows = objects.iter();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let object = rows.next().unwrap();
                for (at, field) in batch.schema().fields().iter().enumerate() {
                    let written = object.get(field.name()).unwrap_or(&Value::Null);
                    let read = value_of(batch.column(at), row);
                    prop_assert_eq!(read, expected(written, shape.columns.types[at]), "{} {}", field, &text);
                }
            }
        }
        prop_assert!(rows.next().is_none());
    }
}
