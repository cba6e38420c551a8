//! Columns whose names differ from the wanted ones only in case, spaces, `_` and `-`, or in what is not seen.

use crate::column_name::one_form;
use crate::problem::{listed, suggestion};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Maximum number of mappings that a remedy writes out.
const MAX_WRITTEN_MAPPINGS: usize = 20;

/// Maximum number of missing columns for which similar ones are looked for. A message lists no more.
const MAX_SUGGESTIONS: usize = 25;

/// Remedies for columns that the input does not have.
pub(super) struct NearColumns<'a> {
    columns: &'a [String],
    /// Near columns by the names that are missing.
    near: BTreeMap<String, &'a str>,
    /// Mappings of the request together with those that would help.
    all: BTreeMap<String, String>,
    exact: BTreeSet<&'a str>,
    /// Remedies for the first of the missing names without a near column: looking for similar ones takes time.
    likely: BTreeMap<String, String>,
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
        let exact: BTreeSet<&str> = columns.iter().map(String::as_str).collect();
        // What is read as another column is not renamed.
        let unread = missing.iter().filter(|name| !readings(name).any(|reading| exact.contains(reading)));
        let found = unread.filter_map(|name| Some((name.clone(), free.get_mut(&plain(name))?.pop_front()?)));
        let near: BTreeMap<String, &str> = found.collect();
        let mut all = mappings.clone();
        for (new, column) in &near {
            // A near column that was renamed before is found under its old name.
            let old = all.remove(*column).unwrap_or_else(|| (*column).to_owned());
            all.insert(new.clone(), old);
        }
        let without = missing.iter().filter(|name| !near.contains_key(*name)).take(MAX_SUGGESTIONS);
        let likely = without.map(|name| (name.clone(), likely(name, columns))).collect();
        Self { columns, near, all, exact, likely }
    }

    /// Returns the remedy for the column `name`: the line that maps the near one to it, if there is one.
    pub(super) fn remedy(&self, name: &str) -> String {
        if let Some(column) = readings(name).find_map(|reading| self.exact.get(reading)) {
            let rule = "a placeholder is the name of a column, without spaces around it, formats or members";
            return format!("write `{{{column}}}`: {rule}");
        }
        let Some(&column) = self.near.get(name) else {
            return self.likely.get(name).cloned().unwrap_or_else(|| all_columns(self.columns));
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
    likely(name, columns)
}

/// Returns the columns in words, the most similar one first.
fn likely(name: &str, columns: &[String]) -> String {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let all = all_columns(columns);
    suggestion(name, &names).map_or_else(|| all.clone(), |similar| format!("{similar} {all}"))
}

fn all_columns(columns: &[String]) -> String {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    format!("the columns are {}", listed(&names))
}

/// Returns the names that a placeholder of another template language may mean: `{ text }`, `{price:.2f}`, `{name!r}`,
/// `{text | trim}`, `{row['text']}`, `{row.text}`.
fn readings(name: &str) -> impl Iterator<Item = &str> {
    let whole = name.trim();
    let before_format = whole.split([':', '!', '|']).next().unwrap_or(whole).trim();
    let member = before_format.strip_suffix(']').and_then(|inner| inner.rsplit_once('[')).map(|(_, member)| member);
    let member = member.map(|member| member.trim().trim_matches(['"', '\'']));
    let after_dot = before_format.rsplit_once('.').map(|(_, member)| member);
    let object = before_format.split(['.', '[']).next();
    let readings = [Some(whole), Some(before_format), member, after_dot, object];
    readings.into_iter().flatten().filter(move |reading| !reading.is_empty() && *reading != name)
}

/// Names of columns by their plain form, to find the one that a name in braces means.
pub(super) struct NearNames<'a> {
    exact: BTreeSet<&'a str>,
    plain: BTreeMap<String, &'a str>,
}

impl<'a> NearNames<'a> {
    pub(super) fn new(columns: &'a [String]) -> Self {
        let exact = columns.iter().map(String::as_str).collect();
        let plain = columns.iter().rev().map(|column| (plain(column), column.as_str()));
        Self { exact, plain: plain.filter(|(plain, _)| !plain.is_empty()).collect() }
    }

    /// Returns true if a column has exactly this name.
    pub(super) fn is_column(&self, name: &str) -> bool {
        self.exact.contains(name)
    }

    /// Returns the column with this name, else one whose name differs only in case, spaces, `_` and `-`.
    pub(super) fn of(&self, name: &str) -> Option<&'a str> {
        let exact = self.exact.get(name).or_else(|| self.exact.get(name.trim())).copied();
        exact.or_else(|| self.plain.get(&plain(name)).copied())
    }
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

    #[rstest]
    #[case::spaces(" text ", "text")]
    #[case::format("price:.2f", "price")]
    #[case::conversion("text!r", "text")]
    #[case::filter("text | trim", "text")]
    #[case::subscript("row['text']", "text")]
    #[case::quoted_subscript("row[\"text\"]", "text")]
    #[case::attribute("row.text", "text")]
    #[case::item("text[0]", "text")]
    #[case::all("row[ 'price' ]:.2f", "price")]
    fn placeholders_of_other_template_languages_are_told_how_to_be_written(#[case] name: &str, #[case] column: &str) {
        let expected = format!(
            "write `{{{column}}}`: a placeholder is the name of a column, without spaces around it, formats or members"
        );
        assert_eq!(remedy(&[name], &[], &["id", "text", "price"], &[]), expected);
    }

    #[rstest]
    #[case("reveiw", "did you mean `review`? the columns are `id`, `review`")]
    #[case("row.reveiw", "the columns are `id`, `review`")]
    #[case("zzz", "the columns are `id`, `review`")]
    fn a_similar_column_comes_first(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(remedy(&[name], &[], &["id", "review"], &[]), expected);
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
