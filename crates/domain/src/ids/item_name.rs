//! Names under which the job table holds the work of a run.

use super::{DuplicatesName, JobName};
use std::fmt;

/// Name of an item of the job table that counts and errors are stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemName<'a> {
    /// A job; of pass 0, its chunk as well.
    Job(&'a JobName),
    /// A file of duplicates.
    Duplicates(&'a DuplicatesName),
}

impl<'a> ItemName<'a> {
    /// Returns the name as text. Those of jobs and of files of duplicates never equal each other.
    pub fn as_str(self) -> &'a str {
        match self {
            Self::Job(name) => name.as_str(),
            Self::Duplicates(name) => name.as_str(),
        }
    }
}

impl<'a> From<&'a JobName> for ItemName<'a> {
    fn from(name: &'a JobName) -> Self {
        Self::Job(name)
    }
}

impl<'a> From<&'a DuplicatesName> for ItemName<'a> {
    fn from(name: &'a DuplicatesName) -> Self {
        Self::Duplicates(name)
    }
}

impl fmt::Display for ItemName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
