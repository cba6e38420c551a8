//! Selection of the prompts for a row: one for all rows, one by a column, or several by a column.

use super::Prompt;
use super::field_limit::{FieldLimit, limits_of};
use crate::extract::Extractor;
use crate::input::ResponseFormat;
use crate::problem::Problems;
use crate::reference::{Reference, ValueSource, find, names_in_text, reference_of};
use crate::row_error::{RowError, RowErrorCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Prompts of a run, and their selection for each row. Frozen in the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptPlan {
    /// Selection of the prompts for a row.
    pub choice: Choice,
    /// Prompts that rows may be sent with.
    pub prompts: Vec<NamedPrompt>,
    /// References that prompts insert or hold fields to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// Columns that system prompts and prefills insert, if there are some. In a plan of a version that sent them as they stand,
    /// there are none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub instruction_columns: BTreeSet<String>,
}

/// Prompt with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPrompt {
    /// `prompt_id` of the prompt.
    pub id: String,
    /// Content of the prompt.
    pub prompt: Prompt,
}

/// Selection of the prompts for a row; numbers are indexes into [`PromptPlan::prompts`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Choice {
    /// No prompts: an embedding model.
    #[default]
    None,
    /// The only prompt for every row.
    Single,
    /// One prompt per row, by the value of a column.
    Mapped {
        /// Columns that may contain the value; the first one that the input has is used.
        columns: Vec<String>,
        /// Prompts by value, in lower case and trimmed.
        by_value: BTreeMap<String, usize>,
        /// Prompt for all other values.
        default: Option<usize>,
        /// If true, the values are names of prompts, so that only the rows determine which are used.
        by_name: bool,
        /// With `by_name`: prompts that insert a column that the input does not have, with that column.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        unusable: BTreeMap<String, String>,
    },
    /// Several prompts per row, by the value of a column.
    Expanded {
        /// Column with the value.
        column: String,
        /// Prompts by value, in lower case and trimmed.
        by_value: BTreeMap<String, Vec<usize>>,
        /// Prompts for all other values.
        default: Option<Vec<usize>>,
        /// Layout of the answers.
        layout: ExpandedLayout,
    },
}

/// Layout of several answers to one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpandedLayout {
    /// One row per prompt.
    #[default]
    Long,
    /// One row, with columns for each prompt.
    Wide,
}

/// Reason why a row has no prompt. Its text is written to the row's `error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPrompt {
    /// The cell is empty.
    #[error("`{0}` is empty, and there is no `default`")]
    Empty(String),
    /// The cell does not name an existing prompt.
    #[error("`{column}` names `{value}`, and there is no such prompt")]
    NoSuch {
        /// Name of the column.
        column: String,
        /// Value of the cell.
        value: String,
    },
    /// The prompt that the cell names cannot be used.
    #[error("`{column}` names `{value}`, which shows the column `{missing}`, which the input does not have")]
    Unusable {
        /// Name of the column.
        column: String,
        /// Value of the cell.
        value: String,
        /// Column that the prompt inserts.
        missing: String,
    },
    /// The mapping has no entry for the value.
    #[error("no prompt is mapped to `{value}` in `{column}`, and there is no `default`")]
    Unknown {
        /// Name of the column.
        column: String,
        /// Value of the cell.
        value: String,
    },
}

impl From<NoPrompt> for RowError {
    fn from(reason: NoPrompt) -> Self {
        Self::new(RowErrorCode::NoPrompt, reason.to_string())
    }
}

/// Normalizes a value for lookup.
pub fn normalized(value: &str) -> String {
    value.trim().to_lowercase()
}

/// Maximum number of characters of a value that `error` quotes.
const MAX_VALUE_CHARS: usize = 100;

impl PromptPlan {
    /// Creates a plan with one prompt for all rows.
    pub fn single(id: impl Into<String>, prompt: Prompt) -> Self {
        let prompts = vec![NamedPrompt { id: id.into(), prompt }];
        Self { choice: Choice::Single, prompts, ..Self::default() }
    }

    /// Returns true if answers name their prompt, which is the case if rows may have different ones.
    pub fn names_prompts(&self) -> bool {
        matches!(self.choice, Choice::Mapped { .. } | Choice::Expanded { .. })
    }

    /// Returns true if only the rows determine which prompts are sent.
    pub fn names_prompts_by_row(&self) -> bool {
        matches!(self.choice, Choice::Mapped { by_name: true, .. })
    }

    /// Returns true if a row may have several prompts, so that the ids of its records have a suffix.
    pub fn expands(&self) -> bool {
        matches!(self.choice, Choice::Expanded { .. })
    }

    /// Returns the maximum number of prompts of a row.
    pub fn max_per_row(&self) -> usize {
        match &self.choice {
            Choice::Expanded { by_value, default, .. } => {
                by_value.values().chain(default).map(Vec::len).max().unwrap_or(1).max(1)
            }
            _ => 1,
        }
    }

    /// Returns true if several answers are combined in one row.
    pub fn is_wide(&self) -> bool {
        matches!(self.choice, Choice::Expanded { layout: ExpandedLayout::Wide, .. })
    }

    /// Returns true if requests may have several rows, so that records have the ids of requests.
    pub fn has_rows_parts(&self) -> bool {
        self.prompts.iter().any(|named| named.prompt.rows.is_some())
    }

    /// Returns the columns that may select a row's prompts; the first one that the input has is used.
    pub fn choosing_columns(&self) -> &[String] {
        match &self.choice {
            Choice::None | Choice::Single => &[],
            Choice::Mapped { columns, .. } => columns,
            Choice::Expanded { column, .. } => std::slice::from_ref(column),
        }
    }

    /// Returns the column among `columns` that selects a row's prompts.
    pub fn choosing_column<'a>(&'a self, columns: &[String]) -> Option<&'a str> {
        self.choosing_columns().iter().find(|column| columns.contains(column)).map(String::as_str)
    }

    /// Returns the prompts for a row whose cell in `column` is `value`; in modes without a column, for any row.
    ///
    /// # Errors
    /// Returns the reason if there is none.
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
            let value: String = value.trim().chars().take(MAX_VALUE_CHARS).collect();
            match &self.choice {
                Choice::Mapped { by_name: true, unusable, .. } => match unusable.get(&normalized(&value)) {
                    Some(missing) => NoPrompt::Unusable { column, value, missing: missing.clone() },
                    None => NoPrompt::NoSuch { column, value },
                },
                _ => NoPrompt::Unknown { column, value },
            }
        })
    }

    /// Removes the prompts that insert a column that is not among `columns`, if rows name their prompts: a row that names
    /// one of them reports the missing column.
    #[must_use]
    pub fn without_columns(mut self, columns: &[String]) -> Self {
        if !matches!(self.choice, Choice::Mapped { by_name: true, .. }) {
            return self;
        }
        let needed: Vec<Vec<String>> = self.prompts.iter().map(|named| self.needed_by(named)).collect();
        let Choice::Mapped { by_value, by_name: true, unusable, .. } = &mut self.choice else { return self };
        by_value.retain(|value, number| {
            let missing = needed.get(*number).into_iter().flatten().find(|name| !columns.contains(name)).cloned();
            let usable = missing.is_none();
            unusable.extend(missing.map(|missing| (value.clone(), missing)));
            usable
        });
        self
    }

    /// Returns the columns that a prompt inserts, and the placeholders of references that it needs and that there are not.
    fn needed_by(&self, named: &NamedPrompt) -> Vec<String> {
        let is_column = |name: &String| reference_of(name).is_none_or(|name| find(&self.references, name).is_none());
        let columns = named.prompt.columns().into_iter().filter(is_column);
        let in_system = named.prompt.system.as_deref().map(names_in_text).into_iter().flatten();
        let of_values = named.prompt.allowed_values.values().filter_map(|source| ValueSource::parse(source).ok());
        let missing = in_system.chain(of_values.map(|source| source.reference));
        let missing = missing.filter(|name| find(&self.references, name).is_none());
        columns.chain(missing.map(|name| format!("reference.{name}"))).collect()
    }

    /// Keeps only the prompts with the indexes `used`, if only the rows determine which prompts are used.
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

    /// Returns the prompts as they are used for answers in a format: `text` removes the fields of all prompts, and `json`
    /// requires JSON of prompts that have no fields.
    #[must_use]
    pub fn in_format(mut self, format: Option<ResponseFormat>) -> Self {
        for named in &mut self.prompts {
            let prompt = &mut named.prompt;
            match format {
                Some(ResponseFormat::Text) => {
                    (prompt.output_schema, prompt.response_schema) = (None, None);
                    prompt.allowed_values.clear();
                }
                Some(ResponseFormat::Json) if prompt.output_schema.is_none() && prompt.response_schema.is_none() => {
                    prompt.response_schema = Some(Value::Bool(true));
                }
                Some(ResponseFormat::Json | ResponseFormat::Structured) | None => {}
            }
        }
        self
    }

    /// Returns the readers of all prompts, and the names of all their fields, each once, in the order of the prompts.
    ///
    /// # Errors
    /// Returns an error like [`Prompt::extractor`], or if a reference lacks values that a field is held to. Loaded prompts are
    /// valid, and values are checked when a run starts. Where references are not known yet, no field is held to them.
    pub fn readers(&self) -> Result<(Vec<PromptReader>, Vec<String>), Problems> {
        self.readers_with(&self.references)
    }

    /// Returns the same for prompts whose fields are held to these references only.
    ///
    /// # Errors
    /// Returns an error like [`Self::readers`].
    pub fn readers_with(&self, references: &[Reference]) -> Result<(Vec<PromptReader>, Vec<String>), Problems> {
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
            let fields = extractor.as_ref().map_or(&[][..], Extractor::names);
            let limits = limits_of((named.id.as_str(), &named.prompt), fields, references);
            let limits = limits.or_else(|problems| Problems::check(problems).map(|()| Vec::new()))?;
            let lists_rows = named.prompt.rows.is_some();
            readers.push(PromptReader { id: named.id.clone(), extractor, columns, limits, lists_rows });
        }
        Ok((readers, names))
    }
}

/// Reader of the answers to one prompt.
#[derive(Debug)]
pub struct PromptReader {
    /// `prompt_id` of the prompt.
    pub id: String,
    /// Extractor of the fields.
    pub extractor: Option<Extractor>,
    /// Index of each of its fields among the fields of all prompts.
    pub columns: Vec<usize>,
    /// Limits of its fields.
    pub limits: Vec<FieldLimit>,
    /// If true, an answer is a list with an element for each row of its request.
    pub lists_rows: bool,
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
        PromptPlan { choice, prompts, ..PromptPlan::default() }
    }

    fn mapped(by_name: bool, default: Option<usize>) -> PromptPlan {
        let by_value = [("a", 0), ("b", 1), ("c", 2)].map(|(value, number)| (value.to_owned(), number));
        let columns = vec!["which".to_owned(), "category".to_owned()];
        plan(Choice::Mapped { columns, by_value: by_value.into(), default, by_name, unusable: BTreeMap::new() })
    }

    #[test]
    fn values_are_matched_ignoring_case_and_surrounding_spaces() {
        let plan = mapped(false, None);
        assert_eq!(plan.choose("which", " B\n"), Ok([1].as_slice()));
        let unknown = plan.choose("which", "hat").unwrap_err().to_string();
        assert_eq!(unknown, "no prompt is mapped to `hat` in `which`, and there is no `default`");
        assert_eq!(plan.choose("which", "  ").unwrap_err().to_string(), "`which` is empty, and there is no `default`");
        assert_eq!(mapped(false, Some(2)).choose("which", "hat"), Ok([2].as_slice()));
    }

    #[test]
    fn the_first_existing_column_selects_the_prompts() {
        let columns = ["category", "which"].map(str::to_owned);
        assert_eq!(mapped(false, None).choosing_column(&columns), Some("which"));
        assert_eq!(mapped(false, None).choosing_column(&columns[..1]), Some("category"));
        assert_eq!(mapped(false, None).choosing_column(&[]), None);
    }

    #[test]
    fn prompts_that_no_row_names_are_removed() {
        let plan = mapped(true, None).restricted_to(&BTreeSet::from([0, 2]));
        assert_eq!(plan.prompts.iter().map(|named| named.id.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(plan.choose("which", "c"), Ok([1].as_slice()));
        let error = plan.choose("which", "b").unwrap_err().to_string();
        assert_eq!(error, "`which` names `b`, and there is no such prompt");
        let all = mapped(false, None).restricted_to(&BTreeSet::new());
        assert_eq!(all.prompts.len(), 3, "a mapping determines its prompts itself");
    }

    #[test]
    fn rows_that_name_a_prompt_with_a_missing_column_have_no_prompt() {
        let mut plan = mapped(true, None);
        plan.prompts[1].prompt = Prompt::parse("description = \"d\"\ntemplate = \"{size}\"").unwrap();
        let plan = plan.without_columns(&["which".to_owned()]);
        assert_eq!(plan.choose("which", "a"), Ok([0].as_slice()));
        let error = plan.choose("which", "B").unwrap_err().to_string();
        assert_eq!(error, "`which` names `B`, which shows the column `size`, which the input does not have");
    }

    #[test]
    fn fields_of_several_prompts_share_one_set_of_columns() {
        let (readers, names) = mapped(false, None).readers().unwrap();
        assert_eq!(names, ["x", "y", "z"]);
        let columns: Vec<_> = readers.iter().map(|reader| reader.columns.clone()).collect();
        assert_eq!(columns, [vec![0, 1], vec![2, 0], vec![]]);
    }

    #[test]
    fn a_response_model_gives_its_columns_to_the_readers() {
        let model = "[response_schema]\nrequired = [\"size\"]\n[response_schema.properties]\n\
            size = { type = \"integer\" }\ncolor = { enum = [\"red\"] }";
        let model = Prompt::parse(&format!("description = \"d\"\ntemplate = \"t\"\n{model}")).unwrap();
        let frozen: Prompt = serde_json::from_value(serde_json::to_value(&model).unwrap()).unwrap();
        let (readers, names) = PromptPlan::single("a", frozen).readers().unwrap();
        assert_eq!(names, ["size", "color"]);
        let extractor = readers[0].extractor.as_ref().unwrap();
        let found = extractor.extract_with_changes(r#"{"color": "RED", "size": 2.0}"#, None).unwrap();
        assert_eq!(serde_json::to_string(&found.values).unwrap(), r#"[2,"red"]"#);
        let changed: Vec<&str> = found.changed.iter().map(|at| extractor.changeable()[*at].as_str()).collect();
        assert_eq!(changed, ["color"]);
    }

    #[test]
    fn a_format_removes_fields_or_requires_json() {
        let plan = || plan(Choice::Single);
        let names = |format| plan().in_format(format).readers().unwrap().1;
        assert_eq!(names(Some(ResponseFormat::Text)), Vec::<String>::new());
        for format in [Some(ResponseFormat::Json), Some(ResponseFormat::Structured), None] {
            assert_eq!(names(format), ["x", "y", "z"]);
        }
        let json = plan().in_format(Some(ResponseFormat::Json));
        let json: PromptPlan = serde_json::from_value(serde_json::to_value(&json).unwrap()).unwrap();
        let (readers, _) = json.readers().unwrap();
        let extractor = readers[2].extractor.as_ref().unwrap();
        let answers = [("{}", true), ("So: [1, 2]", true), ("7", true), ("seven", false), ("{\"a\": ", false)];
        for (answer, is_json) in answers {
            assert_eq!(extractor.extract(answer, None).is_ok(), is_json, "{answer}");
        }
        assert!(plan().readers().unwrap().0[2].extractor.is_none());
    }

    #[test]
    fn plans_survive_serialization() {
        for plan in [mapped(true, Some(1)), PromptPlan::default(), PromptPlan::single("a", prompt(""))] {
            let written = serde_json::to_value(&plan).unwrap();
            assert_eq!(serde_json::from_value::<PromptPlan>(written).unwrap(), plan);
        }
    }
}
