//! The delimiter of a CSV, from the beginning of the file: the one that divides all lines into as many fields as the header, if
//! there is only one. Whatever is read with commas without a mistake is read with commas.

use super::csv_dialect::Dialect;
use super::line_rules::{LineRules, Lines};
use bedrock_batch_domain::problem::Problem;
use csv::ByteRecord;

/// Delimiters that are looked for.
const CANDIDATES: [u8; 4] = *b",;\t|";

/// Number of rows with single quotes that are no coincidence.
const QUOTED_ROWS: usize = 20;

/// Beginning of a file.
pub(super) struct Sample<'a> {
    /// Name of the file.
    pub(super) file: &'a str,
    pub(super) text: &'a [u8],
    /// If true, the text is the whole file.
    pub(super) is_whole: bool,
    pub(super) rules: LineRules,
}

/// Fields of the lines of a sample.
#[derive(Debug, Clone, Copy)]
struct Fields {
    delimiter: u8,
    /// Number of fields of the first line.
    first: usize,
    /// Number of the other lines, and of those with as many fields.
    lines: usize,
    same: usize,
}

impl Fields {
    fn are_even(self) -> bool {
        self.first > 1 && self.same == self.lines
    }

    /// Returns true for a table in which at most every tenth line is wrong.
    fn are_almost_even(self) -> bool {
        self.first > 1 && self.same * 10 >= self.lines * 9
    }
}

impl Sample<'_> {
    /// Returns the delimiter of a file whose dialect is this one otherwise, with `expected` for those in which there is no other.
    pub(super) fn delimiter(&self, dialect: Dialect, expected: u8) -> Result<u8, Problem> {
        let with_expected = self.fields(dialect, expected);
        if with_expected.are_even() {
            return Ok(expected);
        }
        let has_meaning = |character: u8| {
            Some(character) == dialect.quote
                || Some(character) == dialect.escape
                || Some(character) == self.rules.comment
        };
        let others = CANDIDATES.into_iter().filter(|other| *other != expected && !has_meaning(*other));
        let others: Vec<Fields> =
            others.map(|other| self.fields(dialect, other)).filter(|fields| fields.are_almost_even()).collect();
        let even: Vec<Fields> = others.iter().copied().filter(|fields| fields.are_even()).collect();
        // A few wrong lines among good ones, or names and numbers with commas in a table of semicolons.
        if with_expected.first > 1 && with_expected.same * 2 >= with_expected.lines {
            return if even.is_empty() {
                Ok(expected)
            } else {
                Err(self.unclear(dialect, &[&[with_expected], &*even].concat()))
            };
        }
        match (others.as_slice(), even.as_slice()) {
            ([], _) => Ok(expected),
            ([only], _) | (_, [only]) => Ok(only.delimiter),
            (several, _) => Err(self.unclear(dialect, several)),
        }
    }

    /// Returns the problem of a file that several delimiters divide.
    fn unclear(&self, dialect: Dialect, several: &[Fields]) -> Problem {
        let names = several.iter().map(|fields| Dialect { delimiter: fields.delimiter, ..dialect }.delimiter_name());
        let rule = format!("may be separated by {}", names.collect::<Vec<_>>().join(" or by "));
        Problem::without_value(self.file, rule).remedy("set csv.delimiter")
    }

    /// Returns the number of fields of the first line; 0 if there is none.
    pub(super) fn columns(&self, dialect: Dialect) -> usize {
        let mut first = ByteRecord::new();
        // Memory cannot fail.
        if self.parser(dialect).read_byte_record(&mut first).unwrap_or(false) { first.len() } else { 0 }
    }

    /// Returns true if each of the first rows has a cell in single quotes, which are read as a part of it.
    pub(super) fn has_single_quotes(&self, dialect: Dialect) -> bool {
        let mut parser = self.parser(dialect);
        let mut record = ByteRecord::new();
        let mut rows = 0;
        // The header may have none.
        let _ = parser.read_byte_record(&mut record);
        while rows < QUOTED_ROWS && parser.read_byte_record(&mut record).unwrap_or(false) {
            if !record.iter().any(|cell| matches!(cell, [b'\'', .., b'\''])) {
                return false;
            }
            rows += 1;
        }
        rows == QUOTED_ROWS
    }

    fn parser(&self, dialect: Dialect) -> csv::Reader<Lines<&[u8]>> {
        dialect.parser().from_reader(Lines::new(self.text, self.rules, dialect))
    }

    fn fields(&self, dialect: Dialect, delimiter: u8) -> Fields {
        let dialect = Dialect { delimiter, ..dialect };
        let mut parser = self.parser(dialect);
        let mut fields = Fields { delimiter, first: 0, lines: 0, same: 0 };
        let mut record = ByteRecord::new();
        let mut latest = None;
        // Memory cannot fail.
        while parser.read_byte_record(&mut record).unwrap_or(false) {
            // A line counts once another one follows it: the last one of a sample may be cut off.
            if let Some(latest) = latest.replace(record.len()) {
                fields.add(latest);
            }
        }
        if let Some(latest) = latest.filter(|_| self.is_whole || fields.first == 0) {
            fields.add(latest);
        }
        fields
    }
}

impl Fields {
    fn add(&mut self, fields: usize) {
        if self.first == 0 {
            self.first = fields;
        } else {
            self.lines += 1;
            self.same += usize::from(fields == self.first);
        }
    }
}

/// Returns the delimiter of a first line `sep=;`, which Excel writes and reads, if the text has one.
pub(super) fn named_delimiter(text: &[u8]) -> Option<u8> {
    let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let (word, named) = line.split_at_checked(4)?;
    match named {
        // A quote begins a cell.
        [delimiter] if word.eq_ignore_ascii_case(b"sep=") && delimiter.is_ascii() && *delimiter != b'"' => {
            Some(*delimiter)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn found(text: &str, expected: u8) -> Result<char, String> {
        let sample = Sample { file: "a.csv", text: text.as_bytes(), is_whole: true, rules: LineRules::default() };
        sample.delimiter(Dialect::default(), expected).map(char::from).map_err(|problem| problem.to_string())
    }

    #[rstest]
    #[case::commas("id,text\n1,a;b\n2,c;d\n", ',')]
    #[case::semicolons("id;text\n1;a\n2;b, c\n", ';')]
    #[case::decimal_commas("id;price;text\n0;1,0;a\n1;1,1;b\n", ';')]
    #[case::tabs("id\ttext\n0\tnote, a\n1\tnote\n", '\t')]
    #[case::pipes("id|text\n0|a\n", '|')]
    #[case::in_quotes("\"id;x\",text\n\"1;2\",a\n", ',')]
    #[case::quoted_others("id;text\n1;\"a\nb;c\"\n", ';')]
    #[case::one_column("text\na;b\nc, d\n", ',')]
    #[case::one_column_with_a_name_of_two("a;b\nx\ny\n", ',')]
    #[case::one_wrong_line("id,text\n1,a\n2,b,c\n3,d\n", ',')]
    #[case::a_line_that_is_wrong_for_both(&format!("id,a;b\n{}2,x,q;y;z\n", "1,x;y\n".repeat(20)), ',')]
    #[case::both_divide_all("a,b;c\n1,2;3\n", ',')]
    #[case::a_wrong_line_of_many(&format!("id;text\n{}7\n", "1;a,b\n".repeat(20)), ';')]
    #[case::header_alone("id;text\n", ';')]
    #[case::nothing("", ',')]
    fn the_delimiter_divides_all_lines(#[case] text: &str, #[case] expected: char) {
        assert_eq!(found(text, b','), Ok(expected));
    }

    #[test]
    fn what_is_not_clear_is_left_to_the_user() {
        let message = "a.csv: may be separated by `;` or by `|`; set csv.delimiter";
        assert_eq!(found("a;b|c\n1;2|3\n", b','), Err(message.to_owned()));
        let message = "a.csv: may be separated by comma or by `;`; set csv.delimiter";
        assert_eq!(found("id;price, EUR\n1;1,0\n2;7\n", b','), Err(message.to_owned()));
        assert_eq!(found("a,b\tc\n1,2\t3\n", b'\t'), Ok('\t'), "the name of the file decides");
    }

    #[test]
    fn a_character_with_another_meaning_divides_nothing() {
        let text = "|a|;|b|\n|1|;|2|\n".as_bytes();
        let sample = Sample { file: "a.csv", text, is_whole: true, rules: LineRules::default() };
        let with_quote = |quote| sample.delimiter(Dialect { quote: Some(quote), ..Dialect::default() }, b',');
        assert_eq!(with_quote(b'|').map_err(|problem| problem.to_string()), Ok(b';'));
        assert!(with_quote(b'"').is_err(), "with other quotes, both divide all lines");
    }

    #[test]
    fn the_last_line_of_a_sample_may_be_cut_off() {
        let sample =
            |is_whole| Sample { file: "a.csv", text: b"id;text\n1;a\n2", is_whole, rules: LineRules::default() };
        let found =
            |is_whole| sample(is_whole).delimiter(Dialect::default(), b',').map_err(|problem| problem.to_string());
        assert_eq!((found(false), found(true)), (Ok(b';'), Ok(b',')));
    }

    #[test]
    fn single_quotes_around_cells_of_all_rows_are_noticed() {
        let is_noticed = |row: &str| {
            let text = format!("id,text\n{}", row.repeat(QUOTED_ROWS));
            let sample = Sample { file: "a.csv", text: text.as_bytes(), is_whole: true, rules: LineRules::default() };
            sample.has_single_quotes(Dialect::default())
        };
        assert!(is_noticed("1,'a'\n"));
        assert!(!is_noticed("1,'a' or 'b\n") && !is_noticed("1,a\n2,'b'\n"));
    }

    #[rstest]
    #[case("sep=;\na;b\n", Some(b';'))]
    #[case("SEP=\t\r\na\tb\n", Some(b'\t'))]
    #[case("\"sep=|\"\na|b\n", Some(b'|'))]
    #[case("sep=\na\n", None)]
    #[case("sep=\"\na\"b\n", None)]
    #[case("sepal,b\n", None)]
    fn a_line_for_excel_names_the_delimiter(#[case] text: &str, #[case] expected: Option<u8>) {
        assert_eq!(named_delimiter(text.as_bytes()), expected);
    }
}
