//! The core of postprocess: answers and rows in, answered rows out.

use super::answers::{Answers, Asked, Reading};
use super::files::{OutputFile, create_files};
use super::output::AnswerColumns;
use super::shared::write_shared;
use crate::error::EngineError;
use crate::objects::ObjectSink;
use crate::rows::parquet_read::ParquetRows;
use arrow_array::cast::AsArray;
use arrow_array::{RecordBatch, StringArray};
use bedrock_batch_domain::columns::{Column, INTERNAL, NOT_SENT, PROMPT, RECORD_ID};
use bedrock_batch_domain::extract::{ColumnType, FieldKinds};
use bedrock_batch_domain::input::OutputFormat;
use bedrock_batch_domain::model::Family;
use bedrock_batch_domain::summary::JobCounts;
use parquet::file::reader::ChunkReader;
use std::io::Read;
use std::sync::Arc;

/// What to join, and how to write it.
#[derive(Debug)]
pub struct JoinJob<'a> {
    /// The format of answers.
    pub family: Family,
    /// What answers are read with.
    pub reading: Reading<'a>,
    /// The input's columns, and where each comes from.
    pub columns: &'a [Column],
    /// Whether rows are told apart by a suffix of their ids that does not come out.
    pub strip_suffix: bool,
    /// The types of the fields' columns; those of the chunk's own values where it is not said.
    pub types: Option<&'a [ColumnType]>,
    /// Formats and keys of the files to write.
    pub outputs: &'a [(OutputFormat, String)],
    /// The ids of rows whose answers rows of other chunks wait for, and the key of the file for these.
    pub shared: Option<(&'a [String], &'a str)>,
}

/// A job that had rows of the chunk, and what came of it.
pub struct Turn<'a> {
    /// The job.
    pub asked: Asked,
    /// Its output files.
    pub answers: Box<dyn Iterator<Item = Box<dyn Read>> + 'a>,
}

/// What a join came to.
#[derive(Debug)]
pub struct Joined {
    /// The counts.
    pub counts: JobCounts,
    /// For each line of the chunk's file of records, whether its row is unanswered and may be asked again.
    pub unanswered: Vec<bool>,
}

/// Joins the answers of all jobs that had rows of a chunk (in the order in which they were asked) to its rows, those of
/// the file `rows` (named `rows_name` in messages), and writes the outputs.
///
/// # Errors
/// As reading and writing fail. Answers that make no sense are no error: their rows say so.
pub fn join<'a, R, S>(
    job: &JoinJob<'_>,
    rows: &R,
    rows_name: &str,
    turns: impl Iterator<Item = Turn<'a>>,
    sink: &S,
) -> Result<Joined, EngineError>
where
    R: ChunkReader + Clone + 'static,
    S: ObjectSink,
{
    let mut counts = JobCounts::default();
    let mut answers = answers_for(rows, rows_name, job.reading)?;
    for turn in turns {
        answers.ask(turn.asked);
        for input in turn.answers {
            answers.read(job.family, input, &mut counts)?;
        }
    }
    if let Some((wanted, key)) = job.shared {
        write_shared(&answers, wanted, sink, key)?;
    }
    write(job, rows, rows_name, &answers, false, &mut counts, sink)?;
    let sent = (0..answers.rows.len()).filter(|row| answers.was_sent(*row));
    let unanswered = sent.map(|row| answers.may_be_asked(row)).collect();
    Ok(Joined { counts, unanswered })
}

/// The rows of a file, without answers yet.
pub(super) fn answers_for<'a, R>(rows: &R, rows_name: &str, reading: Reading<'a>) -> Result<Answers<'a>, EngineError>
where
    R: ChunkReader + Clone + 'static,
{
    let (mut row_ids, mut not_sent, mut prompts) = (Vec::new(), Vec::new(), Vec::new());
    let wanted: &[&str] = if reading.prompts.named { &[RECORD_ID, NOT_SENT, PROMPT] } else { &[RECORD_ID, NOT_SENT] };
    let (_, ids) = ParquetRows::open(rows.clone(), rows_name, Some(wanted))?;
    for batch in ids {
        let batch = batch?;
        let column = |name| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        match (column(RECORD_ID), column(NOT_SENT)) {
            (Some(ids), Some(why)) => {
                row_ids.push(ids.clone());
                not_sent.push(why.clone());
                prompts.extend(column(PROMPT).cloned());
            }
            _ => {
                return Err(EngineError::corrupt(format!(
                    "{rows_name} lacks the columns `{RECORD_ID}` and `{NOT_SENT}` of a rows file"
                )));
            }
        }
    }
    Ok(Answers::new(&row_ids, &not_sent, &prompts, reading))
}

/// Writes the rows with their answers, and counts them.
pub(super) fn write<R, S>(
    job: &JoinJob<'_>,
    rows: &R,
    rows_name: &str,
    answers: &Answers<'_>,
    duplicates: bool,
    counts: &mut JobCounts,
    sink: &S,
) -> Result<(), EngineError>
where
    R: ChunkReader + Clone + 'static,
    S: ObjectSink,
{
    counts.kinds = answers.kinds();
    let own = || counts.kinds.iter().map(FieldKinds::column_type).collect();
    // A prompt's fields do not change within a run, so there are as many types as fields.
    let types: Vec<ColumnType> =
        job.types.filter(|types| types.len() == counts.kinds.len()).map_or_else(own, <[ColumnType]>::to_vec);
    let mut rows_done = 0;
    let mut outputs: Vec<OutputFile<S::Writer>> = Vec::new();
    let (_, batches) = ParquetRows::open(rows.clone(), rows_name, None)?;
    for batch in batches {
        let batch = without_internal(&batch?)?;
        let mut columns = AnswerColumns::new(job.family, answers, &types, duplicates, batch.num_rows());
        for row in rows_done..rows_done + batch.num_rows() {
            columns.push(answers, row, counts);
        }
        rows_done += batch.num_rows();
        let batch = if job.strip_suffix { without_suffixes(&batch)? } else { batch };
        let answered = columns.join(&batch, job.columns)?;
        if outputs.is_empty() {
            outputs = create_files(job.outputs, &answered.schema(), sink)?;
        }
        for output in &mut outputs {
            output.write(&answered)?;
        }
    }
    counts.types = types;
    outputs.into_iter().try_for_each(OutputFile::close)
}

/// The rows under the ids that they have in the input: without the number of the prompt at their end.
fn without_suffixes(batch: &RecordBatch) -> Result<RecordBatch, EngineError> {
    let schema = batch.schema();
    let Some((at, ids)) =
        schema.index_of(RECORD_ID).ok().and_then(|at| Some((at, batch.column(at).as_string_opt::<i32>()?)))
    else {
        return Ok(batch.clone());
    };
    let stripped: StringArray =
        ids.iter().map(|id| id.map(|id| id.rsplit_once('-').map_or(id, |(id, _)| id))).collect();
    let mut columns = batch.columns().to_vec();
    columns[at] = Arc::new(stripped);
    RecordBatch::try_new(schema, columns)
        .map_err(|error| EngineError::internal("cannot make rows without internal columns").caused_by(error))
}

fn without_internal(batch: &RecordBatch) -> Result<RecordBatch, EngineError> {
    let kept: Vec<usize> = batch
        .schema()
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, f)| !INTERNAL.contains(&f.name().as_str()))
        .map(|(i, _)| i)
        .collect();
    batch
        .project(&kept)
        .map_err(|error| EngineError::internal("cannot make rows without internal columns").caused_by(error))
}
