use super::*;
use crate::rows::csv_inspect::inspect_csv;
use arrow_array::Array;
use arrow_array::cast::AsArray;
use bedrock_batch_domain::input::CsvOptions;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rstest::rstest;
use serde_json::{Value, json};

fn read(text: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let rows = CsvRows::open(text, "a.csv", None).map_err(|e| e.to_string())?;
    let mut out = Vec::new();
    for batch in rows {
        let batch = batch.map_err(|e| e.to_string())?;
        for row in 0..batch.num_rows() {
            out.push(batch.columns().iter().map(|c| c.as_string::<i32>().value(row).to_owned()).collect());
        }
    }
    Ok(out)
}

#[test]
fn cells_are_kept_as_written() {
    let rows = read("a,b,c\n0012,1e5,true\n\"x, \"\"y\"\"\nz\",,Łukasz\r\n".as_bytes()).unwrap();
    assert_eq!(rows, [["0012", "1e5", "true"], ["x, \"y\"\nz", "", "Łukasz"]]);
}

#[rstest]
#[case::ragged(b"a,b\n1,2\n\"x\ny\",2\n3\n4,5,6\n", "a.csv line 5: has 1 fields, but the header has 2")]
#[case::ragged_too(b"a,b\n1,2\n\"x\ny\",2\n3\n4,5,6\n", "a.csv line 6: has 3 fields")]
#[case::not_utf8(b"a,b\n1,\xff\n", "a.csv line 2: is not valid UTF-8")]
#[case::split_letter(b"a,b\n\xc3,\xa9\n", "a.csv line 2: is not valid UTF-8")]
#[case::header_not_utf8(b"a,\xff\n1,2\n", "a.csv line 1: is not valid UTF-8")]
#[case::twice(b"a,b,a\n1,2,3\n", "a.csv line 1 is `a`: this column name occurs twice")]
#[case::empty(b"", "a.csv: is empty")]
fn invalid_lines_are_reported_with_their_number(#[case] text: &[u8], #[case] expected: &str) {
    let error = read(text).unwrap_err();
    assert!(error.contains(expected), "{error}");
}

#[rstest]
#[case::empty_lines("\na,b\n\n1,2\n\n\n3\n4,5\n", 7)]
#[case::windows("a,b\r\n1,2\r\n\r\n\"x\r\ny\",2\r\n3\r\n", 6)]
#[case::old_mac("a,b\r\r\"x\ry\",2\r3", 5)]
#[case::two_returns("a,b\r\r\n1,2\r\r\n3\r\r\n", 3)]
#[case::unfinished("a,b\n1,2\n\n3", 4)]
#[case::unfinished_windows("a,b\r\n1,2\r\n3", 3)]
#[case::other_ends_below_the_header("a,b\r\n1,2\n3\n", 3)]
#[case::returns_below_the_header("a,b\n1,2\r\n3\r\n", 3)]
#[case::all_ends("a,b\r\n1,2\n\"x\r\ny\",2\n\r\n3", 6)]
#[case::a_return_alone("a,b\n1,2\r1,2\n3\n", 3)]
#[case::left_out("title\n# c\na,b\n# d\n3\n", 5)]
fn lines_have_the_numbers_of_the_file(#[case] text: &str, #[case] line: u64) {
    let csv = if text.starts_with("title") { json!({"skip_rows": 1, "comment": "#"}) } else { json!({}) };
    let message = read_with(text, &csv).unwrap_err();
    assert!(message.contains(&format!("a.csv line {line}: has 1 fields")), "{message}");
}

#[test]
fn the_number_of_reported_lines_is_limited() {
    let text = "a,b\n".to_owned() + &"1\n".repeat(100_000);
    let error = read(text.as_bytes()).unwrap_err();
    assert_eq!(error.matches("has 1 fields").count(), MAX_BAD_LINES);
}

fn read_with(text: &str, options: &Value) -> Result<Vec<Vec<Option<String>>>, String> {
    let options: CsvOptions = serde_json::from_value(options.clone()).unwrap();
    let reading = CsvReading::of_input(&options);
    let shape = inspect_csv(|| Ok(text.as_bytes()), "a.csv", &reading, false).map_err(|error| error.message())?;
    let rows = CsvRows::read(text.as_bytes(), "a.csv", &reading, None);
    let batches = rows.and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|error| error.message())?;
    let rows = batches.iter().flat_map(|batch| {
        let cell = |column: &arrow_array::ArrayRef, row| {
            let column = column.as_string::<i32>();
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        (0..batch.num_rows()).map(move |row| batch.columns().iter().map(|column| cell(column, row)).collect())
    });
    let rows: Vec<Vec<Option<String>>> = rows.collect();
    assert_eq!(shape.rows, rows.len() as u64);
    Ok(rows)
}

#[rstest]
#[case::delimiter("a;b\n1;2,3\n", json!({}), json!([["1", "2,3"]]))]
#[case::quote("a,b\n'x, y','z''s'\n", json!({"quote": "'"}), json!([["x, y", "z's"]]))]
#[case::no_quote("a\tb\n\"x\t5\"\n", json!({"quote": ""}), json!([["\"x", "5\""]]))]
#[case::escape("a,b\n1,\"she said \\\"no\\\", twice\"\n", json!({"escape": "\\"}), json!([["1", "she said \"no\", twice"]]))]
#[case::no_header("1,2\n3,4\n", json!({"header": false}), json!([["1", "2"], ["3", "4"]]))]
#[case::names("1,2\n3,4\n", json!({"header": ["a", "b"]}), json!([["1", "2"], ["3", "4"]]))]
#[case::title("Export\n\na,b\n1,2\n", json!({"skip_rows": 1}), json!([["1", "2"]]))]
#[case::comments("# made up\na,b\n#\n1,2\n", json!({"comment": "#"}), json!([["1", "2"]]))]
#[case::lenient("a,b\n1,\"x\" y\na,b\n", json!({"lenient": true}), json!([["1", "x y"], ["a", "b"]]))]
#[case::trailing("a,b,,\n1,2,,\n3,4, ,\n", json!({}), json!([["1", "2"], ["3", "4"]]))]
#[case::index_of_pandas(",b\n1,2\n", json!({}), json!([["1", "2"]]))]
#[case::one_column("a\n1\n\n3\n\n", json!({}), json!([["1"], [""], ["3"]]))]
#[case::header_in_one_column("label\nlabel\n", json!({}), json!([["label"]]))]
fn tables_of_other_forms_are_read(#[case] text: &str, #[case] options: Value, #[case] expected: Value) {
    assert_eq!(json!(read_with(text, &options).unwrap()), expected);
}

#[test]
fn words_for_null_are_null() {
    let rows = read_with("a,b\nNA,x\n\"NA\",\n", &json!({"null_values": ["NA", ""]})).unwrap();
    assert_eq!(rows, [[None, Some("x".to_owned())], [None, None]]);
}

#[rstest]
#[case::joined(
    "a,b\n1,2\na,b\n3,4\n",
    "a.csv line 3: is the header again, as in files that were joined; remove the line"
)]
#[case::joined_with_a_mark("a,b\n1,2\n\u{feff}a,b\n", "a.csv line 3: is the header again")]
#[case::title(
    "Export of reviews\n\na,b\n1,2\n",
    "line 3: has 2 fields, but the header has 1; the first line was taken for the names of columns: `Export of reviews`; if they are further down, set csv.skip_rows"
)]
#[case::end_of_lines(
    "a,b\n1,2,\n",
    "line 2: has 3 fields, but the header has 2; the line ends with a comma that the header does not have"
)]
#[case::text_without_a_name("a,b,\n1,2,x\n", "line 2 column 3: has text, but the column has no name")]
#[case::same_name("text, text\n1,2\n", "a.csv line 1 is `text`: this column name occurs twice")]
#[case::nameless("a,,,b\n1,2,3,4\n", "a.csv line 1 column 3: has no name, as another column")]
#[case::old_mac("a,b\r\"x\ry\",2\r3\r", "a.csv line 4: has 1 fields")]
fn what_is_meant_otherwise_is_refused_in_the_words_of_users(#[case] text: &str, #[case] expected: &str) {
    let message = read_with(text, &json!({})).unwrap_err();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn names_are_read_in_one_form() {
    let text = " id ,review\u{a0}text,\u{200b}tag,cafe\u{301}\n1,2,3,4\n";
    let rows = CsvRows::open(text.as_bytes(), "a.csv", None).unwrap();
    let schema = rows.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!((names.as_slice(), rows.header.changed), (["id", "review text", "tag", "caf\u{e9}"].as_slice(), 4));
    let rows = CsvRows::read(text.as_bytes(), "a.csv", &CsvReading::of_answers(false), None).unwrap();
    assert_eq!(rows.schema().field(0).name(), " id ", "as a run wrote it");
}

/// Characters that may structure a file.
const DELIMITERS: [u8; 5] = *b",;|\t~";

proptest! {
    #[test]
    fn what_a_writer_of_any_dialect_writes_is_read_back(
        rows in (1usize..4).prop_flat_map(|columns| vec(vec("[a;,|\t'\"\r\n~ é\u{feff}]{0,8}", columns), 1..6)),
        delimiter in select(&DELIMITERS[..]),
        quote in select(&b"\"'"[..]),
        all_quoted in any::<bool>(),
        is_found in any::<bool>(),
    ) {
        let style = if all_quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut writer = csv::WriterBuilder::new();
        let mut writer = writer.delimiter(delimiter).quote(quote).quote_style(style).from_writer(Vec::new());
        let names: Vec<String> = (0..rows[0].len()).map(|at| format!("name{at}")).collect();
        writer.write_record(&names).unwrap();
        for row in &rows {
            // A space before a quote is refused: writers put quotes around such cells.
            writer.write_record(row.iter().map(|cell| cell.trim_start_matches(' '))).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        // A table of one column has no delimiter to be found.
        let is_found = is_found && delimiter == b',';
        let named = (!is_found).then_some(char::from(delimiter));
        let options = json!({"delimiter": named, "quote": char::from(quote).to_string()});
        let read = read_with(&text, &options).map_err(TestCaseError::fail)?;
        let expected: Vec<Vec<Option<String>>> =
            rows.iter().map(|row| row.iter().map(|cell| Some(cell.trim_start_matches(' ').to_owned())).collect()).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn escaped_cells_are_read_back(rows in vec(vec("[a,\"\\\\\r\n é]{0,8}", 2), 1..6)) {
        let escaped = |cell: &String| format!("\"{}\"", cell.replace('\\', "\\\\").replace('"', "\\\""));
        let lines = rows.iter().map(|row| row.iter().map(escaped).collect::<Vec<_>>().join(",") + "\n");
        let text: String = std::iter::once("name,other\n".to_owned()).chain(lines).collect();
        let read = read_with(&text, &json!({"escape": "\\"})).map_err(TestCaseError::fail)?;
        let expected: Vec<Vec<_>> = rows.into_iter().map(|row| row.into_iter().map(Some).collect()).collect();
        prop_assert_eq!(read, expected);
    }
}
