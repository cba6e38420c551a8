//! A run's view of the rows of its input: with renamed columns, rows that failed in the previous run marked, and unique ids.
//! A view is not a copy: nothing is written.

use crate::error::EngineError;
use crate::rows::cell_text::as_text;
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::{Field, Schema, SchemaRef};
use bedrock_batch_domain::columns::{Column, ERROR, PROMPT_ID, RECORD_ID, mapped, prefixed};
use bedrock_batch_domain::problem::{Problem, listed};
use bedrock_batch_domain::prompt::PromptPlan;
use bedrock_batch_domain::record_id::RecordId;
use bedrock_batch_domain::row_error::RowError;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Reasons why rows are not sent, by row.
pub(super) type NotSent = Vec<Option<RowError>>;

/// View of rows.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    /// Renamed columns, with the index of each in the input; `None` if no column is renamed.
    renamed: Option<Vec<(Column, usize)>>,
    /// Columns of the view.
    pub(super) columns: Vec<Column>,
    /// Previous run, if rows are its answers.
    previous: Option<Previous>,
}

/// Facts about the previous run that affect its rows.
#[derive(Debug, Clone)]
struct Previous {
    stage_name: String,
    include_failed: bool,
    /// Names of its columns with the error and the prompt of a row.
    error: String,
    prompt_id: String,
    /// Numbers of its prompts, from 1, by name; only if its rows share their ids.
    prompt_numbers: Option<HashMap<String, u64>>,
}

impl View {
    /// Creates a view of `columns`, renamed by `mappings`.
    pub(super) fn new(columns: Vec<Column>, mappings: &BTreeMap<String, String>) -> Result<Self, Problem> {
        if mappings.is_empty() {
            return Ok(Self { renamed: None, columns, previous: None });
        }
        let renamed = mapped(&columns, mappings).map_err(|missing| {
            let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            let rule = format!("the input has no column {}", listed(&missing));
            let remedy = format!("write {{new: old}}; the columns are {}", listed(&names));
            Problem::without_value("column_mappings", rule).remedy(remedy)
        })?;
        let columns = renamed.iter().map(|(column, _)| column.clone()).collect();
        Ok(Self { renamed: Some(renamed), columns, previous: None })
    }

    /// Applies the view to the answers of an earlier run, which used `prompts`, and whose columns have this prefix.
    pub(super) fn after(
        self,
        stage_name: &str,
        include_failed: bool,
        prompts: &PromptPlan,
        prefix: Option<&str>,
    ) -> Self {
        let numbers = || prompts.prompts.iter().zip(1..).map(|(named, number)| (named.id.clone(), number)).collect();
        let shared_ids = prompts.expands() && !prompts.is_wide();
        let prompt_numbers = shared_ids.then(numbers);
        let previous = Previous {
            stage_name: stage_name.to_owned(),
            include_failed,
            error: prefixed(prefix, ERROR),
            prompt_id: prefixed(prefix, PROMPT_ID),
            prompt_numbers,
        };
        Self { previous: Some(previous), ..self }
    }

    /// Returns the names of the columns.
    pub(super) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// Returns the renamed columns of a table.
    pub(super) fn schema(&self, schema: &SchemaRef) -> SchemaRef {
        let Some(renamed) = &self.renamed else { return Arc::clone(schema) };
        let fields = renamed.iter().map(|(column, at)| schema.field(*at).clone().with_name(&column.name));
        Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
    }

    /// Returns the view of some rows, and the reasons why rows are not sent, if there are such rows.
    pub(super) fn of(&self, batch: &RecordBatch) -> Result<(RecordBatch, Option<NotSent>), EngineError> {
        let (ids, failed) = match &self.previous {
            Some(previous) => (previous.own_ids(batch)?, previous.failed(batch)?),
            None => (None, None),
        };
        let batch = match ids {
            Some(ids) => with_ids(batch, ids)?,
            None => batch.clone(),
        };
        let Some(renamed) = &self.renamed else { return Ok((batch, failed)) };
        let columns = renamed.iter().map(|(_, at)| Arc::clone(batch.column(*at))).collect();
        let rows = RecordBatch::try_new(self.schema(&batch.schema()), columns)
            .map_err(|error| EngineError::internal("cannot rename the columns").caused_by(error))?;
        Ok((rows, failed))
    }
}

impl Previous {
    /// Returns the reasons why rows are not sent: they have no answer from the previous run.
    fn failed(&self, batch: &RecordBatch) -> Result<Option<NotSent>, EngineError> {
        let Some(errors) = batch.column_by_name(&self.error).filter(|_| !self.include_failed) else { return Ok(None) };
        if errors.null_count() == errors.len() {
            return Ok(None);
        }
        let stage = &self.stage_name;
        let errors = as_text(errors)?;
        let failed = errors.iter().map(|error| {
            // In a CSV, the absence of an error is an empty text.
            let error = error.filter(|error| !error.is_empty())?;
            Some(RowError::failed_in_stage(stage, error))
        });
        Ok(Some(failed.collect()))
    }

    /// Returns unique ids, `<id>-<number of the prompt>`, for rows that share theirs because they are answers to several
    /// prompts.
    fn own_ids(&self, batch: &RecordBatch) -> Result<Option<StringArray>, EngineError> {
        let Some(numbers) = &self.prompt_numbers else { return Ok(None) };
        let column = |name: &str| batch.column_by_name(name).map(as_text).transpose();
        let (Some(ids), Some(prompts)) = (column(RECORD_ID)?, column(&self.prompt_id)?) else { return Ok(None) };
        let ids = ids.iter().zip(prompts.iter()).map(|(id, prompt)| {
            let number = prompt.and_then(|prompt| numbers.get(prompt)).copied().unwrap_or(0);
            Some(RecordId::new(id?, number).to_string())
        });
        Ok(Some(ids.collect()))
    }
}

fn with_ids(batch: &RecordBatch, ids: StringArray) -> Result<RecordBatch, EngineError> {
    let schema = batch.schema();
    let Ok(at) = schema.index_of(RECORD_ID) else { return Ok(batch.clone()) };
    let mut columns = batch.columns().to_vec();
    let mut fields: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    fields[at] = Field::new(RECORD_ID, ids.data_type().clone(), true);
    columns[at] = Arc::new(ids);
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|error| EngineError::internal("record ids do not fit their rows").caused_by(error))
}
