//! The pivot, which combines several answers to one row to one wide row with columns for each prompt.
//!
//! The files of a chunk contain a row per answer; those of one input row are adjacent. A chunk may end between them: then the
//! row belongs to the chunk in which it begins, and its other answers are read from the next ones.

use super::files::{OutputFile, create_files};
use super::prompts_read::PromptsRead;
use crate::error::EngineError;
use crate::objects::ObjectSink;
use crate::rows::cell_text::as_text;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{Field, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::take::take;
use bedrock_batch_domain::check::wide_name;
use bedrock_batch_domain::columns::{Column, ERROR, PROMPT_ID, RECORD_ID, names_beside};
use bedrock_batch_domain::input::OutputFormat;
use bedrock_batch_domain::prompt::PromptPlan;
use bedrock_batch_domain::record_id::RecordId;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};
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
    /// Formats and keys of the files to write.
    pub outputs: &'a [(OutputFormat, String)],
}

/// Writes the wide rows that begin among `own`, and returns their number; `after` are the rows of the chunks that follow.
///
/// # Errors
/// Returns an error if the rows cannot be read, or the outputs not written.
pub fn pivot<S: ObjectSink>(
    task: &PivotTask<'_>,
    own: impl Iterator<Item = Result<RecordBatch, EngineError>>,
    mut after: impl Iterator<Item = Result<RecordBatch, EngineError>>,
    sink: &S,
) -> Result<u64, EngineError> {
    let mut files: Vec<OutputFile<S::Writer>> = Vec::new();
    let (mut carried, mut begun, mut rows) = (None, false, 0);
    let mut write = |batch: &RecordBatch, ends: &[usize]| {
        let wide = task.wide(batch, ends)?;
        if files.is_empty() {
            files = create_files(task.outputs, &wide.schema(), sink)?;
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
    files.into_iter().try_for_each(OutputFile::close)?;
    Ok(rows)
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
        fields.push((ERROR.to_owned(), Arc::new(self.errors(batch, prompts, ends)?)));
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
    /// Returns the reasons of missing answers of each input row; null if none is missing.
    fn errors(&self, batch: &RecordBatch, prompts: &StringArray, ends: &[usize]) -> Result<StringArray, EngineError> {
        let (schema, answers_from) = (batch.schema(), self.existing.len());
        let at = schema.fields().iter().skip(answers_from).position(|field| field.name() == ERROR);
        let column = at.and_then(|at| batch.column(answers_from + at).as_string_opt::<i32>());
        let column = column.ok_or_else(|| unfitting("there is no column `error`"))?;
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
mod tests {
    use super::*;
    use crate::objects::MemorySink;
    use crate::rows::parquet_read::ParquetRows;
    use bedrock_batch_domain::input::Inference;
    use bedrock_batch_domain::prompt::{Choice, ExpandedLayout, NamedPrompt, Prompt, PromptPlan};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn plan() -> PromptPlan {
        let named = |id: &str, schema: &str| NamedPrompt {
            id: id.into(),
            prompt: Prompt::parse(&format!("description = \"d\"\ntemplate = \"t\"\n{schema}")).unwrap(),
        };
        let schema = "[output_schema]\ntype = \"json\"\nfields = { color = \"$.c\" }";
        let choice = Choice::Expanded {
            column: "kind".into(),
            by_value: BTreeMap::from([("both".to_owned(), vec![0, 1])]),
            default: None,
            layout: ExpandedLayout::Wide,
        };
        let prompts = vec![named("a", schema), named("b", "")];
        PromptPlan { choice, prompts, references: Vec::new() }
    }

    /// Returns the answers of input rows, each of which was sent with these prompts.
    fn answers(sent: &[Vec<usize>]) -> Vec<[Option<String>; 6]> {
        let mut rows = Vec::new();
        for (row, prompts) in sent.iter().enumerate() {
            let cell = |text: String| Some(text);
            if prompts.is_empty() {
                let error = cell("no prompt".into());
                rows.push([cell(format!("r-{row}-000")), cell(format!("x{row}")), None, None, error, None]);
            }
            for (number, prompt) in prompts.iter().enumerate() {
                let id = ["a", "b"][*prompt];
                let failed = *prompt == 1 && row % 3 == 0;
                rows.push([
                    cell(format!("r-{row}-{:03}", number + 1)),
                    cell(format!("x{row}")),
                    (!failed).then(|| format!("{id} of {row}")),
                    (*prompt == 0).then(|| format!("c{row}")),
                    failed.then(|| "lost".to_owned()),
                    cell(id.to_owned()),
                ]);
            }
        }
        rows
    }

    fn batch(rows: &[[Option<String>; 6]]) -> RecordBatch {
        let names = ["record_id", "input_error", "response", "color", "error", "prompt_id"];
        let column =
            |at: usize| -> ArrayRef { Arc::new(rows.iter().map(|row| row[at].as_deref()).collect::<StringArray>()) };
        RecordBatch::try_from_iter_with_nullable(names.iter().enumerate().map(|(at, name)| (*name, column(at), true)))
            .unwrap()
    }

    proptest! {
        #[test]
        fn each_row_becomes_wide_once_wherever_files_and_batches_end(
            sent in prop::collection::vec(prop_oneof![Just(vec![]), Just(vec![0]), Just(vec![0, 1]), Just(vec![1, 0])], 1..12),
            cuts in prop::collection::vec(1usize..5, 40), batch_rows in 1usize..4,
        ) {
            let plan = plan();
            let prompts = PromptsRead::new(&plan, &Inference::default()).unwrap();
            let rows = answers(&sent);
            let mut chunks: Vec<Vec<RecordBatch>> = Vec::new();
            let mut left = rows.as_slice();
            for cut in cuts {
                let (chunk, rest) = left.split_at(cut.min(left.len()));
                if !chunk.is_empty() {
                    chunks.push(chunk.chunks(batch_rows).map(batch).collect());
                }
                left = rest;
            }
            prop_assume!(left.is_empty());
            let written = MemorySink::default();
            let mut found: Vec<(String, Vec<Option<String>>)> = Vec::new();
            for chunk in 0..chunks.len() {
                let existing = vec![Column::of_input(RECORD_ID), Column::of_input("error")];
                let outputs = [(OutputFormat::Parquet, "out".to_owned())];
                let task = PivotTask { prompts: &prompts, plan: &plan, existing, outputs: &outputs };
                let after = chunks[chunk + 1..].iter().flatten().cloned().map(Ok);
                pivot(&task, chunks[chunk].iter().cloned().map(Ok), after, &written).unwrap();
                let bytes = written.get("out").unwrap();
                for wide in ParquetRows::open(bytes, "out", None).unwrap().1 {
                    let wide = wide.unwrap();
                    let names: Vec<String> = wide.schema().fields().iter().map(|field| field.name().clone()).collect();
                    prop_assert_eq!(names, ["record_id", "input_error", "a_response", "a_color", "a_error", "b_response", "b_error", "error"]);
                    for row in 0..wide.num_rows() {
                        let cells = wide.columns().iter().map(|column| {
                            let column = column.as_string::<i32>();
                            column.is_valid(row).then(|| column.value(row).to_owned())
                        });
                        let mut cells: Vec<Option<String>> = cells.collect();
                        found.push((cells.remove(0).unwrap(), cells));
                    }
                }
            }
            let expected = sent.iter().enumerate().map(|(row, prompts)| {
                let has = |prompt: usize| prompts.contains(&prompt);
                let lost = has(1) && row % 3 == 0;
                let error = if prompts.is_empty() { Some("no prompt".to_owned()) } else { lost.then(|| "b: lost".to_owned()) };
                (format!("r-{row}"), vec![
                    Some(format!("x{row}")),
                    has(0).then(|| format!("a of {row}")),
                    has(0).then(|| format!("c{row}")),
                    None,
                    (has(1) && !lost).then(|| format!("b of {row}")),
                    lost.then(|| "lost".to_owned()),
                    error,
                ])
            });
            prop_assert_eq!(found, expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_prompt_cut_off_by_a_limit_is_reported() {
        let plan = plan();
        let prompts = PromptsRead::new(&plan, &Inference::default()).unwrap();
        let text = |cells: Vec<Option<&str>>| Arc::new(StringArray::from(cells)) as ArrayRef;
        let rows = RecordBatch::try_from_iter_with_nullable([
            ("record_id", text(vec![Some("r0-001"), Some("r0-002"), Some("r1-001")]), true),
            ("kind", text(vec![Some("Both"); 3]), true),
            ("response", text(vec![Some("x"), Some("y"), Some("z")]), true),
            ("color", text(vec![None; 3]), true),
            ("error", text(vec![None; 3]), true),
            ("prompt_id", text(vec![Some("a"), Some("b"), Some("a")]), true),
        ]);
        let existing = ["record_id", "kind"].map(Column::of_input).to_vec();
        let task = PivotTask { prompts: &prompts, plan: &plan, existing, outputs: &[] };
        let wide = task.wide(&rows.unwrap(), &[2, 3]).unwrap();
        let errors = wide.column_by_name("error").unwrap().as_string::<i32>();
        assert_eq!(errors, &StringArray::from(vec![None, Some("b: not asked: over max_num_jobs")]));
    }
}
