//! Parquet files that people really have, made up after public reports: each value is shown as people write it, or the file is
//! refused with its name. `tests/fixtures/parquet_troubles/` has them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::rows::cell_text::as_text;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use bedrock_batch_engine::rows::shared_file::SharedFile;
use rstest::rstest;
use std::path::{Path, PathBuf};

pub(crate) fn fixture(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/parquet_troubles").join(file)
}

/// Returns the cells of a column as prompts show them.
fn cells(file: &str, column: &str) -> Result<Vec<Option<String>>, EngineError> {
    let (_, rows) = ParquetRows::open(SharedFile::open(&fixture(file)).unwrap(), file, None)?;
    let mut cells = Vec::new();
    for batch in rows {
        let texts = as_text(batch?.column_by_name(column).unwrap())?;
        cells.extend(texts.iter().map(|cell| cell.map(str::to_owned)));
    }
    Ok(cells)
}

#[rstest]
#[case::last_date("int96_far", "valid_to", 0, Some("9999-12-31T23:59:59"))]
#[case::first_date("int96_far", "valid_to", 1, Some("0001-01-01T00:00:00"))]
#[case::usual_date("int96_far", "valid_to", 2, Some("2024-02-29T12:30:00"))]
#[case::beyond_nanoseconds("int96_far", "valid_to", 3, Some("2300-01-01T00:00:00"))]
#[case::before_nanoseconds("int96_far", "valid_to", 4, Some("1677-09-20T00:00:00"))]
#[case::no_date("int96_far", "valid_to", 5, None)]
#[case::far_time("ts_us_far", "valid_to", 7, Some("0001-01-01T00:00:00"))]
#[case::duration("odd_types", "dur", 7, Some("PT7.000005S"))]
#[case::time_of_day("odd_types", "tod", 7, Some("23:59:59.999999"))]
#[case::decimal("odd_types", "dec", 7, Some("-12345678901234567890.1200"))]
#[case::small_decimal("odd_types", "dec_neg_zero", 7, Some("-0.05"))]
#[case::long_decimal("odd_types", "dec256", 7, Some("100000000000000000000000000000000000000000000000000.00"))]
#[case::half("odd_types", "half", 7, Some("1.5"))]
#[case::bytes("odd_types", "bin", 7, Some("ffd8ff00"))]
#[case::bytes_of_a_text("odd_types", "bin_text", 7, Some("zufriedene Käufer 7"))]
#[case::bytes_of_one_size("odd_types", "fixed", 7, Some("00000000000000000000000000000007"))]
#[case::no_boolean("odd_types", "flag", 7, None)]
#[case::small_integer("odd_types", "tiny", 7, Some("-128"))]
#[case::large_integer("odd_types", "big", 7, Some("18446744073709551608"))]
#[case::nothing("odd_types", "nothing", 7, None)]
#[case::text_as_bytes("text_is_binary", "text", 7, Some("parcel 7"))]
#[case::text_in_another_encoding("text_is_binary_and_not_utf8", "text", 7, Some("636166e92037"))]
#[case::map("map_int_keys", "scores", 7, Some(r#"{"7":"v7","8":"w"}"#))]
#[case::dotted_name("dotted_name_beside_struct", "review.text", 7, Some("the parcel 8 came late"))]
#[case::structure("dotted_name_beside_struct", "review", 7, Some(r#"{"text":"from the struct"}"#))]
#[case::utc("ts_zones", "utc", 7, Some("2024-03-31T02:30:00.123456Z"))]
#[case::zone("ts_zones", "named", 7, Some("2024-03-31T04:30:00.123+02:00"))]
#[case::nanoseconds("ts_zones", "nanos", 7, Some("2024-03-31T02:30:00.123456796"))]
#[case::list_of_structures(
    "nested",
    "turns",
    7,
    Some(r#"[{"role":"user","says":"hi 7"},{"role":"bot","says":"{text}"}]"#)
)]
#[case::null_in_a_structure("nested", "meta", 7, Some(r#"{"a":{"b":7,"c":null}}"#))]
#[case::null_in_a_list("nested", "tags", 7, Some(r#"["x",null,"y"]"#))]
#[case::view("strings_of_all_kinds", "view", 7, Some("the parcel 8 came late"))]
#[case::dictionary("strings_of_all_kinds", "dict", 7, Some("bad"))]
#[case::category("pandas_categorical", "kind", 7, Some("green"))]
#[case::name_by_case("names_by_case", "Text", 7, Some("c0"))]
#[case::empty_groups("empty_groups_between", "text", 7, Some("the parcel 8 came late"))]
fn values_are_shown_as_people_write_them(
    #[case] file: &str,
    #[case] column: &str,
    #[case] row: usize,
    #[case] expected: Option<&str>,
) {
    let cells = cells(&format!("{file}.parquet"), column).unwrap();
    assert_eq!((cells.len(), cells[row].as_deref()), (120, expected));
}

#[test]
fn a_huge_cell_is_read_whole() {
    let cells = cells("one_huge_cell.parquet", "text").unwrap();
    let lengths = cells.iter().map(|cell| cell.as_ref().map_or(0, String::len));
    assert_eq!((cells.len(), lengths.max()), (120, Some(8_000_000)));
}

#[rstest]
#[case("only_magic")]
#[case("zero_bytes")]
#[case("cut_off")]
#[case("cut_in_front")]
#[case("footer_length_is_huge")]
#[case("encrypted_footer_magic")]
#[case("csv_named")]
#[case("string_column_with_bad_utf8")]
#[case("ts_zone_unknown")]
fn files_that_are_damaged_are_refused_with_their_name(#[case] file: &str) {
    let name = format!("{file}.parquet");
    let error = cells(&name, "text").unwrap_err();
    assert_eq!(error.name(), "InvalidInput", "{error:#}");
    assert!(error.message().starts_with(&name), "{error:#}");
}

#[rstest]
#[case("zero_rows")]
#[case("zero_row_groups")]
#[case("no_columns")]
fn files_without_rows_are_read(#[case] file: &str) {
    let name = format!("{file}.parquet");
    let (shape, mut rows) = ParquetRows::open(SharedFile::open(&fixture(&name)).unwrap(), &name, None).unwrap();
    assert_eq!((shape.rows, rows.next().is_none()), (0, true));
}
