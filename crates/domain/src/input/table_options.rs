//! Options for the files that are one table.

use super::Fields;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// Field with the rule for columns that some files lack.
const ON_MISSING_COLUMNS: &str = "on_missing_columns";
/// Field that decides about columns that folders name.
const HIVE_COLUMNS: &str = "hive_columns";

/// Rule for columns that some files of a table lack.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnMissingColumns {
    /// They are null in the rows of these files.
    #[default]
    Null,
    /// The input is refused.
    Error,
}

/// Options for the files that are one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableOptions {
    /// Rule for columns that some files lack.
    #[serde(skip_serializing_if = "is_null")]
    pub on_missing_columns: OnMissingColumns,
    /// If true, folders such as `country=DE` are columns.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub hive_columns: bool,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self { on_missing_columns: OnMissingColumns::Null, hive_columns: true }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_null(rule: &OnMissingColumns) -> bool {
    *rule == OnMissingColumns::Null
}

impl TableOptions {
    /// Returns the options of a run or a stage, as far as they are valid.
    pub fn of_run(run: &serde_json::Map<String, serde_json::Value>) -> Self {
        Self::read(&mut Fields::new("", run), true, true, "")
    }

    /// Reads these options from the fields of an execution input, whose rows may be in objects or in files of a dataset.
    pub(super) fn read(fields: &mut Fields<'_>, has_objects: bool, has_dataset: bool, uri_field: &str) -> Self {
        let on_missing_columns = fields.text(ON_MISSING_COLUMNS);
        let hive_columns = fields.boolean(HIVE_COLUMNS);
        if on_missing_columns.is_some() && !has_objects && !has_dataset {
            let rule = format!("is only allowed with {uri_field} or dataset_id");
            fields.note(Problem::without_value(fields.name(ON_MISSING_COLUMNS), rule).remedy("leave it out"));
        }
        if hive_columns.is_some() && !has_objects {
            let rule = format!("is only allowed with {uri_field}");
            fields.note(Problem::without_value(fields.name(HIVE_COLUMNS), rule).remedy("leave it out"));
        }
        let on_missing_columns = match on_missing_columns {
            None | Some("null") => OnMissingColumns::Null,
            Some("error") => OnMissingColumns::Error,
            Some(other) => {
                let rule = "must be `null` (as a text) or `error`";
                fields.note(Problem::new(fields.name(ON_MISSING_COLUMNS), other, rule));
                OnMissingColumns::Null
            }
        };
        Self { on_missing_columns, hive_columns: hive_columns.unwrap_or(true) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(input: &Value, has_objects: bool, has_dataset: bool) -> (TableOptions, Vec<String>) {
        let mut fields = Fields::new("", input.as_object().unwrap());
        let options = TableOptions::read(&mut fields, has_objects, has_dataset, "s3_uri");
        (options, fields.finish().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn options_are_stored_only_where_they_are_set() {
        let stored = |input: &Value| serde_json::to_value(read(input, true, false).0).unwrap();
        assert_eq!(stored(&json!({})), json!({}), "plans stay as they were");
        assert_eq!(stored(&json!({"on_missing_columns": "null", "hive_columns": true})), json!({}));
        let set = json!({"on_missing_columns": "error", "hive_columns": false});
        assert_eq!(stored(&set), set);
        assert_eq!(serde_json::from_value::<TableOptions>(set.clone()).unwrap(), read(&set, true, false).0);
        assert_eq!(serde_json::from_value::<TableOptions>(json!({})).unwrap(), TableOptions::default());
    }

    #[test]
    fn options_are_refused_where_they_have_no_effect() {
        let set = json!({"on_missing_columns": "error", "hive_columns": false});
        assert_eq!(read(&set, true, false).1, Vec::<String>::new());
        let of_dataset = read(&set, false, true).1;
        assert_eq!(of_dataset, ["hive_columns: is only allowed with s3_uri; leave it out"]);
        assert_eq!(read(&set, false, false).1.len(), 2);
        let (_, problems) = read(&json!({"on_missing_columns": "drop"}), true, false);
        assert_eq!(problems, ["on_missing_columns is `drop`: must be `null` (as a text) or `error`"]);
    }
}
