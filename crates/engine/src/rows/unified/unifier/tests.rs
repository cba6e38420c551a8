use super::*;
use arrow_schema::Field;
use rstest::rstest;

fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
    let fields = columns.iter().map(|(name, of)| Field::new(*name, of.clone(), false));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn unified(missing: MissingColumns, files: &[(&str, SchemaRef)]) -> Result<Unified, Vec<String>> {
    let mut unifier = Unifier::new(missing);
    for (file, schema) in files {
        unifier.add(file, schema, &FileTraits::new(NameForm::One));
    }
    unifier.finish().map_err(|problems| problems.as_slice().iter().map(ToString::to_string).collect())
}

fn null_where_missing(files: &[(&str, SchemaRef)]) -> Result<Unified, Vec<String>> {
    unified(MissingColumns::AreNull, files)
}

#[test]
fn one_file_is_a_table_as_it_is() {
    let own = schema(&[("a", DataType::LargeUtf8), ("b", DataType::Null)]);
    let table = null_where_missing(&[("f", Arc::clone(&own))]).unwrap();
    assert_eq!((table.schema, table.warnings.len()), (own, 0));
}

#[test]
fn columns_of_all_files_are_in_the_order_in_which_they_appear() {
    let files = [
        ("1", schema(&[("a", DataType::Utf8), ("b", DataType::Int32)])),
        ("2", schema(&[("b", DataType::Int64), ("a", DataType::Utf8)])),
        ("3", schema(&[("c", DataType::Null), ("a", DataType::LargeUtf8)])),
        ("4", schema(&[("c", DataType::Null), ("a", DataType::LargeUtf8)])),
    ];
    let table = null_where_missing(&files).unwrap();
    let expected = [("a", DataType::Utf8, false), ("b", DataType::Int64, true), ("c", DataType::Null, true)];
    let expected: Vec<Field> = expected.into_iter().map(|(name, of, null)| Field::new(name, of, null)).collect();
    assert_eq!(table.schema.as_ref(), &Schema::new(expected));
    let text = |name: &str| format!("files without the column `{name}`, which is null in their rows");
    assert_eq!(table.warnings, BTreeMap::from([(text("b"), 2), (text("c"), 2)]));
}

#[test]
fn columns_that_some_files_lack_are_problems_where_that_is_wanted() {
    let files = [
        ("1", schema(&[("a", DataType::Utf8)])),
        ("2", schema(&[("a", DataType::Utf8), ("b", DataType::Int64)])),
        ("3", schema(&[("b", DataType::Int64)])),
    ];
    let problems = unified(MissingColumns::AreProblems, &files).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("column `a`: is in 2 of 3 files with rows, and not in 3; "), "{}", problems[0]);
    assert!(problems[1].starts_with("column `b`: is in 2 of 3 files with rows, and not in 1; "), "{}", problems[1]);
    let same = [files[1].clone(), ("4", schema(&[("b", DataType::Int64), ("a", DataType::Utf8)]))];
    assert!(unified(MissingColumns::AreProblems, &same).is_ok());
}

#[test]
fn columns_that_cannot_be_united_are_all_named_with_their_files() {
    let files = [
        ("1.parquet", schema(&[("id", DataType::Int32), ("a", DataType::Boolean), ("x", DataType::Utf8)])),
        ("2.parquet", schema(&[("id", DataType::Utf8), ("a", DataType::Boolean), ("x", DataType::Utf8)])),
        ("3.parquet", schema(&[("id", DataType::Utf8), ("a", DataType::Float64), ("x", DataType::Utf8)])),
    ];
    let problems = null_where_missing(&files).unwrap_err();
    let expected = "column `id`: has the type Utf8 in 2.parquet and 1 more files, and Int32 in 1.parquet and others; no \
                    type holds the values of both; write the column with one type in all files, for example as text";
    assert_eq!(problems[0], expected);
    assert!(problems[1].starts_with("column `a`: has the type Float64 in 3.parquet, and Boolean in "), "{problems:?}");
    assert_eq!(problems.len(), 2);
}

#[rstest]
#[case::header_in_the_first_file_only(&[("a.csv", "id text"), ("b.csv", "7 nice")], "b.csv: has none of the columns of a.csv: `7`, `nice` instead of `id`, `text`; all files under a prefix are one table, and each CSV begins with a header of its own")]
#[case::case(&[("a.csv", "id text"), ("b.csv", "id Text")], "b.csv, column `Text`: is `text` in a.csv: names of columns are compared exactly")]
#[case::forms(&[("a.csv", "id text"), ("b.csv", "text id text\u{a0}")], "b.csv is `text`: two columns have this name once outer")]
fn files_of_other_tables_are_refused(#[case] files: &[(&str, &str)], #[case] expected: &str) {
    let schemas = files
        .iter()
        .map(|(file, names)| (*file, schema(&names.split(' ').map(|name| (name, DataType::Utf8)).collect::<Vec<_>>())));
    let problems = null_where_missing(&schemas.collect::<Vec<_>>()).unwrap_err();
    assert!(problems[0].starts_with(expected), "{problems:?}");
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn names_that_differ_in_case_within_a_file_are_two_columns() {
    let files = [
        ("1", schema(&[("text", DataType::Utf8), ("Text", DataType::Utf8)])),
        ("2", schema(&[("text", DataType::Utf8)])),
    ];
    assert_eq!(null_where_missing(&files).unwrap().schema.fields().len(), 2);
}

#[test]
fn names_are_read_in_one_form_and_counted() {
    let files = [("1", schema(&[("pre\u{301}nom", DataType::Utf8)])), ("2", schema(&[(" prénom", DataType::Utf8)]))];
    let table = null_where_missing(&files).unwrap();
    assert_eq!(table.schema.field(0).name(), "prénom");
    assert_eq!(table.warnings, BTreeMap::from([(super::super::super::NAMES_CHANGED.to_owned(), 2)]));
    let mut unifier = Unifier::new(MissingColumns::AreNull);
    unifier.add("1", &files[1].1, &FileTraits::new(NameForm::AsWritten));
    assert_eq!(unifier.finish().unwrap().schema, files[1].1, "the names of a run's own answers stay");
}

#[test]
fn columns_of_folders_are_texts_and_those_in_the_file_win() {
    let folders = [("country", Some("DE")), ("a", Some("x"))];
    let folders = folders.map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).to_vec();
    let traits = FileTraits { names: NameForm::One, folders };
    let mut unifier = Unifier::new(MissingColumns::AreNull);
    for file in ["1", "2"] {
        unifier.add(file, &schema(&[("a", DataType::Int64)]), &traits);
    }
    let table = unifier.finish().unwrap();
    let expected =
        Schema::new(vec![Field::new("a", DataType::Int64, false), Field::new("country", DataType::Utf8, true)]);
    assert_eq!(table.schema.as_ref(), &expected);
    let text = "files whose folders name `a` as well; the column in the files is read";
    assert_eq!(table.warnings, BTreeMap::from([(text.to_owned(), 2)]));
}

#[test]
fn members_that_some_files_lack_are_warned_of() {
    let record = |members: &[&str]| {
        DataType::Struct(members.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect())
    };
    let files = [
        ("1", schema(&[("r", DataType::new_list(record(&["a"]), true))])),
        ("2", schema(&[("r", DataType::new_list(record(&["b", "a"]), true))])),
    ];
    assert_eq!(null_where_missing(&files).unwrap().warnings.into_values().collect::<Vec<_>>(), [1]);
    let problems = unified(MissingColumns::AreProblems, &files).unwrap_err();
    assert!(problems[0].starts_with("column `r`: has other members in 2 than in 1; "), "{problems:?}");
}

#[test]
fn problems_and_warnings_do_not_grow_with_the_files() {
    let mut unifier = Unifier::new(MissingColumns::AreNull);
    for number in 0..2_000 {
        unifier.add(
            &number.to_string(),
            &schema(&[(&format!("c{number}"), DataType::Utf8)]),
            &FileTraits::new(NameForm::One),
        );
    }
    assert!(unifier.finish().unwrap_err().as_slice().len() <= MAX_PROBLEMS);
    let mut unifier = Unifier::new(MissingColumns::AreNull);
    for number in 0..2_000 {
        let columns = [("id", DataType::Utf8), (&*format!("c{number}"), DataType::Utf8)];
        unifier.add(&number.to_string(), &schema(&columns), &FileTraits::new(NameForm::One));
    }
    let warnings = unifier.finish().unwrap().warnings;
    assert_eq!(warnings.len(), MAX_NAMED_WARNINGS + 1);
    assert!(warnings.values().any(|count| *count == 2_000 - MAX_NAMED_WARNINGS as u64), "{warnings:?}");
}
