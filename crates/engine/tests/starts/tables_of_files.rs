//! Several files as one table: files whose columns differ, parts without rows, folders that name columns, and folders that are no
//! table of files.

use super::stack::{BUCKET, Stack, run_over};
use crate::parquet_troubles::fixture;
use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use bedrock_batch_domain::plan::Plan;
use bedrock_batch_domain::table_files::{EMPTY_FILES, MARKERS_IGNORED};
use bedrock_batch_engine::rows::cell_text::as_text;
use bedrock_batch_engine::rows::parquet_read::ParquetRows;
use parquet::arrow::ArrowWriter;
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Uploads a folder of files that people really have.
fn upload(stack: &Stack, folder: &str) {
    upload_from(stack, &fixture(folder), &format!("inputs/{folder}"));
}

fn upload_from(stack: &Stack, folder: &Path, key: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let key = format!("{key}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            upload_from(stack, &path, &key);
        } else {
            stack.put(&key, &std::fs::read(&path).unwrap());
        }
    }
}

/// Returns the types and the cells of a column of a run's rows, in their order.
fn rows_of(stack: &Stack, run: &str, column: &str) -> (DataType, Vec<Option<String>>) {
    let (mut of_type, mut cells) = (None, Vec::new());
    for chunk in 0.. {
        let Some(file) = stack.object(&format!("batch_inputs_parquet/p/{run}/{chunk:04}.parquet")) else { break };
        let (shape, rows) = ParquetRows::open(bytes::Bytes::from(file), "rows", None).unwrap();
        let own = shape.schema.field_with_name(column).unwrap().data_type().clone();
        assert_eq!(*of_type.get_or_insert_with(|| own.clone()), own, "all chunks have one type");
        for batch in rows {
            let texts = as_text(batch.unwrap().column_by_name(column).unwrap()).unwrap();
            cells.extend(texts.iter().map(|cell| cell.map(str::to_owned)));
        }
    }
    (of_type.unwrap(), cells)
}

fn over(folder: &str, more: &Value) -> Value {
    run_over(&format!("inputs/{folder}/"), more)
}

fn warnings(plan: &Plan) -> Vec<(&str, u64)> {
    plan.counts.warnings.iter().map(|(text, count)| (text.as_str(), *count)).collect()
}

const WITHOUT_EXTRA: &str = "files without the column `extra`, which is null in their rows";

#[rstest]
#[case("drift_column_order", 240, "text", DataType::Utf8, [Some("the parcel 1 came late"), Some("the parcel 121 came late")], &[])]
#[case("drift_dictionary", 240, "kind", DataType::Utf8, [Some("a"), Some("a")], &[])]
#[case("drift_field_metadata", 240, "text", DataType::Utf8, [Some("the parcel 1 came late"), Some("the parcel 121 came late")], &[])]
#[case("drift_int_or_double", 240, "score", DataType::Float64, [Some("1.0"), Some("1.0")], &[])]
#[case("drift_item_or_element", 240, "tags", DataType::new_list(DataType::Utf8, true), [Some(r#"["a","b"]"#); 2], &[])]
#[case("drift_large_string", 240, "text", DataType::Utf8, [Some("the parcel 1 came late"), Some("the parcel 121 came late")], &[])]
#[case("drift_more_columns", 240, "extra", DataType::Int64, [None, Some("1")], &[(WITHOUT_EXTRA, 1)])]
#[case("drift_null_type", 240, "score", DataType::Float64, [Some("0.5"), None], &[])]
#[case("drift_nullability", 240, "text", DataType::Utf8, [Some("the parcel 1 came late"), Some("the parcel 121 came late")], &[])]
#[case("drift_pandas_filtered", 189, "n", DataType::Int64, [Some("0"), Some("51")], &[(EMPTY_FILES, 1)])]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parquet_files_whose_schemas_differ_are_one_table(
    #[case] folder: &str,
    #[case] rows: u64,
    #[case] column: &str,
    #[case] of_type: DataType,
    #[case] first_cells: [Option<&str>; 2],
    #[case] expected: &[(&str, u64)],
) {
    let stack = Stack::new().await;
    upload(&stack, folder);
    let plan = stack.run("r", over(folder, &json!({"deduplicate": false}))).await.unwrap();
    assert_eq!((plan.counts.rows, warnings(&plan).as_slice()), (rows, expected));
    let (found, cells) = rows_of(&stack, "r", column);
    assert_eq!([cells[0].as_deref(), cells[120].as_deref()], first_cells);
    assert!(found.equals_datatype(&of_type), "{found}");
    assert_eq!(rows_of(&stack, "r", "record_id").1.len() as u64, rows);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_of_one_table_that_are_numbers_and_texts_are_refused_with_their_files() {
    let stack = Stack::new().await;
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["3", "4"]));
    for (number, ids) in [numbers, Arc::clone(&texts)].into_iter().enumerate() {
        let batch = RecordBatch::try_from_iter([("record_id", ids), ("text", Arc::clone(&texts))]).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        stack.put(&format!("inputs/mixed/{number}.parquet"), &writer.into_inner().unwrap());
    }
    let problem = stack.refused("r", over("mixed", &json!({}))).await;
    let expected = "column `record_id`: has the type Utf8 in s3://our-bucket/inputs/mixed/1.parquet, and Int32 in \
                    s3://our-bucket/inputs/mixed/0.parquet and others";
    assert!(problem.starts_with(expected), "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csv_files_are_one_table_by_the_names_of_their_columns() {
    let stack = Stack::new().await;
    for (name, text) in [
        ("0.csv", "id,text,n\n1,first,1\n"),
        ("1.csv", "\u{feff}text,id,note\nsecond,2,x\n"),
        ("2.csv", ""),
        ("3.csv", "id,text\n"),
        ("4.csv", "n,text\n0.50,fourth\n"),
    ] {
        stack.put(&format!("inputs/t/{name}"), text.as_bytes());
    }
    let plan = stack.run("r", over("t", &json!({"infer_types": true}))).await.unwrap();
    let lacks = |name: &str| format!("files without the column `{name}`, which is null in their rows");
    let expected = [(lacks("id"), 1), (lacks("n"), 1), (lacks("note"), 2), (EMPTY_FILES.to_owned(), 2)];
    assert_eq!((plan.counts.rows, plan.counts.warnings), (3, BTreeMap::from(expected)));
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(rows_of(&stack, "r", "text").1, [some("first"), some("second"), some("fourth")]);
    assert_eq!(rows_of(&stack, "r", "id"), (DataType::Int64, vec![some("1"), some("2"), None]));
    assert_eq!(rows_of(&stack, "r", "n"), (DataType::Float64, vec![some("1.0"), None, some("0.5")]));
    let stored = plan.sources.iter().map(|source| source.uri.rsplit('/').next().unwrap());
    assert_eq!(stored.collect::<Vec<_>>(), ["0.csv", "1.csv", "4.csv"], "files without rows are not read again");

    stack.run("text", over("t", &json!({}))).await.unwrap();
    let cells = vec![some("1"), None, some("0.50")];
    assert_eq!(rows_of(&stack, "text", "n"), (DataType::Utf8, cells), "the text stays as it was written");
    let refused = stack.run("strict", over("t", &json!({"on_missing_columns": "error"}))).await.unwrap_err();
    assert_eq!(refused.into_problems().unwrap().as_slice().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_whose_files_are_all_without_rows_is_refused() {
    let stack = Stack::new().await;
    stack.put("inputs/t/0.csv", b"");
    let problem = stack.refused("r", over("t", &json!({}))).await;
    assert_eq!(problem, "s3_uri is `s3://our-bucket/inputs/t/0.csv`: is empty");
    stack.put("inputs/t/1.csv", b"text\n");
    assert!(stack.refused("r", over("t", &json!({}))).await.contains("0.csv`: is empty"));
    for file in ["zero_rows", "zero_row_groups"] {
        stack.put(&format!("inputs/{file}.parquet"), &std::fs::read(fixture(&format!("{file}.parquet"))).unwrap());
        let problem = stack.refused("r", run_over(&format!("inputs/{file}.parquet"), &json!({}))).await;
        assert!(problem.contains("contains no rows; add rows"), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_of_zero_bytes_and_the_files_that_spark_leaves_are_passed_over() {
    let stack = Stack::new().await;
    upload(&stack, "spark");
    let plan = stack.run("r", over("spark", &json!({}))).await.unwrap();
    assert_eq!(warnings(&plan), [(EMPTY_FILES, 1), (MARKERS_IGNORED, 4)]);
    assert_eq!(plan.sources.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_name_columns() {
    let stack = Stack::new().await;
    upload(&stack, "hive");
    let prompt = json!({"prompt": {"description": "d", "template": "{country}: {text}"}});
    let plan = stack.run("r", over("hive", &prompt)).await.unwrap();
    let (of_type, cells) = rows_of(&stack, "r", "country");
    let of_files = [0, 120, 240, 360].map(|row: usize| cells[row].as_deref());
    assert_eq!((of_type, of_files), (DataType::Utf8, [Some("DE"), Some("FR"), None, Some("a/b")]));
    assert_eq!(plan.counts.rows, 480);
    let records = String::from_utf8(stack.object("batch_inputs_json/p/r/0000.jsonl").unwrap()).unwrap();
    assert!(records.contains("DE: the parcel 1 came late"), "the prompt shows it");
    let mut without = over("hive", &prompt);
    without["hive_columns"] = json!(false);
    let problem = stack.refused("without", without).await;
    assert!(problem.contains("`country`"), "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_of_the_files_is_read_in_place_of_one_that_folders_name() {
    let stack = Stack::new().await;
    upload(&stack, "hive_column_also_inside");
    let plan = stack.run("r", over("hive_column_also_inside", &json!({}))).await.unwrap();
    assert_eq!(rows_of(&stack, "r", "country").1[0].as_deref(), Some("de-inside"));
    assert_eq!(warnings(&plan), [("files whose folders name `country` as well; the column in the files is read", 1)]);
    stack.put("inputs/csv/day=2026-01-01/a.csv", b"text\nhello\n");
    stack.run("csv", over("csv", &json!({}))).await.unwrap();
    assert_eq!(rows_of(&stack, "csv", "day").1, [Some("2026-01-01".to_owned())]);
    // The folders of an object or a prefix that is named itself are its address.
    stack.run("inner", over("csv/day=2026-01-01", &json!({}))).await.unwrap();
    stack.run("object", run_over("inputs/csv/day=2026-01-01/a.csv", &json!({}))).await.unwrap();
    for run in ["inner", "object"] {
        let file = stack.object(&format!("batch_inputs_parquet/p/{run}/0000.parquet")).unwrap();
        let schema = ParquetRows::open(bytes::Bytes::from(file), "rows", None).unwrap().0.schema;
        assert!(schema.field_with_name("day").is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_of_delta_and_iceberg_tables_are_refused() {
    let stack = Stack::new().await;
    upload(&stack, "delta");
    for prefix in ["inputs/delta/", "inputs/"] {
        let problem = stack.refused("r", run_over(prefix, &json!({}))).await;
        let expected = format!("s3_uri: is a folder of the Delta Lake table at s3://{BUCKET}/inputs/delta/, which ");
        assert!(problem.starts_with(&expected), "{problem}");
    }
    stack.run("one", run_over("inputs/delta/part-keep.parquet", &json!({}))).await.unwrap();
    stack.put("inputs/delta/day=1/hour=2/a.csv", b"text\nhello\n");
    let problem = stack.refused("r", run_over("inputs/delta/day=1/hour=2", &json!({}))).await;
    assert!(problem.contains("Delta Lake table at s3://our-bucket/inputs/delta/, which "), "{problem}");

    let batch = RecordBatch::try_from_iter([("text", Arc::new(StringArray::from(vec!["x"])) as ArrayRef)]).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.append_key_value_metadata(parquet::file::metadata::KeyValue::new(
        "iceberg.schema".to_owned(),
        "{}".to_owned(),
    ));
    stack.put("orders/data/00000-0.parquet", &writer.into_inner().unwrap());
    let problem = stack.refused("r", run_over("orders/data/", &json!({}))).await;
    assert!(problem.contains("Iceberg table at s3://our-bucket/orders/data/00000-0.parquet"), "{problem}");
    stack.put("orders/metadata/v1.metadata.json", b"{}");
    let problem = stack.refused("r", run_over("orders/", &json!({}))).await;
    assert!(problem.contains("Iceberg table at s3://our-bucket/orders/, "), "{problem}");
    stack.run("single", run_over("orders/data/00000-0.parquet", &json!({}))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_parquet_columns_are_read_in_one_form_with_a_warning() {
    let stack = Stack::new().await;
    for (file, template) in [("names_with_outer_spaces", "{text}"), ("names_nfd", "{pr\u{e9}nom}")] {
        let key = format!("inputs/{file}.parquet");
        stack.put(&key, &std::fs::read(fixture(&format!("{file}.parquet"))).unwrap());
        let prompt = json!({"prompt": {"description": "d", "template": template}});
        let plan = stack.run(file, run_over(&key, &prompt)).await.unwrap();
        let expected = "names of columns read without outer or invisible spaces, and in one Unicode form";
        assert!(plan.counts.warnings.contains_key(expected), "{:?}", plan.counts.warnings);
        assert_eq!(
            rows_of(&stack, file, "record_id").1[0].as_deref(),
            Some("r0001"),
            "the trimmed name is that of ids"
        );
    }
}
