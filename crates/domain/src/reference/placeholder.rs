//! Placeholders of references in texts whose other braces are literal: system prompts.

use super::name::reference_of;
use crate::prompt::names_in_braces;

/// Returns the names of the references that a text inserts, in order, each as often as it occurs.
pub fn names_in_text(text: &str) -> impl Iterator<Item = &str> {
    names_in_braces(text).filter_map(|found| reference_of(found.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_order() {
        let names: Vec<&str> = names_in_text("{reference.b} {x} {reference.a}{reference.b} {{reference.c}}").collect();
        assert_eq!(names, ["b", "a", "b", "c"]);
    }
}
