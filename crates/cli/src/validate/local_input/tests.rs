use super::*;
use bedrock_batch_domain::table_files::EMPTY_FILES;
use rstest::rstest;

/// Returns the content of a file: the first bytes of an image or of a workbook, or a text.
fn content(of: &str) -> &[u8] {
    match of {
        "<png>" => b"\x89PNG\r\n\x1a\n",
        "<zip>" => b"PK\x03\x04",
        text => text.as_bytes(),
    }
}

/// Reads these files: one by itself, several in a folder.
fn read(files: &[(&str, &str)], input_type: InputType, csv: &CsvOptions) -> Result<LocalInput, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, of) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content(of)).unwrap();
    }
    let path = match files {
        [(name, _)] => folder.path().join(name),
        _ => folder.path().to_owned(),
    };
    let options = FileOptions { csv: csv.clone(), ..FileOptions::default() };
    LocalInput::read(&path, input_type, &options, "s3_uri").map_err(|failure| failure.to_string())
}

/// Reads these files of a folder.
fn read_folder(files: &[(&str, &str)], table: TableOptions) -> Result<LocalInput, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, of) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content(of)).unwrap();
    }
    let options = FileOptions { table, ..FileOptions::default() };
    LocalInput::read(folder.path(), InputType::Text, &options, "s3_uri").map_err(|failure| failure.to_string())
}

fn found(files: &[(&str, &str)], input_type: InputType) -> Result<LocalInput, String> {
    read(files, input_type, &CsvOptions::default())
}

#[rstest]
#[case(&[("a.csv", "x,y\n1,\"2\n3\"\n4,5\n")], InputType::Text, "x y", 2)]
#[case(&[("a.csv", "x\n1\n"), ("b.csv", "x\n2\n3\n")], InputType::Text, "x", 3)]
#[case(&[("a.jsonl", "{\"x\": 1}\n\n{\"y\": [\"a\"]}\n")], InputType::Text, "x y", 2)]
#[case(&[("a.ndjson", "{\"x\": 1}"), ("b.jsonl", "{\"y\": 1}\n{\"x\": 2}")], InputType::Text, "x y", 3)]
#[case(&[("a.csv", "image_path\n1\n")], InputType::Image, "image_path", 1)]
#[case(&[("a.csv", "image_path\n1\n"), ("b.csv", "image_path\n2\n")], InputType::Image, "image_path", 2)]
#[case(&[("a.jpg", ""), ("b.jfif", ""), ("no_ending", "<png>"), ("notes.txt", "x")], InputType::Image, "image_path file_name", 3)]
#[case(&[("a.jpg", ""), ("labels.csv", "not a table: \"")], InputType::Image, "image_path file_name", 1)]
#[case(&[("a.jpg", ""), ("_thumbnails/a.jpg", "")], InputType::Image, "image_path file_name", 1)]
#[case(&[("no_ending", "<png>")], InputType::Image, "image_path file_name", 1)]
fn rows_of_local_inputs_are_counted(
    #[case] files: &[(&str, &str)],
    #[case] input_type: InputType,
    #[case] columns: &str,
    #[case] rows: u64,
) {
    let found = found(files, input_type).unwrap();
    assert_eq!((found.columns.join(" ").as_str(), found.rows), (columns, rows));
}

#[test]
fn tables_of_several_forms_are_one_input() {
    let csv = CsvOptions::default();
    let files = [("a.csv", "id; text\n1;a\n"), ("b.tsv", "id\ttext\n2\tb\n3\tc\n")];
    let table = read(&files, InputType::Text, &csv).unwrap();
    assert_eq!((table.columns.as_slice(), table.rows), (["id".to_owned(), "text".to_owned()].as_slice(), 3));
    assert_eq!(table.warnings.len(), 2, "{:?}", table.warnings);
    let named = CsvOptions { delimiter: Some(','), ..csv };
    assert_eq!(read(&[("a.csv", "id;text\n1;a\n")], InputType::Text, &named).unwrap().columns, ["id;text"]);
}

#[test]
fn files_whose_columns_differ_are_one_table_in_which_folders_name_columns() {
    let files = [
        ("country=DE/a.csv", "id,text\n1,x\n"),
        ("country=DE/empty.csv", ""),
        ("country=a%2Fb/a.csv", "text,id,note\nx,1,\ny,2,\n"),
    ];
    let table = read_folder(&files, TableOptions::default()).unwrap();
    assert_eq!((table.columns.join(" ").as_str(), table.rows), ("id text country note", 3));
    let missing = "files without the column `note`, which is null in their rows";
    assert_eq!(table.warnings, BTreeMap::from([(EMPTY_FILES.to_owned(), 1), (missing.to_owned(), 1)]));
    let strict = TableOptions { on_missing_columns: OnMissingColumns::Error, hive_columns: false };
    let refused = read_folder(&files, strict).unwrap_err();
    assert!(refused.contains("column `note`: is in 1 of 2 files with rows"), "{refused}");
    assert_eq!(read_folder(&files[..1], strict).unwrap().columns, ["id", "text"]);
}

#[test]
fn a_partition_of_a_delta_table_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["_delta_log/0.json", "day=1/a.csv"] {
        std::fs::create_dir_all(folder.path().join(file).parent().unwrap()).unwrap();
        std::fs::write(folder.path().join(file), "x\n1\n").unwrap();
    }
    let path = folder.path().join("day=1");
    let read = || LocalInput::read(&path, InputType::Text, &FileOptions::default(), "s3_uri");
    assert!(read().unwrap_err().to_string().contains("is a folder of the Delta Lake table at "));
    std::fs::remove_dir_all(folder.path().join("_delta_log")).unwrap();
    assert_eq!(read().unwrap().rows, 1);
}

#[test]
fn files_that_other_tools_leave_are_passed_over_with_a_warning() {
    let files = [("_SUCCESS", ""), ("_temporary/part-0.csv", "y\n1\n"), ("part-0.csv", "x\n1\n")];
    let table = found(&files, InputType::Text).unwrap();
    assert_eq!((table.columns.as_slice(), table.rows), (["x".to_owned()].as_slice(), 1));
    assert_eq!(table.warnings, BTreeMap::from([(MARKERS_IGNORED.to_owned(), 2)]));
    assert_eq!(found(&[("_rows.csv", "x\n1\n")], InputType::Text).unwrap().rows, 1, "it is named itself");
}

#[rstest]
#[case::header(&[("a.csv", "x,y\n")], InputType::Text, "a.csv: contains a header, but no rows")]
#[case::blank_lines(&[("a.jsonl", "\n\n")], InputType::Text, "a.jsonl: contains no rows; add some")]
#[case::json(&[("a.jsonl", "{\"a\": 1}\n{\"a\": 1,}\n{\"a\": 1, \"a\": 2}\n")], InputType::Text, "line 3 is `a`: the object has this name twice")]
#[case::json_list(&[("a.json", "[]")], InputType::Text, "by `jq -c '.[]' FILE > FILE.jsonl`")]
#[case::workbook(&[("rows.xls", "<zip>")], InputType::Text, "save it as Excel Workbook (.xlsx), or the sheet as CSV UTF-8")]
#[case::no_workbook(&[("rows.xlsx", "<zip>")], InputType::Text, "rows.xlsx: cannot be read as an Excel workbook")]
#[case::workbook_under_another_name(&[("a.csv", "<zip>")], InputType::Text, "Excel workbook")]
#[case::workbook_for_images(&[("rows.xls", "<zip>")], InputType::Image, "contains no image")]
#[case::images(&[("a.jpg", "<png>"), ("b.png", "<png>")], InputType::Text, "contains images, but input_type is `text`; set input_type to `image`")]
#[case::image(&[("a.jpg", "<png>")], InputType::Text, "contains images, but input_type is `text`")]
#[case::among_tables(&[("a.csv", "x\n1\n"), ("b.txt", "x")], InputType::Text, "b.txt`: is not a table by its name")]
#[case::among_tables_of_images(&[("a.csv", "x\n1\n"), ("b.txt", "x")], InputType::Image, "b.txt`: is not a table by its name")]
#[case::both_formats(&[("a.csv", "x\n1\n"), ("b.parquet", "PAR1")], InputType::Text, "files of several formats: CSV, Parquet")]
#[case::copy(&[("a.csv", "x\n1\n"), ("a.csv.gz", "")], InputType::Text, "a.csv`, and is compressed otherwise")]
#[case::text_after_a_quote(&[("a.csv", "a,b\n1,\"x\" y\n")], InputType::Text, "line 2: there is text after a closing quote")]
#[case::other_columns(&[("a.csv", "a\n1\n"), ("b.csv", "b\n1\n")], InputType::Text, "b.csv: has none of the columns of")]
#[case::delta(&[("t/a.parquet", "PAR1"), ("t/_delta_log/0.json", "{}")], InputType::Text, "s3_uri: is a folder of the Delta Lake table at ")]
#[case::without_rows(&[("a.csv", ""), ("b.csv", "x\n")], InputType::Text, "a.csv: is empty; a CSV begins with")]
fn inputs_that_a_run_would_refuse_are_told(
    #[case] files: &[(&str, &str)],
    #[case] input_type: InputType,
    #[case] expected: &str,
) {
    let refused = found(files, input_type).unwrap_err();
    assert!(refused.contains(expected), "{refused}");
}

#[test]
fn options_for_csv_files_are_refused_beside_images() {
    let csv = CsvOptions { delimiter: Some(';'), ..CsvOptions::default() };
    let refused = read(&[("a.jpg", "")], InputType::Image, &csv).unwrap_err();
    assert!(refused.contains("csv: concerns CSV files, and the input is images"), "{refused}");
}
