//! Names of the columns that a run adds, and what happens to a user's columns of the same name.

use crate::column_name::one_form;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Beginning of the names of columns that are internal.
pub const RESERVED_PREFIX: &str = "bedrock_batch:";
/// Column that identifies a row, in every file of a run.
pub const RECORD_ID: &str = "record_id";
/// Only in the rows files: the reason why a row was not sent to the model (null for those that were), in the words of its
/// `error`. Columns of users must not have this name.
pub const NOT_SENT: &str = "bedrock_batch:not_sent";
/// Only in the rows files: the same reason as data, a [`RowError`](crate::row_error::RowError) in JSON. Rows files of
/// earlier versions do not have it.
pub const ROW_ERROR: &str = "bedrock_batch:row_error";
/// Only in the files of duplicates: the `record_id` of the row that was sent in this row's place.
pub const SAME_AS: &str = "bedrock_batch:same_as";
/// Only in the files of duplicates: the position of that row in the input, from 0.
pub const SAME_AS_ROW: &str = "bedrock_batch:same_as_row";
/// Only in the rows files of runs whose rows have different prompts: the name of the row's prompt (null if it has none).
pub const PROMPT: &str = "bedrock_batch:prompt";
/// Only in the rows files of runs with requests of several rows: the number of the row's request among all requests of the
/// run, in the order of their first rows (null if the row is not sent).
pub const REQUEST: &str = "bedrock_batch:request";
/// Columns of the rows files that a user's input must not have and that no output has.
pub const INTERNAL: [&str; 6] = [NOT_SENT, ROW_ERROR, SAME_AS, SAME_AS_ROW, PROMPT, REQUEST];
/// Text of the answer.
pub const RESPONSE: &str = "response";
/// Embedding: a list of 32-bit floats.
pub const EMBEDDING: &str = "embedding";
/// Reason why there is no answer; null if there is one.
pub const ERROR: &str = "error";
/// Reason why the model stopped.
pub const STOP_REASON: &str = "stop_reason";
/// Number of input tokens of this row.
pub const INPUT_TOKENS: &str = "input_tokens";
/// Number of output tokens of this row.
pub const OUTPUT_TOKENS: &str = "output_tokens";

/// Number of times that the row's record was sent to the model.
pub const ATTEMPTS: &str = "attempts";
/// Model that answered.
pub const MODEL_ID: &str = "model_id";
/// Prompt that the row was sent with.
pub const PROMPT_ID: &str = "prompt_id";

/// Only in runs with a prefix of their columns: `success` or `error`.
pub const STATUS: &str = "status";
/// Only in runs with a prefix of their columns: true if the answer was read and matches the prompt's rules.
pub const VALIDATION_PASSED: &str = "validation_passed";
/// Only in runs with a prefix of their columns: the outcome of reading the answer.
pub const PARSE_STATUS: &str = "parse_status";

/// Returns the columns after an answer and its fields, in order. If `with_status` is true, they include the status.
pub fn metadata(with_status: bool) -> Vec<&'static str> {
    let (status, read) =
        if with_status { (vec![STATUS], vec![VALIDATION_PASSED, PARSE_STATUS]) } else { (vec![], vec![]) };
    let rest = [STOP_REASON, INPUT_TOKENS, OUTPUT_TOKENS, ATTEMPTS, MODEL_ID];
    status.into_iter().chain([ERROR]).chain(read).chain(rest).collect()
}

/// Returns the name of an added column in the output of a run with this prefix.
pub fn prefixed(prefix: Option<&str>, name: &str) -> String {
    format!("{}{name}", prefix.unwrap_or_default())
}

/// All columns that a run adds, except the fields of a prompt, which must not have these names.
pub const ADDED: [&str; 10] =
    [RECORD_ID, RESPONSE, EMBEDDING, ERROR, STOP_REASON, INPUT_TOKENS, OUTPUT_TOKENS, ATTEMPTS, MODEL_ID, PROMPT_ID];

/// Column of a table, with its origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Name of the column.
    pub name: String,
    /// Name of the stage that added it, or [`INPUT`].
    pub origin: String,
}

/// Origin of the user's own columns.
pub const INPUT: &str = "input";

impl Column {
    /// Creates a column of the user's own.
    pub fn of_input(name: impl Into<String>) -> Self {
        Self { name: name.into(), origin: INPUT.to_owned() }
    }
}

/// Returns the name that each of the `existing` columns has beside the `added` ones: its own, or `<origin>_<name>` if an
/// added column takes that name (`input_response`; prefixed again while that is taken too).
pub fn names_beside(existing: &[Column], added: &[&str]) -> Vec<String> {
    let new: HashSet<&str> = added.iter().copied().collect();
    let mut taken: HashSet<String> = added.iter().map(|name| (*name).to_owned()).collect();
    taken
        .extend(existing.iter().filter(|column| !new.contains(column.name.as_str())).map(|column| column.name.clone()));
    let renamed = existing.iter().map(|column| {
        if !new.contains(column.name.as_str()) {
            return column.name.clone();
        }
        let mut new_name = format!("{}_{}", column.origin, column.name);
        while !taken.insert(new_name.clone()) {
            new_name = format!("{}_{new_name}", column.origin);
        }
        new_name
    });
    renamed.collect()
}

/// Returns the columns under their new names: `mappings` contains new names with old ones. A mapped column is renamed, or
/// copied if it has several new names; its old name is free. A column whose name is taken by another one is renamed by
/// [`names_beside`].
///
/// With each column comes the index of its values among `columns`. Columns that are not mapped come first, in order.
///
/// # Errors
/// Returns the old names that no column has.
pub fn mapped(columns: &[Column], mappings: &BTreeMap<String, String>) -> Result<Vec<(Column, usize)>, Vec<String>> {
    let mut exact: HashMap<&str, usize> = HashMap::new();
    // Readers of CSV bring names into one form, and inputs may have the form of the file. Where several columns have one form, as
    // in Parquet, it names none of them.
    let mut by_form: HashMap<Cow<'_, str>, Option<usize>> = HashMap::new();
    for (at, column) in columns.iter().enumerate() {
        exact.entry(&column.name).or_insert(at);
        by_form.entry(one_form(&column.name)).and_modify(|only| *only = None).or_insert(Some(at));
    }
    let place = |name: &str| exact.get(name).copied().or_else(|| by_form.get(&*one_form(name)).copied().flatten());
    let missing: Vec<String> = mappings.values().filter(|old| place(old).is_none()).cloned().collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let olds: HashSet<usize> = mappings.values().filter_map(|old| place(old)).collect();
    let kept: Vec<(usize, Column)> =
        columns.iter().enumerate().filter(|(at, _)| !olds.contains(at)).map(|(at, c)| (at, c.clone())).collect();
    let news: Vec<&str> = mappings.keys().map(String::as_str).collect();
    let names = names_beside(&kept.iter().map(|(_, column)| column.clone()).collect::<Vec<_>>(), &news);
    let kept = kept.into_iter().zip(names).map(|((at, column), name)| (Column { name, ..column }, at));
    let renamed = mappings.iter().filter_map(|(new, old)| {
        let at = place(old)?;
        Some((Column { name: new.clone(), origin: columns[at].origin.clone() }, at))
    });
    Ok(kept.chain(renamed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clash_renames_the_older_column_and_never_loses_one() {
        let mut existing = ["a", "response", "input_response", "error"].map(Column::of_input);
        assert_eq!(
            names_beside(&existing, &[RESPONSE, ERROR]),
            ["a", "input_input_response", "input_response", "input_error"]
        );
        existing[3].origin = "classify".to_owned();
        assert_eq!(names_beside(&existing, &[ERROR]), ["a", "response", "input_response", "classify_error"]);
    }

    #[test]
    fn mapped_columns_change_their_names_and_none_is_lost() {
        let columns = ["record_id", "response", "metadata"].map(Column::of_input);
        let mapping = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(new, old)| ((*new).to_owned(), (*old).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let names = |pairs| {
            let found = mapped(&columns, &mapping(pairs)).unwrap();
            found.into_iter().map(|(column, at)| (column.name, at)).collect::<Vec<_>>()
        };
        let owned = |pairs: &[(&str, usize)]| pairs.iter().map(|(n, at)| ((*n).to_owned(), *at)).collect::<Vec<_>>();
        assert_eq!(
            names(&[("metadata", "response")]),
            owned(&[("record_id", 0), ("input_metadata", 2), ("metadata", 1)])
        );
        assert_eq!(
            names(&[("response", "metadata"), ("metadata", "response")]),
            owned(&[("record_id", 0), ("metadata", 1), ("response", 2)]),
            "they may change places"
        );
        assert_eq!(
            names(&[("a", "response"), ("b", "response")]),
            owned(&[("record_id", 0), ("metadata", 2), ("a", 1), ("b", 1)])
        );
        assert_eq!(mapped(&columns, &mapping(&[("a", "nope")])), Err(vec!["nope".to_owned()]));
        assert_eq!(
            names(&[("record_id", " record_id")]),
            owned(&[("response", 1), ("metadata", 2), ("record_id", 0)]),
            "as it is written in a file"
        );
    }

    #[test]
    fn a_name_that_may_be_that_of_several_columns_is_that_of_none() {
        let columns = [" a", "a\u{200b}", "b"].map(Column::of_input);
        let mapping = |old: &str| BTreeMap::from([("new".to_owned(), old.to_owned())]);
        assert_eq!(mapped(&columns, &mapping("a")), Err(vec!["a".to_owned()]));
        let found = mapped(&columns, &mapping("a\u{200b}")).unwrap();
        assert_eq!(found.last().map(|(_, at)| *at), Some(1), "its own name is always meant");
    }
}
