//! First pass over a CSV file: its columns, the number of its rows, and whatever would be read otherwise than it was meant.

use super::NAMES_CHANGED;
use super::csv_count::{Counted, Irregular, count_records, lines_at};
use super::csv_dialect::CsvReading;
use super::csv_header::{Header, no_header};
use super::csv_infer::infer_types;
use super::csv_read::CsvRows;
use super::csv_text::CsvText;
use super::table_shape::FileShape;
use crate::error::EngineError;
use bedrock_batch_domain::problem::{Problem, Problems};
use std::collections::BTreeMap;
use std::io::Read;

/// Reads a file, which `open` opens from its beginning each time. If `with_types` is true, types are inferred.
///
/// # Errors
/// Returns `InvalidInput` with all problems that are found, and an error if reading fails.
pub fn inspect_csv<R: Read>(
    open: impl Fn() -> Result<R, EngineError>,
    file: &str,
    reading: &CsvReading,
    with_types: bool,
) -> Result<FileShape, EngineError> {
    let Some(rows) = CsvRows::read_lines(open()?, file, reading, None)? else {
        return Ok(FileShape::empty(no_header(file)));
    };
    let (schema, header) = (rows.schema(), rows.header);
    let mut text = CsvText::open(open()?, file, reading)?;
    let dialect = text.dialect;
    let counted = count_records(&mut text, dialect)?;
    let lines = |offsets: &[u64]| Ok::<_, EngineError>(lines_at(CsvText::open(open()?, file, reading)?, offsets)?);
    if let Some(offset) = counted.open_quote_at {
        let rule = "a quote opens here that is never closed";
        let remedy = "close it, or double a literal quote within a quoted field";
        let line = lines(&[offset])?[0];
        return Err(Problem::without_value(format!("{file} line {line}"), rule).remedy(remedy).into());
    }
    if reading.is_strict() && !counted.irregular.is_empty() {
        let (offsets, kinds): (Vec<u64>, Vec<Irregular>) = counted.irregular.iter().copied().unzip();
        let problems = lines(&offsets)?.into_iter().zip(kinds).map(|(line, kind)| irregular(file, line, kind));
        Problems::check(problems.collect())?;
    }
    let header_lines = u64::from(reading.options.header.is_in_file());
    let types = if with_types { Some(infer_types(open()?, file, reading)?) } else { None };
    Ok(FileShape {
        rows: counted.records.saturating_sub(header_lines),
        why_empty: Problem::without_value(file, "contains a header, but no rows").remedy("add rows"),
        schema,
        types,
        warnings: warnings(&header, &text, &counted, reading),
    })
}

fn irregular(file: &str, line: u64, kind: Irregular) -> Problem {
    let (rule, remedy) = match kind {
        Irregular::TextAfterQuote => (
            "there is text after a closing quote, so that quotes of the cell would be lost",
            "put quotes around the whole cell and double those within; csv.lenient reads the file as it is",
        ),
        Irregular::TextAfterEscapedQuote => (
            "there is text after a closing quote, which has a backslash before it",
            "set csv.escape to `\\` if quotes are escaped by backslashes; else double those within a cell",
        ),
        Irregular::SpaceBeforeQuote => (
            "there is a quote after a space, which would be part of the cell",
            "remove spaces between a delimiter and a quote; csv.lenient reads the file as it is",
        ),
        Irregular::SwallowedRows => (
            "this cell has lines with as many fields as the header, as rows between two stray quotes",
            "close the quotes; if the cell is meant, csv.lenient reads it",
        ),
    };
    Problem::without_value(format!("{file} line {line}"), rule).remedy(remedy)
}

/// Returns what was read in another way than it was written.
fn warnings<R: Read>(
    header: &Header,
    text: &CsvText<R>,
    counted: &Counted,
    reading: &CsvReading,
) -> BTreeMap<String, u64> {
    let mut warnings = BTreeMap::new();
    if !reading.is_of_user() {
        return warnings;
    }
    let mut warn = |text: String, count: u64| {
        if count > 0 {
            warnings.insert(text, count);
        }
    };
    let delimiter = text.dialect.delimiter_name();
    warn(format!("CSV files read as separated by {delimiter} (csv.delimiter sets another)"), text.is_unexpected.into());
    let quotes = "CSV files with single quotes around cells, which are read as a part of them (csv.quote sets them)";
    warn(quotes.to_owned(), text.has_single_quotes.into());
    warn("empty lines of CSV files of one column, read as empty cells".to_owned(), text.empty_rows());
    warn(NAMES_CHANGED.to_owned(), header.changed);
    warn("columns without a name at the end of a CSV, which are empty and left out".to_owned(), header.nameless as u64);
    let names = "CSV files whose first line, taken for the names of columns, begins with a number (csv.header: false reads it as a row)";
    warn(names.to_owned(), header.begins_with_a_number().into());
    warn(
        "CSV cells of several lines that look like rows, as between two stray quotes".to_owned(),
        counted.row_like_cells,
    );
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::input::CsvOptions;
    use rstest::rstest;

    fn inspected(text: &str, options: &CsvOptions) -> Result<FileShape, String> {
        let reading = CsvReading::of_input(options);
        inspect_csv(|| Ok(text.as_bytes()), "a.csv", &reading, false).map_err(|error| error.message())
    }

    #[rstest]
    #[case(
        "a,b\n1,\"Deluxe\" edition\n",
        "a.csv line 2: there is text after a closing quote, so that quotes of the cell would be lost; put quotes around"
    )]
    #[case(
        "a,b\n1,\"said \\\"no\\\" twice\"\n",
        "a.csv line 2: there is text after a closing quote, which has a backslash before it; set csv.escape to `\\`"
    )]
    #[case("a,b\r1, \"x\"\r", "a.csv line 2: there is a quote after a space")]
    #[case("a,b\n1,\"x\n\"\n2,\"open\n", "a.csv line 4: a quote opens here that is never closed")]
    fn what_would_be_read_otherwise_is_refused_with_its_line(#[case] text: &str, #[case] expected: &str) {
        let message = inspected(text, &CsvOptions::default()).unwrap_err();
        assert!(message.contains(expected), "{message}");
        let lenient = inspected(text, &CsvOptions { lenient: true, ..CsvOptions::default() });
        let of_run = inspect_csv(|| Ok(text.as_bytes()), "a.csv", &CsvReading::of_answers(false), false);
        assert_eq!([lenient.is_err(), of_run.is_err()], [text.contains("open"); 2]);
    }

    #[test]
    fn all_places_are_reported_at_once() {
        let text = "a,b\n".to_owned() + &"1,\"x\"y\n".repeat(9);
        let message = inspected(&text, &CsvOptions::default()).unwrap_err();
        assert_eq!(message.matches("text after a closing quote").count(), 5, "{message}");
    }

    #[test]
    fn what_was_read_in_another_form_is_counted() {
        let shape = inspected(" a;b;;\n1;2;;\n", &CsvOptions::default()).unwrap();
        let expected = [
            ("CSV files read as separated by `;` (csv.delimiter sets another)", 1),
            ("columns without a name at the end of a CSV, which are empty and left out", 2),
            ("names of columns read without outer or invisible spaces, and in one Unicode form", 1),
        ];
        assert_eq!(shape.warnings, expected.map(|(text, count)| (text.to_owned(), count)).into());
        let shape = inspected("text\na\n\nb\n", &CsvOptions::default()).unwrap();
        assert_eq!((shape.rows, shape.warnings.values().copied().collect::<Vec<_>>()), (3, vec![1]));
        let shape = inspected("0,note\n1,other\n", &CsvOptions::default()).unwrap();
        assert!(shape.warnings.keys().next().unwrap().contains("csv.header: false"), "{:?}", shape.warnings);
        let plain = inspected("a,b\n1,2\n", &CsvOptions::default()).unwrap();
        assert_eq!((plain.rows, plain.warnings.len()), (1, 0));
    }
}
