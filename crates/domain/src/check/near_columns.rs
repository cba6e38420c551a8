//! Columns whose names differ from the wanted ones only in case, spaces, `_` and `-`, or in what is not seen.

use crate::column_name::one_form;
use crate::problem::listed;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Maximum number of mappings that a remedy writes out.
const MAX_WRITTEN_MAPPINGS: usize = 20;

/// Remedies for columns that the input does not have.
pub(super) struct NearColumns<'a> {
    columns: &'a [String],
    /// Near columns by the names that are missing.
    near: BTreeMap<String, &'a str>,
    /// Mappings of the request together with those that would help.
    all: BTreeMap<String, String>,
}

impl<'a> NearColumns<'a> {
    /// Finds near columns for the `missing` ones. `mappings` are those of the request, which `columns` have already; columns
    /// that are `used` keep their names.
    pub(super) fn new(
        missing: &BTreeSet<String>,
        used: &BTreeSet<String>,
        columns: &'a [String],
        mappings: &BTreeMap<String, String>,
    ) -> Self {
        // A prompt may have a hundred thousand placeholders, and a table ten thousand columns.
        let mut free: BTreeMap<String, VecDeque<&str>> = BTreeMap::new();
        for column in columns.iter().filter(|column| !used.contains(*column)) {
            free.entry(plain(column)).or_default().push_back(column);
        }
        let found = missing.iter().filter_map(|name| Some((name.clone(), free.get_mut(&plain(name))?.pop_front()?)));
        let near: BTreeMap<String, &str> = found.collect();
        let mut all = mappings.clone();
        for (new, column) in &near {
            // A near column that was renamed before is found under its old name.
            let old = all.remove(*column).unwrap_or_else(|| (*column).to_owned());
            all.insert(new.clone(), old);
        }
        Self { columns, near, all }
    }

    /// Returns the remedy for the column `name`: the line that maps the near one to it, if there is one.
    pub(super) fn remedy(&self, name: &str) -> String {
        let Some(&column) = self.near.get(name) else {
            let names: Vec<&str> = self.columns.iter().map(String::as_str).collect();
            return format!("the columns are {}", listed(&names));
        };
        let is_same_for_readers = one_form(column) == one_form(name);
        let hint = if is_same_for_readers { ", which differs only in what is not seen" } else { "" };
        let has = format!("the input has {}{hint}", listed(&[column]));
        let written = |(new, old): (&str, &str)| format!("{}: {}", Value::from(new), Value::from(old));
        if self.all.len() > MAX_WRITTEN_MAPPINGS {
            let old = self.all.get(name).map_or(column, String::as_str);
            return format!("{has}: add {} to column_mappings", written((name, old)));
        }
        let entries: Vec<String> = self.all.iter().map(|(new, old)| written((new, old))).collect();
        format!("{has}: write \"column_mappings\": {{{}}}", entries.join(", "))
    }
}

/// Returns the remedy for a field that names a column that the input does not have: a near one, or all columns.
pub(super) fn remedy_of_field(name: &str, columns: &[String]) -> String {
    if let Some(near) = columns.iter().find(|column| plain(column) == plain(name)) {
        return format!("did you mean {}?", listed(&[near]));
    }
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    format!("the columns are {}", listed(&names))
}

/// Returns a name in one Unicode form and in lower case, without spaces, `_` and `-`.
fn plain(name: &str) -> String {
    let name = one_form(name);
    let kept = name.chars().filter(|c| !c.is_whitespace() && !['_', '-'].contains(c));
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn remedy(missing: &[&str], used: &[&str], columns: &[&str], mappings: &[(&str, &str)]) -> String {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let mappings = mappings.iter().map(|(new, old)| ((*new).to_owned(), (*old).to_owned())).collect();
        NearColumns::new(&names(missing), &names(used), &columns, &mappings).remedy(missing[0])
    }

    #[rstest]
    #[case::spaces(&["review_text"], &["id", "Review Text"], &[],
        r#"the input has `Review Text`: write "column_mappings": {"review_text": "Review Text"}"#)]
    #[case::hyphen(&["ReviewText"], &["review-text"], &[],
        r#"the input has `review-text`: write "column_mappings": {"ReviewText": "review-text"}"#)]
    #[case::several(&["a_b", "c_d"], &["A B", "C-D"], &[],
        r#"the input has `A B`: write "column_mappings": {"a_b": "A B", "c_d": "C-D"}"#)]
    #[case::more_mappings(&["a_b"], &["A B", "x"], &[("x", "y")],
        r#"the input has `A B`: write "column_mappings": {"a_b": "A B", "x": "y"}"#)]
    #[case::renamed_before(&["a_b"], &["A B"], &[("A B", "old")],
        r#"the input has `A B`: write "column_mappings": {"a_b": "old"}"#)]
    #[case::quotes(&["a_\"b"], &["A \"B"], &[],
        r#"the input has `A "B`: write "column_mappings": {"a_\"b": "A \"B"}"#)]
    #[case::one_for_two(&["a_b", "ab"], &["A B"], &[],
        r#"the input has `A B`: write "column_mappings": {"a_b": "A B"}"#)]
    #[case::unicode(&["caf\u{e9}"], &["cafe\u{301}"], &[],
        "the input has `cafe\u{301}`, which differs only in what is not seen: write \"column_mappings\": {\"caf\u{e9}\": \"cafe\u{301}\"}")]
    #[case::none(&["review"], &["Review Text"], &[], "the columns are `Review Text`")]
    fn a_near_column_comes_with_the_line_to_copy(
        #[case] missing: &[&str],
        #[case] columns: &[&str],
        #[case] mappings: &[(&str, &str)],
        #[case] expected: &str,
    ) {
        assert_eq!(remedy(missing, &[], columns, mappings), expected);
    }

    #[test]
    fn a_column_that_is_used_under_its_own_name_is_not_renamed() {
        assert_eq!(remedy(&["a_b"], &["A B"], &["A B"], &[]), "the columns are `A B`");
    }

    #[test]
    fn many_mappings_are_not_repeated() {
        let mappings: BTreeMap<String, String> = (0..30).map(|at| (format!("n{at}"), format!("o{at}"))).collect();
        let columns = ["A B".to_owned()];
        let near = NearColumns::new(&names(&["a_b"]), &names(&[]), &columns, &mappings);
        assert_eq!(near.remedy("a_b"), r#"the input has `A B`: add "a_b": "A B" to column_mappings"#);
    }
}
