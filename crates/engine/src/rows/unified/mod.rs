//! Files of one table whose schemas differ: their columns are found by name, and have the type that holds the values of all files.
//!
//! [`Unifier`] sees the schema of each file, and keeps one column per name, whatever the number of files. [`Adapter`] gives the
//! batches of a file the columns of the table; those of a file that has exactly these columns stay as they are.

mod adapter;
mod convert;
mod types;
mod unifier;

pub use adapter::Adapter;
pub use unifier::{MissingColumns, Unified, Unifier};

use arrow_schema::{DataType, Field, FieldRef, Schema};
use bedrock_batch_domain::column_name::one_form;
use std::borrow::Cow;
use std::sync::Arc;

/// Form of the names of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameForm {
    /// As they were written.
    AsWritten,
    /// Without outer and invisible spaces, and in one Unicode form.
    One,
}

impl NameForm {
    fn of(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::AsWritten => Cow::Borrowed(name),
            Self::One => one_form(name),
        }
    }
}

/// Facts about a file that its schema does not contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTraits {
    /// Form in which the names of its columns are read.
    pub names: NameForm,
    /// Columns that the folders of the file name, with their value.
    pub folders: Vec<(String, Option<String>)>,
}

impl FileTraits {
    /// Creates the traits of a file whose columns are all inside.
    pub fn new(names: NameForm) -> Self {
        Self { names, folders: Vec::new() }
    }

    /// Returns the columns that the folders name, and that the file does not have itself.
    fn columns_of_folders(&self, schema: &Schema) -> impl Iterator<Item = (&str, Option<&str>)> {
        let is_inside = |name: &str| schema.fields().iter().any(|field| self.names.of(field.name()) == name);
        let columns = self.folders.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
        columns.filter(move |(name, _)| !is_inside(name))
    }

    /// Returns the columns of a file, with the names that they have in the table.
    fn columns<'a>(&'a self, schema: &'a Schema) -> impl Iterator<Item = FieldRef> + 'a {
        let inside = schema.fields().iter().map(|field| match self.names.of(field.name()) {
            name if name == field.name().as_str() => Arc::clone(field),
            name => Arc::new(field.as_ref().clone().with_name(name)),
        });
        let outside = self.columns_of_folders(schema);
        inside.chain(outside.map(|(name, _)| Arc::new(Field::new(name, DataType::Utf8, true))))
    }
}
