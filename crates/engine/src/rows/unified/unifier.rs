//! The columns of a table, collected from the schemas of its files.

use super::super::too_many_columns;
use super::types::{lacks_members, unify_fields};
use super::{FileTraits, NameForm};
use arrow_schema::{DataType, FieldRef, Schema, SchemaRef};
use bedrock_batch_domain::problem::{Problem, Problems, listed, shortened};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Maximum number of files whose problems are kept; the message lists fewer.
const MAX_PROBLEMS: usize = 100;
/// Maximum number of names of columns that a message about a file lists.
const MAX_LISTED_NAMES: usize = 5;
/// Maximum number of columns that get a warning of their own.
const MAX_NAMED_WARNINGS: usize = 20;

/// Rule for columns that some files lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingColumns {
    /// They are null in the rows of these files, and warned of.
    #[default]
    AreNull,
    /// They are a problem.
    AreProblems,
}

/// Collects the columns of a table from the schemas of its files, in their order. It keeps nothing per file.
#[derive(Debug)]
pub struct Unifier {
    missing: MissingColumns,
    columns: Vec<Column>,
    places: HashMap<String, usize>,
    /// Number of files, and the name of the first one.
    files: u64,
    first_file: Arc<str>,
    /// The latest schema, with the places of its columns: most files have that of the file before.
    latest: Option<(SchemaRef, FileTraits, Vec<usize>)>,
    changed_names: u64,
    shadowed: BTreeMap<String, u64>,
    problems: Vec<Problem>,
}

/// Column of the table.
#[derive(Debug)]
struct Column {
    field: FieldRef,
    /// First file that has it.
    file: Arc<str>,
    /// First file that lacks it.
    lacking: Option<Arc<str>>,
    /// Number of files that have it, and the number of the latest one.
    files: u64,
    latest: u64,
    /// First type that could not be united with those before, its file, and the number of such files.
    conflict: Option<(DataType, Arc<str>, u64)>,
    /// First file whose values have other members than those before.
    members: Option<Arc<str>>,
}

/// Table of several files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unified {
    /// Columns in the order in which the files name them.
    pub schema: SchemaRef,
    /// Warnings with their number of files or names.
    pub warnings: BTreeMap<String, u64>,
}

impl Unifier {
    /// Creates a table without columns.
    pub fn new(missing: MissingColumns) -> Self {
        Self {
            missing,
            columns: Vec::new(),
            places: HashMap::new(),
            files: 0,
            first_file: "".into(),
            latest: None,
            changed_names: 0,
            shadowed: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// Adds the columns of a file that has rows.
    pub fn add(&mut self, file: &str, schema: &SchemaRef, traits: &FileTraits) {
        self.files += 1;
        self.note_traits(schema, traits);
        let repeated = self.latest.take().filter(|(latest, of_latest, _)| {
            latest == schema && of_latest.names == traits.names && has_same_names(of_latest, traits)
        });
        if let Some((schema, traits, places)) = repeated {
            for place in &places {
                self.columns[*place].found(self.files);
            }
            if places.len() < self.columns.len() {
                self.note_lacking(&file.into());
            }
            self.latest = Some((schema, traits, places));
            return;
        }
        let file: Arc<str> = file.into();
        if self.files == 1 {
            self.first_file = Arc::clone(&file);
        }
        let columns: Vec<FieldRef> = traits.columns(schema).collect();
        if let Some(problem) = self.problem_of_names(&file, schema, traits) {
            self.note(problem);
            return;
        }
        let places = columns.into_iter().map(|column| self.add_column(column, &file)).collect();
        self.note_lacking(&file);
        self.latest = Some((Arc::clone(schema), traits.clone(), places));
    }

    fn add_column(&mut self, field: FieldRef, file: &Arc<str>) -> usize {
        if let Some(place) = self.places.get(field.name()) {
            let column = &mut self.columns[*place];
            column.found(self.files);
            column.unite(&field, file);
            return *place;
        }
        let lacking = (self.files > 1).then(|| Arc::clone(&self.first_file));
        self.places.insert(field.name().clone(), self.columns.len());
        self.columns.push(Column {
            field,
            file: Arc::clone(file),
            lacking,
            files: 1,
            latest: self.files,
            conflict: None,
            members: None,
        });
        self.columns.len() - 1
    }

    /// Notes that the current file lacks the columns that were not found in it.
    fn note_lacking(&mut self, file: &Arc<str>) {
        let lacking = self.columns.iter_mut().filter(|column| column.latest < self.files && column.lacking.is_none());
        lacking.for_each(|column| column.lacking = Some(Arc::clone(file)));
    }

    fn note_traits(&mut self, schema: &Schema, traits: &FileTraits) {
        if traits.names == NameForm::One {
            let changed = schema.fields().iter().filter(|field| traits.names.of(field.name()) != field.name().as_str());
            self.changed_names += changed.count() as u64;
        }
        for (name, _) in &traits.folders {
            if schema.fields().iter().any(|field| traits.names.of(field.name()) == name.as_str()) {
                *self.shadowed.entry(name.clone()).or_default() += 1;
            }
        }
    }

    /// Returns the problem of a file whose names do not allow to find its columns.
    fn problem_of_names(&self, file: &str, schema: &Schema, traits: &FileTraits) -> Option<Problem> {
        let names: Vec<_> = schema.fields().iter().map(|field| traits.names.of(field.name())).collect();
        let mut seen = HashSet::new();
        if let Some(twice) = names.iter().map(AsRef::as_ref).find(|name: &&str| !seen.insert(*name)) {
            let rule = "two columns have this name once outer and invisible spaces are left out";
            return Some(Problem::new(file, twice, rule).remedy("rename one"));
        }
        // Columns of folders may be all that files have in common.
        if self.columns.is_empty() || names.iter().any(|name| self.places.contains_key(name.as_ref())) {
            return None;
        }
        let first: Vec<&str> = self.columns.iter().map(|column| column.field.name().as_str()).collect();
        let own: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let shown = |names: &[&str]| listed(&names[..names.len().min(MAX_LISTED_NAMES)]);
        let rule =
            format!("has none of the columns of {}: {} instead of {}", self.first_file, shown(&own), shown(&first));
        let remedy = "all files under a prefix are one table, and each CSV begins with a header of its own; move other \
                      files elsewhere";
        Some(Problem::without_value(file, rule).remedy(remedy))
    }

    fn note(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Returns the table.
    ///
    /// # Errors
    /// Returns the problems of all columns that are no column of one table.
    pub fn finish(mut self) -> Result<Unified, Problems> {
        let mut problems = std::mem::take(&mut self.problems);
        problems.extend(self.columns.iter().filter_map(Column::problem_of_types));
        problems.extend(self.problems_of_case());
        if self.missing == MissingColumns::AreProblems {
            problems.extend(self.columns.iter().filter_map(|column| column.problem_of_lack(self.files)));
            problems.extend(self.columns.iter().filter_map(Column::problem_of_members));
        }
        problems.extend(too_many_columns(&self.first_file, self.columns.len()));
        Problems::check(problems)?;
        let warnings = self.warnings();
        let fields: Vec<FieldRef> = self.columns.into_iter().map(Column::into_field).collect();
        Ok(Unified { schema: Arc::new(Schema::new(fields)), warnings })
    }

    /// Returns the problems of columns that are never in one file, and whose names differ only in case.
    fn problems_of_case(&self) -> Vec<Problem> {
        if self.columns.iter().all(|column| column.lacking.is_none()) {
            return Vec::new();
        }
        let mut by_name: HashMap<String, &Column> = HashMap::new();
        let mut problems = Vec::new();
        for column in &self.columns {
            let name = column.field.name();
            match by_name.get(&name.to_lowercase()) {
                Some(first) if first.files + column.files <= self.files => {
                    let rule =
                        format!("is `{}` in {}: names of columns are compared exactly", first.shown(), first.file);
                    let place = format!("{}, column `{}`", column.file, column.shown());
                    problems.push(Problem::without_value(place, rule).remedy("write one name in all files"));
                }
                Some(_) => {}
                None => {
                    by_name.insert(name.to_lowercase(), column);
                }
            }
        }
        problems
    }

    fn warnings(&self) -> BTreeMap<String, u64> {
        let mut warnings = BTreeMap::new();
        let lacking: Vec<&Column> = self.columns.iter().filter(|column| column.files < self.files).collect();
        for column in lacking.iter().take(MAX_NAMED_WARNINGS) {
            let text = format!("files without the column `{}`, which is null in their rows", column.shown());
            warnings.insert(text, self.files - column.files);
        }
        if lacking.len() > MAX_NAMED_WARNINGS {
            let text = "further columns that some files lack, which are null in their rows";
            warnings.insert(text.to_owned(), (lacking.len() - MAX_NAMED_WARNINGS) as u64);
        }
        let members = self.columns.iter().filter(|column| column.members.is_some()).count() as u64;
        if members > 0 {
            let text = "columns of structures with members that some files lack, which are null in their rows";
            warnings.insert(text.to_owned(), members);
        }
        for (name, files) in self.shadowed.iter().take(MAX_NAMED_WARNINGS) {
            let name = shortened(name);
            let text = format!("files whose folders name `{name}` as well; the column in the files is read");
            warnings.insert(text, *files);
        }
        if self.changed_names > 0 {
            warnings.insert(super::super::NAMES_CHANGED.to_owned(), self.changed_names);
        }
        warnings
    }
}

/// Returns true if the folders of two files name the same columns.
fn has_same_names(a: &FileTraits, b: &FileTraits) -> bool {
    a.folders.iter().map(|(name, _)| name).eq(b.folders.iter().map(|(name, _)| name))
}

impl Column {
    fn found(&mut self, file: u64) {
        self.files += 1;
        self.latest = file;
    }

    fn shown(&self) -> String {
        shortened(self.field.name())
    }

    fn unite(&mut self, field: &FieldRef, file: &Arc<str>) {
        if self.field == *field {
            return;
        }
        if self.members.is_none() && lacks_members(self.field.data_type(), field.data_type()) {
            self.members = Some(Arc::clone(file));
        }
        match (unify_fields(&self.field, field), &mut self.conflict) {
            (Some(united), _) => self.field = Arc::new(united),
            (None, Some((_, _, files))) => *files += 1,
            (None, conflict) => *conflict = Some((field.data_type().clone(), Arc::clone(file), 1)),
        }
    }

    fn problem_of_types(&self) -> Option<Problem> {
        let (other, file, files) = self.conflict.as_ref()?;
        let shown = |of: &DataType| shortened(&of.to_string());
        let more = if *files > 1 { format!(" and {} more files", files - 1) } else { String::new() };
        let rule = format!(
            "has the type {} in {file}{more}, and {} in {} and others; no type holds the values of both",
            shown(other),
            shown(self.field.data_type()),
            self.file
        );
        let remedy = "write the column with one type in all files, for example as text";
        Some(Problem::without_value(format!("column `{}`", self.shown()), rule).remedy(remedy))
    }

    fn problem_of_lack(&self, files: u64) -> Option<Problem> {
        let lacking = self.lacking.as_ref()?;
        let rule = format!("is in {} of {files} files with rows, and not in {lacking}", self.files);
        let remedy = "add it there, or leave on_missing_columns out, so that it is null in these rows";
        Some(Problem::without_value(format!("column `{}`", self.shown()), rule).remedy(remedy))
    }

    fn problem_of_members(&self) -> Option<Problem> {
        let rule = format!("has other members in {} than in {}", self.members.as_ref()?, self.file);
        let remedy = "add them, or leave on_missing_columns out, so that they are null where they are missing";
        Some(Problem::without_value(format!("column `{}`", self.shown()), rule).remedy(remedy))
    }

    fn into_field(self) -> FieldRef {
        if self.lacking.is_none() || self.field.is_nullable() {
            return self.field;
        }
        Arc::new(self.field.as_ref().clone().with_nullable(true))
    }
}

#[cfg(test)]
mod tests;
