//! Which prompts a row is asked: one for all, one by a column, or several by a column.

use super::{Prompt, Template};
use crate::extract::Extractor;
use crate::problem::Problems;
use crate::row_error::{RowError, RowErrorCode};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The prompts of a run, and how a row comes to its own. Frozen in the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptPlan {
    /// How a row comes to its prompts.
    pub choice: Choice,
    /// The prompts that rows may be asked.
    pub prompts: Vec<NamedPrompt>,
}

/// A prompt with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPrompt {
    /// Its `prompt_id`.
    pub id: String,
    /// The prompt.
    pub prompt: Prompt,
}

/// How a row comes to its prompts; numbers are places in [`PromptPlan::prompts`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Choice {
    /// There are no prompts: an embedding model.
    #[default]
    None,
    /// All rows are asked the only prompt.
    Single,
    /// One prompt, by the value of a column.
    Mapped {
        /// The columns that may hold the value; the first that the input has counts.
        columns: Vec<String>,
        /// By value, in lower case and without outer spaces.
        by_value: BTreeMap<String, usize>,
        /// For values that are not there.
        default: Option<usize>,
        /// Whether the values are names of prompts themselves, so that only the rows say which are used.
        by_name: bool,
        /// With `by_name`: prompts that show a column that the input does not have, with that column.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        unusable: BTreeMap<String, String>,
    },
    /// Several prompts, by the value of a column.
    Expanded {
        /// The column.
        column: String,
        /// By value, in lower case and without outer spaces.
        by_value: BTreeMap<String, Vec<usize>>,
        /// For values that are not there.
        default: Option<Vec<usize>>,
        /// How the answers come out.
        layout: ExpandedLayout,
    },
}

/// How several answers to one row come out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpandedLayout {
    /// One row a prompt.
    #[default]
    Long,
    /// One row, with columns for each prompt.
    Wide,
}

/// Why a row has no prompt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPrompt {
    /// The cell is empty.
    #[error("`{0}` is empty, and there is no `default`")]
    Empty(String),
    /// The cell names no prompt.
    #[error("`{column}` names `{value}`, and there is no such prompt")]
    NoSuch {
        /// The column.
        column: String,
        /// What it holds.
        value: String,
    },
    /// The prompt that the cell names cannot be asked.
    #[error("`{column}` names `{value}`, which shows the column `{missing}`, and the input has no such")]
    Unusable {
        /// The column.
        column: String,
        /// What it holds.
        value: String,
        /// The column that the prompt shows.
        missing: String,
    },
    /// Nothing is known for the value.
    #[error("nothing is said for `{value}` in `{column}`, and there is no `default`")]
    Unknown {
        /// The column.
        column: String,
        /// What it holds.
        value: String,
    },
}

impl From<NoPrompt> for RowError {
    fn from(why: NoPrompt) -> Self {
        Self::new(RowErrorCode::NoPrompt, why.to_string())
    }
}

/// A value as it is looked up.
pub fn normalized(value: &str) -> String {
    value.trim().to_lowercase()
}

/// The longest value that `error` repeats, in characters.
const LONGEST_VALUE: usize = 100;

impl PromptPlan {
    /// One prompt for all rows.
    pub fn single(id: impl Into<String>, prompt: Prompt) -> Self {
        Self { choice: Choice::Single, prompts: vec![NamedPrompt { id: id.into(), prompt }] }
    }

    /// Whether answers name their prompt: in the modes where rows have different ones.
    pub fn names_prompts(&self) -> bool {
        matches!(self.choice, Choice::Mapped { .. } | Choice::Expanded { .. })
    }

    /// Whether a row may be asked several prompts, so that its records' ids have a suffix.
    pub fn expands(&self) -> bool {
        matches!(self.choice, Choice::Expanded { .. })
    }

    /// Whether several answers come out as one row.
    pub fn is_wide(&self) -> bool {
        matches!(self.choice, Choice::Expanded { layout: ExpandedLayout::Wide, .. })
    }

    /// The columns that a row's choice may depend on, the first that there is counting.
    pub fn choosing_columns(&self) -> &[String] {
        match &self.choice {
            Choice::None | Choice::Single => &[],
            Choice::Mapped { columns, .. } => columns,
            Choice::Expanded { column, .. } => std::slice::from_ref(column),
        }
    }

    /// The column among `columns` that a row's choice depends on.
    pub fn choosing_column<'a>(&'a self, columns: &[String]) -> Option<&'a str> {
        self.choosing_columns().iter().find(|column| columns.contains(column)).map(String::as_str)
    }

    /// The prompts for a row whose cell in `column` is `value`; in the modes without a column, for any row.
    ///
    /// # Errors
    /// Why there is none.
    pub fn choose(&self, column: &str, value: &str) -> Result<&[usize], NoPrompt> {
        let found = match &self.choice {
            Choice::None | Choice::Single => return Ok(&[0]),
            Choice::Mapped { by_value, default, .. } => {
                by_value.get(&normalized(value)).or(default.as_ref()).map(std::slice::from_ref)
            }
            Choice::Expanded { by_value, default, .. } => {
                by_value.get(&normalized(value)).or(default.as_ref()).map(Vec::as_slice)
            }
        };
        found.ok_or_else(|| {
            let column = column.to_owned();
            if value.trim().is_empty() {
                return NoPrompt::Empty(column);
            }
            let value: String = value.trim().chars().take(LONGEST_VALUE).collect();
            match &self.choice {
                Choice::Mapped { by_name: true, unusable, .. } => match unusable.get(&normalized(&value)) {
                    Some(missing) => NoPrompt::Unusable { column, value, missing: missing.clone() },
                    None => NoPrompt::NoSuch { column, value },
                },
                _ => NoPrompt::Unknown { column, value },
            }
        })
    }

    /// The same plan without the prompts that show a column which is not among `columns`, where rows name prompts
    /// themselves: a row that names such a one says so.
    #[must_use]
    pub fn without_columns(mut self, columns: &[String]) -> Self {
        let Choice::Mapped { by_value, by_name: true, unusable, .. } = &mut self.choice else { return self };
        by_value.retain(|value, number| {
            let template = self.prompts.get(*number).and_then(|named| named.prompt.parsed_template().ok());
            let needed = template.iter().flat_map(Template::columns).map(str::to_owned);
            let missing = needed.into_iter().find(|name| !columns.contains(name));
            let usable = missing.is_none();
            unusable.extend(missing.map(|missing| (value.clone(), missing)));
            usable
        });
        self
    }

    /// The same plan with only the prompts that `used` numbers, where only the rows say which are used.
    #[must_use]
    pub fn restricted_to(mut self, used: &BTreeSet<usize>) -> Self {
        let Choice::Mapped { by_value, by_name: true, .. } = &mut self.choice else { return self };
        let new_number: BTreeMap<usize, usize> = used.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        by_value.retain(|_, number| new_number.contains_key(number));
        for number in by_value.values_mut() {
            *number = new_number.get(number).copied().unwrap_or_default();
        }
        let mut number = 0;
        self.prompts.retain(|_| {
            number += 1;
            used.contains(&(number - 1))
        });
        self
    }

    /// The names of all fields of all prompts, each once, in the order of the prompts.
    ///
    /// # Errors
    /// As [`Prompt::extractor`]; prompts that were loaded are sound.
    pub fn readers(&self) -> Result<(Vec<PromptReader>, Vec<String>), Problems> {
        let mut names: Vec<String> = Vec::new();
        let mut readers = Vec::new();
        for named in &self.prompts {
            let extractor = named.prompt.extractor()?;
            let fields = extractor.iter().flat_map(|extractor| extractor.names());
            let columns = fields.map(|field| {
                names.iter().position(|name| name == field).unwrap_or_else(|| {
                    names.push(field.clone());
                    names.len() - 1
                })
            });
            let columns = columns.collect();
            readers.push(PromptReader { id: named.id.clone(), extractor, columns });
        }
        Ok((readers, names))
    }
}

/// What reads the answers to one prompt.
#[derive(Debug)]
pub struct PromptReader {
    /// The `prompt_id`.
    pub id: String,
    /// What takes the fields out.
    pub extractor: Option<Extractor>,
    /// For each of its fields, the place among the fields of all prompts.
    pub columns: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(fields: &str) -> Prompt {
        let schema = if fields.is_empty() {
            String::new()
        } else {
            format!("[output_schema]\ntype = \"json\"\nfields = {{ {fields} }}")
        };
        Prompt::parse(&format!("description = \"d\"\ntemplate = \"t\"\n{schema}")).unwrap()
    }

    fn plan(choice: Choice) -> PromptPlan {
        let named = |id: &str, fields| NamedPrompt { id: id.into(), prompt: prompt(fields) };
        let prompts =
            vec![named("a", "x = \"$.x\", y = \"$.y\""), named("b", "z = \"$.z\", x = \"$.x\""), named("c", "")];
        PromptPlan { choice, prompts }
    }

    fn mapped(by_name: bool, default: Option<usize>) -> PromptPlan {
        let by_value = [("a", 0), ("b", 1), ("c", 2)].map(|(value, number)| (value.to_owned(), number));
        let columns = vec!["which".to_owned(), "category".to_owned()];
        plan(Choice::Mapped { columns, by_value: by_value.into(), default, by_name, unusable: BTreeMap::new() })
    }

    #[test]
    fn values_are_matched_without_case_and_outer_spaces() {
        let plan = mapped(false, None);
        assert_eq!(plan.choose("which", " B\n"), Ok([1].as_slice()));
        let unknown = plan.choose("which", "hat").unwrap_err().to_string();
        assert_eq!(unknown, "nothing is said for `hat` in `which`, and there is no `default`");
        assert_eq!(plan.choose("which", "  ").unwrap_err().to_string(), "`which` is empty, and there is no `default`");
        assert_eq!(mapped(false, Some(2)).choose("which", "hat"), Ok([2].as_slice()));
    }

    #[test]
    fn the_first_column_that_there_is_counts() {
        let columns = ["category", "which"].map(str::to_owned);
        assert_eq!(mapped(false, None).choosing_column(&columns), Some("which"));
        assert_eq!(mapped(false, None).choosing_column(&columns[..1]), Some("category"));
        assert_eq!(mapped(false, None).choosing_column(&[]), None);
    }

    #[test]
    fn prompts_that_no_row_names_are_left_out() {
        let plan = mapped(true, None).restricted_to(&BTreeSet::from([0, 2]));
        assert_eq!(plan.prompts.iter().map(|named| named.id.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(plan.choose("which", "c"), Ok([1].as_slice()));
        let error = plan.choose("which", "b").unwrap_err().to_string();
        assert_eq!(error, "`which` names `b`, and there is no such prompt");
        let all = mapped(false, None).restricted_to(&BTreeSet::new());
        assert_eq!(all.prompts.len(), 3, "a mapping says itself which there are");
    }

    #[test]
    fn a_prompt_that_lacks_a_column_is_no_prompt_for_the_rows_that_name_it() {
        let mut plan = mapped(true, None);
        plan.prompts[1].prompt = Prompt::parse("description = \"d\"\ntemplate = \"{size}\"").unwrap();
        let plan = plan.without_columns(&["which".to_owned()]);
        assert_eq!(plan.choose("which", "a"), Ok([0].as_slice()));
        let error = plan.choose("which", "B").unwrap_err().to_string();
        assert_eq!(error, "`which` names `B`, which shows the column `size`, and the input has no such");
    }

    #[test]
    fn fields_of_several_prompts_are_one_set_of_columns() {
        let (readers, names) = mapped(false, None).readers().unwrap();
        assert_eq!(names, ["x", "y", "z"]);
        let columns: Vec<_> = readers.iter().map(|reader| reader.columns.clone()).collect();
        assert_eq!(columns, [vec![0, 1], vec![2, 0], vec![]]);
    }

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        for plan in [mapped(true, Some(1)), PromptPlan::default(), PromptPlan::single("a", prompt(""))] {
            let written = serde_json::to_value(&plan).unwrap();
            assert_eq!(serde_json::from_value::<PromptPlan>(written).unwrap(), plan);
        }
    }
}
