//! Files that people really have, made up after public reports: each is read with all of its rows and in the words of its author,
//! or refused with what to do. `tests/fixtures/csv_troubles/` has them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use arrow_array::cast::AsArray;
use bedrock_batch_domain::input::CsvOptions;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::rows::csv_dialect::CsvReading;
use bedrock_batch_engine::rows::csv_inspect::inspect_csv;
use bedrock_batch_engine::rows::csv_read::CsvRows;
use bedrock_batch_engine::rows::table_shape::FileShape;
use rstest::rstest;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/csv_troubles").join(file)
}

/// Reads a file as a run does: first its shape, then its rows.
fn read(file: &str, csv: &Value) -> Result<(FileShape, Vec<Vec<String>>), EngineError> {
    read_with(file, csv, || Ok(File::open(path(file))?))
}

fn read_with<R: Read>(
    file: &str,
    csv: &Value,
    open: impl Fn() -> Result<R, EngineError>,
) -> Result<(FileShape, Vec<Vec<String>>), EngineError> {
    let options: CsvOptions = serde_json::from_value(csv.clone()).unwrap();
    let reading = CsvReading::of_input(&options);
    let shape = inspect_csv(&open, file, &reading, false)?;
    let mut rows = Vec::new();
    for batch in CsvRows::read(open()?, file, &reading, None)? {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            rows.push(batch.columns().iter().map(|column| column.as_string::<i32>().value(row).to_owned()).collect());
        }
    }
    Ok((shape, rows))
}

/// Returns the last cell of row 7.
fn cell(rows: &[Vec<String>]) -> &str {
    rows[7].last().unwrap()
}

#[rstest]
#[case::mark_and_quotes("bom_quoted_header.csv", json!({}), "id text", "note number 7", 0)]
#[case::braces("braces_and_json_in_cells.csv", json!({}), "id text", "{\"text\": \"{id}\", \"n\": {{7}}}", 0)]
#[case::comments("comment_lines.csv", json!({"comment": "#"}), "id text", "note number 7", 0)]
#[case::cp1252("cp1252.csv", json!({"encoding": "cp1252"}), "id text", "Größe 7 – 5 €", 0)]
#[case::old_mac("cr_only.csv", json!({}), "id text", "note number 7", 0)]
#[case::two_returns("crcrlf.csv", json!({}), "id text", "note number 7", 0)]
#[case::mark_of_dos("ctrl_z_at_the_end.csv", json!({}), "id text", "note number 7", 0)]
#[case::names_by_case("duplicate_header_by_case.csv", json!({}), "id text Text", "other 7", 0)]
#[case::formulas("formula_cells.csv", json!({}), "id text", "=HYPERLINK(\"http://example.invalid/7\")", 0)]
#[case::gzip_by_content("gzip_named_csv.csv", json!({}), "id text", "note number 7", 0)]
#[case::gzip("rows.csv.gz", json!({}), "id text", "note number 7", 0)]
#[case::numbers_as_names("header_all_numbers.csv", json!({}), "1 2", "note number 7", 1)]
#[case::no_header("no_header.csv", json!({"header": false}), "column_1 column_2", "note number 7", 0)]
#[case::invisible_names("header_nbsp_and_zero_width.csv", json!({}), "id review_text tag", "t", 1)]
#[case::names_with_spaces("header_spaces.csv", json!({}), "id text", "note number 7", 1)]
#[case::names_of_ours("header_names_of_ours.csv", json!({}), "record_id response error model_id input_response", "ir", 0)]
#[case::odd_names("header_with_braces_dots_quotes.csv", json!({}), "id {text} a.b say_\"x\" line\nbreak", "3", 0)]
#[case::ids("ids.csv", json!({}), "record_id text", "note 7", 0)]
#[case::lines_in_cells("line_breaks_in_cells.csv", json!({}), "id text", "first\nsecond\r\nthird\rfourth 7", 0)]
#[case::mixed_line_ends("mixed_line_ends.csv", json!({}), "id text", "a 7", 0)]
#[case::late_text("mixed_types_late.csv", json!({}), "id score", "7", 0)]
#[case::words_for_null("nan_null_none_cells.csv", json!({}), "id text score", "", 0)]
#[case::no_last_line_end("no_newline_at_the_end_and_empty_last_cell.csv", json!({}), "id text", "note number 7", 0)]
#[case::zeros_in_cells("nul_in_cells.csv", json!({}), "id text", "note\0 7", 0)]
#[case::zeros_at_the_end("nul_padding_at_the_end.csv", json!({}), "id text", "note number 7", 0)]
#[case::empty_lines("one_column_with_empty_lines.csv", json!({}), "text", "note 7", 1)]
#[case::quoted_empty("one_column_with_quoted_empty.csv", json!({}), "text", "note 7", 0)]
#[case::semicolons("semicolon_plain.csv", json!({}), "id text", "note 7", 1)]
#[case::decimal_commas("semicolon_decimal_comma.csv", json!({}), "id price text", "note 7", 1)]
#[case::hint_of_excel("sep_hint_semicolon.csv", json!({}), "id text", "note 7", 0)]
#[case::tabs("tab_named_csv.csv", json!({}), "id text", "note 7, with a comma", 1)]
#[case::separators("separators_u2028_u0085_vt_ff.csv", json!({}), "id text", "a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f 7", 0)]
#[case::single_quotes("single_quotes.csv", json!({"quote": "'"}), "id text", "note 7", 0)]
#[case::single_quotes_kept("single_quotes.csv", json!({}), "id text", "'note 7'", 1)]
#[case::title("title_and_blank_line_before_header.csv", json!({"skip_rows": 1}), "id text", "note 7", 0)]
#[case::utf_16("utf16le_bom.csv", json!({}), "id text", "note number 7", 0)]
#[case::utf_16_said("utf16le_no_bom.csv", json!({"encoding": "utf-16le"}), "id text", "note number 7", 0)]
#[case::backslashes("backslash_quotes.csv", json!({"escape": "\\"}), "id text", "she said \"no 7\", twice", 0)]
#[case::lenient("text_after_closing_quote.csv", json!({"lenient": true}), "id text", "Deluxe edition 7", 0)]
fn troubles_of_csv_files_are_read_or_refused_as_they_should(
    #[case] file: &str,
    #[case] csv: Value,
    #[case] columns: &str,
    #[case] expected: &str,
    #[case] warnings: usize,
) {
    let (shape, rows) = read(file, &csv).unwrap();
    let names: Vec<String> = shape.schema.fields().iter().map(|field| field.name().replace(' ', "_")).collect();
    assert_eq!(names.join(" "), columns);
    assert_eq!((shape.rows, rows.len()), (110, 110));
    assert_eq!(cell(&rows), expected);
    assert_eq!(shape.warnings.len(), warnings, "{:?}", shape.warnings);
}

#[rstest]
#[case(
    "backslash_quotes.csv",
    "line 2: there is text after a closing quote, which has a backslash before it; set csv.escape"
)]
#[case(
    "text_after_closing_quote.csv",
    "line 2: there is text after a closing quote, so that quotes of the cell would be lost"
)]
#[case("space_before_quote.csv", "line 2: there is a quote after a space")]
#[case("two_stray_quotes_swallow_rows_21_to_44.csv", "line 47: there is text after a closing quote")]
#[case("one_stray_quote.csv", "line 22: a quote opens here that is never closed")]
#[case("concatenated_bom_and_header_again.csv", "is the header again, as in files that were joined; remove the line")]
#[case("cp1252.csv", "line 2: is not valid UTF-8; set csv.encoding, to `windows-1252` for most files of Excel")]
#[case("one_bad_byte_in_row_57.csv", "line 59: is not valid UTF-8")]
#[case("duplicate_header.csv", "line 1 is `text`: this column name occurs twice; rename one")]
#[case("html_error_page_named_csv.csv", "is an HTML page, not a CSV")]
#[case("xlsx_named_csv.csv", "is a zip archive, perhaps an Excel workbook (.xlsx)")]
#[case("parquet_named.csv", "is a Parquet file, not a CSV; name it `.parquet`")]
#[case(
    "utf16le_no_bom.csv",
    "looks like UTF-16LE without a mark: every other byte is zero; set csv.encoding to `utf-16le`"
)]
#[case("one_long_row.csv", "line 72: has 3 fields, but the header has 2; enclose fields that contain commas")]
#[case("short_rows.csv", "line 2: has 2 fields, but the header has 3")]
#[case(
    "trailing_comma_in_rows_only.csv",
    "line 2: has 3 fields, but the header has 2; the line ends with a comma that the header does not"
)]
#[case(
    "title_and_blank_line_before_header.csv",
    "line 3: has 2 fields, but the header has 1; the first line was taken for the names of columns: `Export of reviews 2031`"
)]
#[case(
    "comment_lines.csv",
    "line 3: has 2 fields, but the header has 1; the first line was taken for the names of columns: `# made up`"
)]
#[case("total_and_row_count_at_the_end.csv", "line 114: has 1 fields, but the header has 2")]
#[case("only_blank_lines.csv", "is empty; a CSV begins with a line of column names")]
fn what_cannot_be_read_is_told_in_the_words_of_users(#[case] file: &str, #[case] expected: &str) {
    let error = read(file, &json!({})).unwrap_err();
    assert_eq!(error.name(), "InvalidInput");
    let message = error.message();
    assert!(message.contains(file) && message.contains(expected), "{message}");
}

#[test]
fn rows_of_nothing_but_commas_are_rows() {
    let (shape, rows) = read("excel_rows_of_commas.csv", &json!({})).unwrap();
    assert_eq!(shape.rows, rows.len() as u64);
    assert!(rows.last().unwrap().iter().all(String::is_empty), "what to do with them is not the reader's to decide");
}

#[test]
fn wide_tables_and_huge_cells_are_read() {
    let names: Vec<String> = (0..2_000).map(|number| format!("c{number}")).collect();
    let row: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
    let text = format!("{}\n", names.join(",")) + &format!("{}\n", row.join(",")).repeat(100);
    let (shape, rows) = read_with("wide.csv", &json!({}), || Ok(text.as_bytes())).unwrap();
    assert_eq!((shape.schema.fields().len(), shape.rows, rows.len()), (2_000, 100, 100));
    assert_eq!(rows[99], row);
    let cell = "One sentence, then a \"\"quote\"\".\n".repeat(50_000);
    let text = format!("id,text\n1,\"{cell}\"\n2,short\n");
    let (_, rows) = read_with("huge.csv", &json!({}), || Ok(text.as_bytes())).unwrap();
    assert_eq!(rows, [["1", cell.replace("\"\"", "\"").as_str()], ["2", "short"]]);
}
