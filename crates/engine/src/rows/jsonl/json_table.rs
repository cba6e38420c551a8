//! First pass over files of JSON lines: their rows, and one schema that holds all values of all of them.

use super::column_kinds::{ColumnKinds, JsonType};
use super::lines::Lines;
use super::names::Names;
use super::problems::{lone_surrogate, name_too_long, named_twice, not_an_object, too_many_elements, too_many_names};
use super::value::{Kind, cell_of, each_element, each_member, kind_of, text_of};
use crate::error::EngineError;
use crate::rows::table_shape::FileShape;
use crate::rows::{MAX_CELL_BYTES, MAX_COLUMNS, NAMES_CHANGED, cell_too_large};
use arrow_schema::{Schema, SchemaRef};
use bedrock_batch_domain::problem::{Problem, Problems, shortened};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

/// Maximum number of bad lines that a message names.
const MAX_BAD_LINES: usize = 5;
/// Maximum size of a name. Names stay in memory.
const MAX_NAME_BYTES: usize = 4096;
/// Maximum number of elements of a list, each of which takes some memory however short it is.
const MAX_ELEMENTS: usize = MAX_CELL_BYTES / 8;
/// Maximum number of columns that warnings name.
const MAX_NAMED_COLUMNS: usize = 10;
/// Members of the lines that Bedrock's batch jobs read.
const OF_BEDROCK: [&str; 2] = ["recordId", "modelInput"];

/// Columns of an input with their types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonColumns {
    pub(super) names: Names,
    pub(super) types: Vec<JsonType>,
    /// Schema of the rows.
    pub schema: SchemaRef,
}

/// Result of the pass.
#[derive(Debug, Clone)]
pub struct JsonShape {
    /// Number of rows.
    pub rows: u64,
    /// Columns.
    pub columns: Arc<JsonColumns>,
    /// Warnings with their number of occurrences.
    pub warnings: BTreeMap<String, u64>,
    /// Names of the files, with the numbers of their rows.
    files: Vec<(String, u64)>,
}

impl JsonShape {
    /// Returns the shapes of the files, which have the columns of the table. Its warnings are those of the first one with rows.
    pub fn files(self) -> Vec<FileShape> {
        let mut warnings = Some(self.warnings);
        let shape = |(file, rows): (String, u64)| FileShape {
            rows,
            schema: Arc::clone(&self.columns.schema),
            types: None,
            warnings: if rows == 0 { BTreeMap::new() } else { warnings.take().unwrap_or_default() },
            why_empty: Problem::without_value(file, "contains no rows").remedy("add some"),
        };
        self.files.into_iter().map(shape).collect()
    }
}

/// Table that grows with each file.
#[derive(Debug, Default)]
pub struct JsonTable {
    names: Names,
    columns: Vec<ColumnState>,
    rows: u64,
    blank: u64,
    files: Vec<(String, u64)>,
}

/// What is known of a column.
#[derive(Debug, Default)]
struct ColumnState {
    kinds: ColumnKinds,
    /// Number of the latest row that has it, from 1.
    row: u64,
    /// If true, its name was written in another form.
    is_renamed: bool,
}

impl JsonTable {
    /// Adds the rows of a file.
    ///
    /// # Errors
    /// Returns `InvalidInput` with the first bad lines of the file, and an error if reading fails.
    pub fn add_file(&mut self, input: impl Read, file: &str) -> Result<(), EngineError> {
        let mut lines = Lines::open(input, file)?;
        let before = self.rows;
        let mut bad = Vec::new();
        while bad.len() < MAX_BAD_LINES && lines.read()? {
            self.rows += 1;
            bad.extend(lines.text().and_then(|line| self.add_row(line, &lines.place())).err());
        }
        self.blank += lines.blank;
        self.files.push((file.to_owned(), self.rows - before));
        Ok(Problems::check(bad)?)
    }

    fn add_row(&mut self, line: &str, place: &str) -> Result<(), Problem> {
        let mut problem = None;
        let mut expected = 0;
        let read = each_member(line, |name, json| {
            if problem.is_none() {
                match self.add_member(&name, json, expected, place) {
                    Ok(at) => expected = at + 1,
                    Err(found) => problem = Some(found),
                }
            }
        });
        read.map_err(|error| not_an_object(place, line, &error))?;
        problem.map_or(Ok(()), Err)
    }

    /// Adds a value and returns the place of its column.
    fn add_member(&mut self, name: &str, json: &str, expected: usize, place: &str) -> Result<usize, Problem> {
        let at = match self.names.find(name, expected) {
            Some(at) => at,
            None => self.add_column(name, place)?,
        };
        let own = self.names.as_slice().get(at).map_or("", String::as_str);
        // Both lists have the same length.
        let Some(column) = self.columns.get_mut(at) else { return Ok(at) };
        column.is_renamed |= own != name;
        if column.row == self.rows {
            return Err(named_twice(place, own));
        }
        column.row = self.rows;
        if let Some(kind) = kind_of(json) {
            column.kinds.add(kind);
            column.check(kind, json, place, own)?;
        }
        Ok(at)
    }

    fn add_column(&mut self, name: &str, place: &str) -> Result<usize, Problem> {
        if name.len() > MAX_NAME_BYTES {
            return Err(name_too_long(place, name.len(), MAX_NAME_BYTES));
        }
        if self.columns.len() == MAX_COLUMNS {
            return Err(too_many_names(place, MAX_COLUMNS));
        }
        self.columns.push(ColumnState::default());
        Ok(self.names.add(name))
    }

    /// Returns the table of all files.
    ///
    /// # Errors
    /// Returns a problem if it has rows, and no columns.
    pub fn finish(self) -> Result<JsonShape, Problem> {
        if self.rows > 0 && self.columns.is_empty() {
            return Err(
                Problem::without_value("s3_uri", "all objects of the JSON lines are empty").remedy("add members")
            );
        }
        let types: Vec<JsonType> = self.columns.iter().map(|column| column.kinds.json_type()).collect();
        let names = self.names.as_slice().iter();
        let fields: Vec<_> = names.zip(&types).map(|(name, json_type)| json_type.field(name)).collect();
        let warnings = self.warnings();
        let columns = JsonColumns { names: self.names, types, schema: Arc::new(Schema::new(fields)) };
        Ok(JsonShape { rows: self.rows, columns: Arc::new(columns), warnings, files: self.files })
    }

    /// Returns what was read in another way than it was written.
    fn warnings(&self) -> BTreeMap<String, u64> {
        let mut warnings = BTreeMap::new();
        let mut warn = |text: String, count: u64| {
            if count > 0 {
                *warnings.entry(text).or_default() += count;
            }
        };
        warn("blank lines of JSON lines, passed over".to_owned(), self.blank);
        let renamed = self.columns.iter().filter(|column| column.is_renamed).count() as u64;
        warn(NAMES_CHANGED.to_owned(), renamed);
        let changed = self.names.as_slice().iter().zip(&self.columns);
        let changed = changed.filter_map(|(name, column)| Some((name, column.kinds.became_text()?)));
        for (number, (name, (values, kinds))) in changed.enumerate() {
            if number < MAX_NAMED_COLUMNS {
                let name = shortened(name);
                warn(format!("JSON values of the column `{name}` read as text, since it has {kinds}"), values);
            } else {
                warn("further columns of JSON lines with values of several kinds, read as text".to_owned(), 1);
            }
        }
        let names = self.names.as_slice();
        if names.len() == OF_BEDROCK.len() && OF_BEDROCK.iter().all(|name| names.iter().any(|own| own == name)) {
            let text = "rows that are records of a Bedrock batch job: a prompt shows the whole request as `{modelInput}`, and \
                        column_mappings {\"record_id\": \"recordId\"} keeps the ids";
            warn(text.to_owned(), self.rows);
        }
        warnings
    }
}

impl ColumnState {
    /// Checks a value, and adds the elements of a list.
    fn check(&mut self, kind: Kind, json: &str, place: &str, name: &str) -> Result<(), Problem> {
        let column = || format!("{place} column `{}`", shortened(name));
        match kind {
            Kind::Text if text_of(json).is_none() => return Err(lone_surrogate(&column(), "the text")),
            Kind::List => {
                let (mut elements, mut is_text) = (0, true);
                each_element(json, |element| {
                    elements += 1;
                    if let Some(kind) = kind_of(element) {
                        self.kinds.add_element(kind);
                        is_text &= kind != Kind::Text || text_of(element).is_some();
                    }
                });
                if !is_text {
                    return Err(lone_surrogate(&column(), "a text of the list"));
                }
                if elements > MAX_ELEMENTS {
                    return Err(too_many_elements(place, name, MAX_ELEMENTS));
                }
            }
            _ => {}
        }
        if json.len() > MAX_CELL_BYTES {
            let bytes = cell_of(json).map_or(json.len(), |cell| cell.len());
            if bytes > MAX_CELL_BYTES {
                return Err(cell_too_large(place, name, bytes));
            }
        }
        Ok(())
    }
}
