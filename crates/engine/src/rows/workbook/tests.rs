use super::*;
use crate::error::EngineError;
use crate::rows::cell_text::as_text;
use crate::rows::csv_infer::{CellType, ColumnTypes};
use crate::rows::table_shape::FileShape;
use arrow_array::{Array, RecordBatch};
use proptest::prelude::*;
use rstest::rstest;
use std::io::{Cursor, Read, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
/// Formats by their number in a cell: general, date, date and time, time of day, duration.
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="170" formatCode="yyyy\-mm\-dd\ hh:mm"/></numFmts><cellXfs>
    <xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="21"/><xf numFmtId="46"/></cellXfs></styleSheet>"#;

fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Returns a workbook of sheets with these names, attributes and cells, and of these shared texts.
fn workbook(sheets: &[(&str, &str, &str)], texts: &str) -> Vec<u8> {
    let (mut list, mut relations, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (name, attributes, rows)) in sheets.iter().enumerate() {
        list.push(format!(r#"<sheet name="{name}" sheetId="{number}" r:id="r{number}" {attributes}/>"#));
        let target = format!("worksheets/sheet{number}.xml");
        relations.push(format!(r#"<Relationship Id="r{number}" Type="{OFFICE}/worksheet" Target="{target}"/>"#));
        let rows =
            if rows.contains("<sheetData>") { (*rows).to_owned() } else { format!("<sheetData>{rows}</sheetData>") };
        parts.push((format!("xl/{target}"), format!("<worksheet>{rows}</worksheet>")));
    }
    let root = format!(
        r#"<Relationships><Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
    );
    let book = format!(r#"<workbook xmlns:r="{OFFICE}"><sheets>{}</sheets></workbook>"#, list.concat());
    let relations = format!("<Relationships>{}</Relationships>", relations.concat());
    let mut all = vec![
        ("_rels/.rels", root.as_str()),
        ("xl/workbook.xml", &book),
        ("xl/_rels/workbook.xml.rels", &relations),
        ("xl/styles.xml", STYLES),
        ("xl/sharedStrings.xml", texts),
    ];
    all.extend(parts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    zipped(&all)
}

fn sheet(rows: &str) -> Vec<u8> {
    workbook(&[("Data", "", rows)], "<sst/>")
}

/// Returns a row of inline texts from this column on.
fn texts(row: u32, first: char, cells: &[&str]) -> String {
    let cells = cells.iter().zip(first..).map(|(text, column)| {
        format!(r#"<c r="{column}{row}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>"#)
    });
    format!(r#"<row r="{row}">{}</row>"#, cells.collect::<String>())
}

fn inspected(bytes: &[u8], sheet: Option<&str>) -> Result<FileShape, String> {
    inspect_workbook(bytes, "a.xlsx", sheet, false).map_err(|error| error.message())
}

fn batches(bytes: &[u8], sheet: Option<&str>, types: Option<&ColumnTypes>) -> Result<Vec<RecordBatch>, EngineError> {
    WorkbookRows::open(bytes, "a.xlsx", sheet, types)?.collect()
}

/// Returns the names and the cells of a sheet as lines.
fn read(bytes: &[u8], sheet: Option<&str>) -> Result<Vec<String>, String> {
    let shape = inspected(bytes, sheet)?;
    let names: Vec<&str> = shape.schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut lines = vec![names.join("|")];
    for batch in batches(bytes, sheet, None).unwrap() {
        let columns: Vec<_> = batch.columns().iter().map(|column| as_text(column).unwrap()).collect();
        let row = |row| columns.iter().map(|column| column.value(row)).collect::<Vec<_>>().join("|");
        lines.extend((0..batch.num_rows()).map(row));
    }
    assert_eq!(shape.rows + 1, lines.len() as u64);
    Ok(lines)
}

#[test]
fn cells_are_text_as_excel_shows_them() {
    let rows = texts(1, 'A', &["id", "price", "day", "moment", "time", "duration", "ok", "sum", "text"])
        + r#"<row r="2"><c r="A2"><v>7</v></c><c r="B2"><v>0.30000000000000004</v></c><c r="C2" s="1"><v>45943</v></c>
        <c r="D2" s="2"><v>45943.541</v></c><c r="E2" s="3"><v>0.75</v></c><c r="F2" s="4"><v>1.5</v></c>
        <c r="G2" t="b"><v>1</v></c><c r="H2"><f>A2*2</f><v>14</v></c><c r="I2" t="s"><v>1</v></c></row>
        <row r="3"><c r="B3" t="e"><v>#N/A</v></c><c r="H3" t="str"><f>A2&amp;"x"</f><v>7x</v></c><c r="I3" t="s"><v>0</v></c></row>"#;
    let shared = "<sst><si><t>00123</t></si><si><r><t>rich </t></r><r><t>text &amp; ü</t></r></si></sst>";
    let bytes = workbook(&[("Data", "", &rows)], shared);
    let lines = read(&bytes, None).unwrap();
    assert_eq!(lines[0], "id|price|day|moment|time|duration|ok|sum|text");
    assert_eq!(lines[1], "7|0.3|2025-10-13|2025-10-13T12:59:02.400|18:00:00|36:00:00|true|14|richtext & ü");
    assert_eq!(lines[2], "|||||||7x|00123");
    let warnings = inspected(&bytes, None).unwrap().warnings;
    assert_eq!(warnings, [("cells of workbooks with an error such as #N/A, read as empty".to_owned(), 1)].into());
}

#[test]
fn types_are_inferred_on_request() {
    let bytes =
        sheet(&(texts(1, 'A', &["a", "b"]) + r#"<row r="2"><c r="A2"><v>7</v></c><c r="B2"><v>0.5</v></c></row>"#));
    let types = inspect_workbook(bytes.as_slice(), "a.xlsx", None, true).unwrap().types;
    let found = types.as_ref().map(|types| ["a", "b"].map(|name| types.of(name)));
    assert_eq!(found, Some([CellType::Integer, CellType::Float]));
    let batches = batches(&bytes, None, types.as_ref()).unwrap();
    let types: Vec<String> = batches[0].columns().iter().map(|column| column.data_type().to_string()).collect();
    assert_eq!(types, ["Int64", "Float64"]);
}

#[test]
fn the_table_begins_with_the_first_row_that_is_not_blank() {
    let rows = r#"<row r="1"><c r="A1" s="1"/></row>"#.to_owned()
        + &texts(3, 'B', &[" id\u{a0}", "text", ""])
        + &texts(4, 'B', &["1", "a"])
        + &texts(7, 'B', &["2", "b", " "])
        + r#"<row r="8"><c r="B8"/></row><row r="9"/>"#;
    let bytes = sheet(&rows);
    assert_eq!(read(&bytes, None).unwrap(), ["id|text", "1|a", "|", "|", "2|b"]);
    let expected = [
        ("blank rows between rows of workbooks, read as rows of empty cells", 2),
        ("names of columns read without outer or invisible spaces, and in one Unicode form", 1),
    ];
    assert_eq!(
        inspected(&bytes, None).unwrap().warnings,
        expected.map(|(text, count)| (text.to_owned(), count)).into()
    );
}

#[test]
fn a_table_without_rows_has_its_columns() {
    let bytes = sheet(&texts(1, 'A', &["a", "b"]));
    assert_eq!(read(&bytes, None).unwrap(), ["a|b"]);
}

#[rstest]
#[case::no_bytes(Vec::new(), "a.xlsx: is empty; add rows")]
#[case::no_cells(
    sheet(""),
    "a.xlsx sheet is `Data`: has no cells; its first row that is not blank has the names of the columns"
)]
#[case::no_rows(sheet(&texts(1, 'A', &["a"])), "a.xlsx: contains a header, but no rows; add rows")]
fn files_without_rows_say_why(#[case] bytes: Vec<u8>, #[case] expected: &str) {
    let shape = inspected(&bytes, None).unwrap();
    assert_eq!(shape.rows, 0);
    assert!(shape.why_empty.to_string().starts_with(expected), "{}", shape.why_empty);
}

#[test]
fn sheets_are_chosen_by_name() {
    let rows = |name| texts(1, 'A', &[name]) + &texts(2, 'A', &["x"]);
    let hidden = r#"state="hidden""#;
    let sheets = [("Old", hidden, rows("old")), ("Data", "", rows("data")), ("More", "", rows("more"))];
    let sheets = sheets.each_ref().map(|(name, state, rows)| (*name, *state, rows.as_str()));
    let bytes = workbook(&sheets, "<sst/>");
    assert_eq!(read(&bytes, None).unwrap()[0], "data");
    assert_eq!(read(&bytes, Some("Old")).unwrap()[0], "old");
    assert_eq!(inspected(&bytes, None).unwrap().warnings.len(), 1);
    assert_eq!(inspected(&bytes, Some("Data")).unwrap().warnings.len(), 0);
    let message = read(&bytes, Some("data")).unwrap_err();
    assert_eq!(message, "sheet is `data`: a.xlsx has no such sheet; its sheets are `Old`, `Data`, `More`");
    let message = read(&workbook(&sheets[..1], "<sst/>"), None).unwrap_err();
    assert!(message.contains("has no sheet of cells that is not hidden; name a hidden one in `sheet`"), "{message}");
}

#[test]
fn merged_cells_are_counted() {
    let rows = texts(1, 'A', &["a", "b"]) + &texts(2, 'A', &["x"]);
    let merged = r#"<mergeCells><mergeCell ref="A2:B2"/></mergeCells>"#;
    let bytes = sheet(&format!("<sheetData>{rows}</sheetData>{merged}"));
    assert_eq!(read(&bytes, None).unwrap(), ["a|b", "x|"]);
    let warnings = inspected(&bytes, None).unwrap().warnings;
    assert_eq!(warnings.keys().next().unwrap(), "merged cells of workbooks, of which only the first has the value");
}

#[rstest]
#[case::twice(texts(1, 'A', &["a", "b", "a "]), "a.xlsx cell C1 is `a`: this column name occurs twice; rename one")]
#[case::nameless_twice(texts(1, 'A', &["a", "", "", "b"]), "a.xlsx cell C1: has no name for its column, as another one")]
#[case::text_beside(texts(1, 'A', &["a"]) + &texts(2, 'A', &["1", "note"]),
    "a.xlsx cell B2: has text, but its column has no name in row 1, the first one that is not blank")]
#[case::text_before(texts(1, 'C', &["a"]) + &texts(2, 'A', &["note"]), "a.xlsx cell A2: has text")]
#[case::title(texts(1, 'A', &["Report"]) + &texts(3, 'A', &["a", "b"]) + &texts(4, 'A', &["1", "2"]),
    "2 problems, nothing was submitted:\n- a.xlsx cell B3: has text")]
#[case::many_columns(format!("<row r=\"1\">{}</row>", "<c><v>1</v></c>".repeat(16_385)), "is not in its place")]
#[case::order(texts(2, 'A', &["a"]) + &texts(1, 'A', &["b"]), "its row 1 is not in its place")]
#[case::cell_twice(r#"<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>"#.to_owned(), "its row 1 is not in its place")]
#[case::row_beyond(texts(1_048_577, 'A', &["a"]), "its row 1048577 is not in its place")]
#[case::row_far_beyond(r#"<row r="1"><c r="A99999999999"><v>1</v></c></row>"#.to_owned(), "cannot be read as an Excel workbook")]
#[case::far_cell(texts(1, 'A', &["a"]) + r#"<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>"#, "a.xlsx cell XFD1048576: has text")]
#[case::no_such_text(r#"<row r="1"><c r="A1" t="s"><v>5</v></c></row>"#.to_owned(), "cannot be read as an Excel workbook")]
#[case::cut_off("<sheetData><row r=\"1\">".to_owned(), "cannot be read as an Excel workbook")]
fn what_is_not_a_table_is_refused_with_its_cell(#[case] rows: String, #[case] expected: &str) {
    let message = read(&sheet(&rows), None).unwrap_err();
    assert!(message.contains(expected), "{message}");
}

#[rstest]
#[case::password(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), "is protected by a password, or a workbook of Excel before 2007")]
#[case::csv(b"a,b\n1,2\n", "is not an Excel workbook (.xlsx); if it is text with a delimiter, name it `.csv`")]
#[case::html(b"<table>", "is not an Excel workbook (.xlsx)")]
#[case::parquet(b"PAR1", "is a Parquet file, not an Excel workbook; name it `.parquet`")]
#[case::cut_off(b"PK\x03\x04", "cannot be read as an Excel workbook")]
fn other_files_are_told_in_the_words_of_users(#[case] bytes: &[u8], #[case] expected: &str) {
    let message = inspected(bytes, None).unwrap_err();
    assert!(message.starts_with("a.xlsx: ") && message.contains(expected), "{message}");
}

#[test]
fn archives_of_other_things_are_refused() {
    let message = inspected(&zipped(&[("word/document.xml", "<document/>")]), None).unwrap_err();
    assert!(message.contains("open it in Excel and save it as Excel Workbook"), "{message}");
}

#[test]
fn far_rows_take_time_and_not_memory() {
    let bytes = sheet(&(texts(1, 'A', &["a"]) + &texts(20_000, 'A', &["x"])));
    let shape = inspected(&bytes, None).unwrap();
    assert_eq!((shape.rows, shape.warnings.values().next()), (19_999, Some(&19_998)));
    let batches = batches(&bytes, None, None).unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 19_999);
    assert!(batches.iter().all(|batch| batch.num_rows() <= 4_096));
}

#[test]
fn texts_that_many_cells_share_make_small_batches() {
    let shared = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(32_000));
    let cell = r#"<row><c t="s"><v>0</v></c></row>"#;
    let bytes = workbook(&[("Data", "", &(texts(1, 'A', &["a"]) + &cell.repeat(2_000)))], &shared);
    let batches = batches(&bytes, None, None).unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2_000);
    assert!(batches.iter().all(|batch| batch.num_rows() <= 140), "{}", batches[0].num_rows());
}

#[test]
fn a_reader_that_is_dropped_ends() {
    let bytes = sheet(&(texts(1, 'A', &["a"]) + &texts(50_000, 'A', &["x"])));
    let mut rows = WorkbookRows::open(bytes.as_slice(), "a.xlsx", None, None).unwrap();
    assert_eq!(rows.next().unwrap().unwrap().num_rows(), 4_096);
}

#[rstest]
#[case::announced("xl/sharedStrings.xml", r#"<sst count="1" uniqueCount = "99999999999"><si/></sst>"#.to_owned(), "announces more than 4000000 texts")]
#[case::long_text("xl/sharedStrings.xml", format!("<sst><si><t>{}</t></si></sst>", "x".repeat(2 << 20)), "is too large when it is unpacked")]
#[case::text_of_entities("xl/sharedStrings.xml", format!("<sst><si><t>{}</t></si></sst>", "&amp;".repeat(300_000)), "has a text of more than 1 MiB")]
#[case::long_attribute("xl/workbook.xml", format!("<workbook a=\"{}\"/>", "<>".repeat(1 << 20)), "is too large when it is unpacked")]
#[case::comment("xl/styles.xml", format!("<a><!--{}--></a>", "<b>".repeat(1 << 20)), "is too large when it is unpacked")]
#[case::tags("xl/styles.xml", format!("<a>{}</a>", "<xf/>".repeat(500_001)), "has more than 500000 tags")]
#[case::tags_of_a_sheet("xl/worksheets/sheet0.xml", format!("<worksheet>{}</worksheet>", "<sheet/>".repeat(500_001)), "has more than 500000 tags")]
#[case::no_xml("xl/media/a.bin", "x".repeat(33 << 20), "is too large when it is unpacked")]
fn parts_that_expand_are_refused(#[case] part: &str, #[case] text: String, #[case] expected: &str) {
    let message = inspected(&zipped(&[(part, &text)]), None).unwrap_err();
    let place = format!("a.xlsx part is `{part}`: ");
    assert!(message.starts_with(&place) && message.contains(expected), "{message}");
    assert!(message.ends_with("save the sheet as CSV UTF-8 and name that file"), "{message}");
}

#[test]
fn a_workbook_of_too_many_parts_is_refused() {
    let names: Vec<String> = (0..10_001).map(|number| format!("{number}")).collect();
    let parts: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let message = inspected(&zipped(&parts), None).unwrap_err();
    assert!(message.contains("has more than 10000 parts; save the sheet as CSV UTF-8"), "{message}");
}

#[test]
fn a_file_over_the_limit_is_not_read_further() {
    let endless = b"PK\x03\x04".chain(std::io::repeat(0));
    let error = inspect_workbook(endless, "a.xlsx", None, false).unwrap_err();
    assert!(error.message().contains("a.xlsx: has more than 64 MiB; save the sheet as CSV UTF-8"), "{error:?}");
}

proptest! {
    // Each case writes and unpacks an archive.
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_texts_are_read_as_they_were_written(rows in prop::collection::vec(prop::collection::vec("[a-z&<>\"' é👩0-9]{1,8}", 2), 1..6)) {
        let escaped = |text: &String| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let written = rows.iter().zip(2..).map(|(cells, number)| {
            let cells: Vec<String> = cells.iter().map(escaped).collect();
            texts(number, 'A', &[&cells[0], &cells[1]])
        });
        let bytes = sheet(&(texts(1, 'A', &["a", "b"]) + &written.collect::<String>()));
        let expected: Vec<String> = rows.iter().map(|cells| cells.join("|")).collect();
        prop_assert_eq!(&read(&bytes, None).unwrap()[1..], &expected);
    }

    #[test]
    fn damaged_sheets_are_read_or_refused(cuts in prop::collection::vec((0usize..400, "[<>/=\"a-zA0-9&;]{0,3}"), 1..4)) {
        let mut rows = texts(1, 'A', &["a", "b"])
            + r#"<row r="2"><c r="A2" t="b"><v>1</v></c><c r="B2" s="1"><f t="shared" si="0">A1</f><v>45943</v></c></row>"#
            + r#"<row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="e"><v>#N/A</v></c></row>"#;
        for (at, text) in cuts {
            let at = at.min(rows.len());
            rows.replace_range(at..(at + 2).min(rows.len()), &text);
        }
        let bytes = workbook(&[("Data", "", &rows)], "<sst><si><t>x</t></si></sst>");
        if let Ok(shape) = inspected(&bytes, None) {
            let read: Vec<RecordBatch> = batches(&bytes, None, None).unwrap();
            prop_assert_eq!(read.iter().map(RecordBatch::num_rows).sum::<usize>() as u64, shape.rows);
        }
    }
}
