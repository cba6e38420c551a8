//! Names of columns, found by the names of members as they are written.

use bedrock_batch_domain::column_name::one_form;
use std::collections::HashMap;

/// Names in the order in which they were first seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Names {
    pub(super) fn as_slice(&self) -> &[String] {
        &self.names
    }

    /// Returns the place of the column that a member belongs to. Usually it is `expected`, that after the member before.
    pub(super) fn find(&self, written: &str, expected: usize) -> Option<usize> {
        if self.names.get(expected).is_some_and(|name| name == written) {
            return Some(expected);
        }
        self.places.get(one_form(written).as_ref()).copied()
    }

    /// Adds the column of a member that has none, and returns its place.
    pub(super) fn add(&mut self, written: &str) -> usize {
        let name = one_form(written).into_owned();
        let place = self.names.len();
        self.names.push(name.clone());
        self.places.insert(name, place);
        place
    }
}
