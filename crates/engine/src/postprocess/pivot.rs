//! The pivot, which combines several answers to one row to one wide row with columns for each prompt.
//!
//! The files of a chunk contain a row per answer; those of one input row are adjacent. A chunk may end between them: then the
//! row belongs to the chunk in which it begins, and its other answers are read from the next ones.

use super::files::{OutputFile, create_files};
use super::prompts_read::PromptsRead;
use super::status_columns::StatusColumns;
use crate::error::EngineError;
use crate::objects::ObjectSink;
use crate::rows::cell_text::as_text;
use crate::rows::csv_write::CsvStyle;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{Field, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::take::take;
use bedrock_batch_domain::check::{wide_name, wide_status};
use bedrock_batch_domain::columns::{
    Column, ERROR, PARSE_STATUS, PROMPT_ID, RECORD_ID, STATUS, VALIDATION_PASSED, names_beside, prefixed,
};
use bedrock_batch_domain::input::OutputFormat;
use bedrock_batch_domain::prompt::PromptPlan;
use bedrock_batch_domain::record_id::RecordId;
use bedrock_batch_domain::row_error::{ParseStatus, RowError, RowErrorCode};
use std::sync::Arc;

/// Task to write wide rows.
#[derive(Debug)]
pub struct PivotTask<'a> {
    /// Prompts.
    pub prompts: &'a PromptsRead,
    /// Selection of the prompts for each row, which determines the expected answers.
    pub plan: &'a PromptPlan,
    /// Columns before those of the answers, `record_id` first.
    pub existing: Vec<Column>,
    /// Prefix of the columns that answers add. Only with one do they have a status.
    pub prefix: Option<&'a str>,
    /// Options of CSV files.
    pub csv: CsvStyle,
    /// Formats and keys of the files to write.
    pub outputs: &'a [(OutputFormat, String)],
}

/// Result of a pivot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pivoted {
    /// Number of wide rows.
    pub rows: u64,
    /// Number of cells that were guarded.
    pub guarded_cells: u64,
}

/// Writes the wide rows that begin among `own`; `after` are the rows of the chunks that follow.
///
/// # Errors
/// Returns an error if the rows cannot be read, or the outputs not written.
pub fn pivot<S: ObjectSink>(
    task: &PivotTask<'_>,
    own: impl Iterator<Item = Result<RecordBatch, EngineError>>,
    mut after: impl Iterator<Item = Result<RecordBatch, EngineError>>,
    sink: &S,
) -> Result<Pivoted, EngineError> {
    let mut files: Vec<OutputFile<S::Writer>> = Vec::new();
    let (mut carried, mut begun, mut rows) = (None, false, 0);
    let mut write = |batch: &RecordBatch, ends: &[usize]| {
        let wide = task.wide(batch, ends)?;
        if files.is_empty() {
            files = create_files(task.outputs, task.csv, &wide.schema(), sink)?;
        }
        rows += wide.num_rows() as u64;
        files.iter_mut().try_for_each(|file| file.write(&wide))
    };
    for batch in own {
        let mut batch = batch?;
        if !begun {
            // Rows that begin in the previous chunk are written there.
            let first = first_of_a_row(&batch)?;
            write(&batch, &[])?;
            batch = batch.slice(first, batch.num_rows() - first);
            begun = batch.num_rows() > 0;
        }
        let batch = joined(carried.take(), batch)?;
        let mut ends = ends_of_rows(&batch)?;
        // The last one may continue.
        ends.pop();
        let complete = ends.last().copied().unwrap_or(0);
        write(&batch, &ends)?;
        carried = Some(batch.slice(complete, batch.num_rows() - complete));
    }
    if let Some(last) = carried.filter(|last| last.num_rows() > 0) {
        let mut last = last;
        for batch in &mut after {
            let batch = batch?;
            let first = first_of_a_row(&batch)?;
            last = joined(Some(last), batch.slice(0, first))?;
            if first < batch.num_rows() {
                break;
            }
        }
        let end = last.num_rows();
        write(&last, &[end])?;
    }
    let guarded_cells = files.iter().map(OutputFile::guarded_cells).sum();
    files.into_iter().try_for_each(OutputFile::close)?;
    Ok(Pivoted { rows, guarded_cells })
}

fn joined(before: Option<RecordBatch>, batch: RecordBatch) -> Result<RecordBatch, EngineError> {
    let Some(before) = before.filter(|before| before.num_rows() > 0) else { return Ok(batch) };
    concat_batches(&batch.schema(), [&before, &batch]).map_err(unfitting)
}

fn unfitting(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> EngineError {
    EngineError::internal("cannot pivot the rows").caused_by(error)
}

fn texts<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b StringArray, EngineError> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| unfitting(format!("there is no column `{name}`")))
}

/// Returns the index of the first row that begins an input row.
fn first_of_a_row(batch: &RecordBatch) -> Result<usize, EngineError> {
    let ids = texts(batch, RECORD_ID)?;
    Ok((0..ids.len()).find(|row| RecordId::parse(ids.value(*row)).is_first_of_row()).unwrap_or(ids.len()))
}

/// Returns the ends of the rows of each input row.
fn ends_of_rows(batch: &RecordBatch) -> Result<Vec<usize>, EngineError> {
    let ids = texts(batch, RECORD_ID)?;
    let id = |row: usize| RecordId::parse(ids.value(row)).row;
    let all = ids.len();
    Ok((1..=all).filter(|row| *row == all || id(*row) != id(row - 1)).collect())
}

impl PivotTask<'_> {
    /// Returns one row for the rows up to each of `ends`.
    fn wide(&self, batch: &RecordBatch, ends: &[usize]) -> Result<RecordBatch, EngineError> {
        let first: UInt32Array =
            std::iter::once(0).chain(ends.iter().copied()).take(ends.len()).map(|row| Some(place(row))).collect();
        let answers_from = self.existing.len();
        let schema = batch.schema();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for column in batch.columns().iter().take(answers_from) {
            columns.push(take(column, &first, None).map_err(unfitting)?);
        }
        let ids: StringArray = columns
            .first()
            .map(|ids| ids.as_string::<i32>().iter().map(|id| id.map(|id| RecordId::parse(id).row)).collect())
            .ok_or_else(|| unfitting("no columns"))?;
        columns[0] = Arc::new(ids);
        let prompts = texts(batch, PROMPT_ID)?;
        let mut fields: Vec<(String, ArrayRef)> = Vec::new();
        for id in self.prompts.ids() {
            let rows = rows_of_prompt(prompts, ends, id);
            for (field, column) in schema.fields().iter().zip(batch.columns()).skip(answers_from) {
                if field.name() != PROMPT_ID && self.prompts.has_column(id, field.name()) {
                    let column = take(column, &rows, None).map_err(unfitting)?;
                    fields.push((wide_name(id, field.name()), column));
                }
            }
        }
        fields.extend(self.of_rows(batch, prompts, ends)?);
        for (name, _) in &mut fields {
            *name = prefixed(self.prefix, name);
        }
        let added: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let names = names_beside(&self.existing, &added);
        let kept = schema.fields().iter().zip(names).map(|(field, name)| field.as_ref().clone().with_name(name));
        let mut all: Vec<Field> = kept.collect();
        for (name, column) in fields {
            all.push(Field::new(name, column.data_type().clone(), true));
            columns.push(column);
        }
        RecordBatch::try_new(Arc::new(Schema::new(all)), columns).map_err(unfitting)
    }
}

fn place(row: usize) -> u32 {
    #[expect(clippy::expect_used, reason = "batches are cut at a few thousand rows")]
    u32::try_from(row).expect("a batch has fewer than u32::MAX rows")
}

/// Returns, for each input row, the index of its answer to a prompt.
fn rows_of_prompt(prompts: &StringArray, ends: &[usize], id: &str) -> UInt32Array {
    let mut begin = 0;
    let rows = ends.iter().map(|end| {
        let found = (begin..*end).find(|row| prompts.is_valid(*row) && prompts.value(*row) == id);
        begin = *end;
        found.map(place)
    });
    rows.collect()
}

impl PivotTask<'_> {
    /// Returns the columns that concern all answers to a row together.
    fn of_rows(
        &self,
        batch: &RecordBatch,
        prompts: &StringArray,
        ends: &[usize],
    ) -> Result<Vec<(String, ArrayRef)>, EngineError> {
        let errors = self.errors(batch, prompts, ends)?;
        let mut status = StatusColumns::default();
        if self.prefix.is_some() {
            let parsed = self.answer_texts(batch, PARSE_STATUS)?;
            let (success, error) = (ParseStatus::Success.name(), ParseStatus::Error.name());
            let mut begin = 0;
            for (row, end) in ends.iter().enumerate() {
                let is_answered = errors.is_null(row);
                let failed = (begin..*end).map(|answer| parsed.value(answer)).find(|status| *status != success);
                begin = *end;
                // Without a status of its own, an answer is missing because a limit separated the prompts of the row.
                status.push_named(is_answered, if is_answered { success } else { failed.unwrap_or(error) });
            }
        }
        let columns = wide_status(self.prefix.is_some()).iter().map(|name| {
            let column: ArrayRef = match *name {
                STATUS => status.status(),
                VALIDATION_PASSED => status.validation_passed(),
                PARSE_STATUS => status.parse_status(),
                _ => Arc::new(errors.clone()),
            };
            ((*name).to_owned(), column)
        });
        Ok(columns.collect())
    }

    /// Returns a column of texts that the answers have.
    fn answer_texts<'b>(&self, batch: &'b RecordBatch, name: &str) -> Result<&'b StringArray, EngineError> {
        let (schema, answers_from) = (batch.schema(), self.existing.len());
        let at = schema.fields().iter().skip(answers_from).position(|field| field.name() == name);
        let column = at.and_then(|at| batch.column(answers_from + at).as_string_opt::<i32>());
        column.ok_or_else(|| unfitting(format!("there is no column `{name}`")))
    }

    /// Returns the reasons of missing answers of each input row; null if none is missing.
    fn errors(&self, batch: &RecordBatch, prompts: &StringArray, ends: &[usize]) -> Result<StringArray, EngineError> {
        let column = self.answer_texts(batch, ERROR)?;
        let chosen_by = self.choosing_values(batch)?;
        let mut begin = 0;
        let errors = ends.iter().map(|end| {
            let rows = begin..*end;
            begin = *end;
            let failed = rows.clone().filter(|row| column.is_valid(*row)).map(|row| {
                let error = column.value(row);
                if prompts.is_valid(row) { format!("{}: {error}", prompts.value(row)) } else { error.to_owned() }
            });
            let mut reasons: Vec<String> = failed.collect();
            for id in self.wanted(chosen_by.as_ref(), rows.start) {
                if !rows.clone().any(|row| prompts.is_null(row) || prompts.value(row) == id) {
                    // A limit of the run separated the prompts of the row.
                    reasons.push(format!("{id}: {}", RowError::from(RowErrorCode::OverMaxNumJobs)));
                }
            }
            (!reasons.is_empty()).then(|| reasons.join("; "))
        });
        Ok(errors.collect())
    }

    /// Returns the cells that select the prompts of rows, with the name of their column.
    fn choosing_values(&self, batch: &RecordBatch) -> Result<Option<(String, StringArray)>, EngineError> {
        let names: Vec<String> = self.existing.iter().map(|column| column.name.clone()).collect();
        let Some(name) = self.plan.choosing_column(&names) else { return Ok(None) };
        let at = names.iter().position(|column| column == name);
        let values = at.map(|at| as_text(batch.column(at))).transpose()?;
        Ok(values.map(|values| (name.to_owned(), values)))
    }

    /// Returns the names of the prompts of a row.
    fn wanted(&self, chosen_by: Option<&(String, StringArray)>, row: usize) -> impl Iterator<Item = &str> {
        let chosen = chosen_by.filter(|(_, values)| row < values.len()).and_then(|(name, values)| {
            let value = if values.is_null(row) { "" } else { values.value(row) };
            self.plan.choose(name, value).ok()
        });
        let named = chosen.unwrap_or_default().iter().filter_map(|number| self.plan.prompts.get(*number));
        named.map(|named| named.id.as_str())
    }
}

#[cfg(test)]
mod tests;
