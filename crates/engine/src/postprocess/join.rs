//! The core of postprocess, which combines rows and answers to answered rows.

use super::answers::{Answers, JobAttempt, Outcome, Reading};
use super::join_job::JoinJob;
use super::requests::{Requests, Resend};
use super::row_prefills::RowPrefills;
use super::shared::write_shared;
use super::write::write;
use crate::error::EngineError;
use crate::objects::ObjectSink;
use crate::rows::parquet_read::ParquetRows;
use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use bedrock_batch_domain::columns::{NOT_SENT, PROMPT, RECORD_ID, REQUEST, ROW_ERROR};
use bedrock_batch_domain::row_error::RowError;
use bedrock_batch_domain::summary::ChunkCounts;
use parquet::file::reader::ChunkReader;
use std::io::Read;

/// Job that had rows of the chunk, with its answers.
pub struct JobAnswers<'a> {
    /// Job.
    pub job: JobAttempt,
    /// Output files of the job.
    pub answers: Box<dyn Iterator<Item = Box<dyn Read>> + 'a>,
}

/// Result of a join.
#[derive(Debug)]
pub struct Joined {
    /// Counts of the rows.
    pub counts: ChunkCounts,
    /// For each line of the chunk's file of records, true if its record is unanswered and is sent again as it is.
    pub unanswered: Vec<bool>,
    /// Rows that are sent again by themselves, without the other rows of their request, in order.
    pub single_rows: Vec<SingleRow>,
    /// For each job, its lines and the rows that lack one.
    pub jobs: Vec<JobLines>,
}

/// Lines of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobLines {
    /// Number of lines in all its output files, whosever rows they are.
    pub lines: u64,
    /// Number of rows of the chunk that it had last and that have no line at all.
    pub missing_rows: u64,
}

/// Row that is sent again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SingleRow {
    /// Number of the row in the rows file, from 0.
    pub row: usize,
    /// Number of its prompt.
    pub prompt: u16,
}

/// Joins the answers of all jobs that had rows of a chunk (in the order in which they were sent) to its rows, those of
/// the file `rows` (named `rows_name` in messages), and writes the outputs.
///
/// # Errors
/// Returns an error if the rows cannot be read, or the outputs not written. An unusable answer is not an error:
/// its row contains the reason.
pub fn join<'a, R, S>(
    job: &JoinJob<'_>,
    rows: &R,
    rows_name: &str,
    jobs: impl Iterator<Item = JobAnswers<'a>>,
    sink: &S,
) -> Result<Joined, EngineError>
where
    R: ChunkReader + Clone + 'static,
    S: ObjectSink,
{
    let mut counts = ChunkCounts::default();
    let mut answers = answers_for(rows, rows_name, job.reading)?;
    if job.reading.prompts.has_rows_parts {
        answers.set_requests(requests_of(rows, rows_name, &answers)?);
    }
    let mut lines = Vec::new();
    for of_job in jobs {
        answers.begin_job(of_job.job);
        let mut of_this = JobLines::default();
        for input in of_job.answers {
            of_this.lines += answers.read(job.family, input, &mut counts)?;
        }
        lines.push(of_this);
    }
    for row in answers.rows.iter().filter(|row| matches!(row.outcome, Outcome::Missing)) {
        if let Some(job) = (row.sent_by as usize).checked_sub(1).and_then(|number| lines.get_mut(number)) {
            job.missing_rows += 1;
        }
    }
    if let Some((wanted, key)) = job.shared {
        write_shared(&answers, wanted, sink, key)?;
    }
    write(job, rows, rows_name, &answers, false, &mut counts, sink)?;
    let (unanswered, single_rows) = records_to_send(&answers);
    Ok(Joined { counts, unanswered, single_rows, jobs: lines })
}

/// Returns for each line of the chunk's file of records whether it is sent again, and the rows that are sent by themselves.
fn records_to_send(answers: &Answers<'_>) -> (Vec<bool>, Vec<SingleRow>) {
    let Some(requests) = answers.request_count() else {
        let sent = (0..answers.rows.len()).filter(|row| answers.was_sent(*row));
        return (sent.map(|row| answers.can_be_sent(row)).collect(), Vec::new());
    };
    let (mut unanswered, mut single_rows) = (vec![false; requests], Vec::new());
    for record in answers.records_to_send() {
        match record {
            Resend::Whole(request) => unanswered[request] = true,
            Resend::Row(row) => single_rows.push(SingleRow { row, prompt: answers.rows[row].prompt }),
        }
    }
    (unanswered, single_rows)
}

/// Reads the requests of the rows of a chunk.
fn requests_of<R>(rows: &R, rows_name: &str, answers: &Answers<'_>) -> Result<Requests, EngineError>
where
    R: ChunkReader + Clone + 'static,
{
    let mut numbers = Vec::new();
    for batch in ParquetRows::open_of_run(rows.clone(), rows_name, Some(&[REQUEST]))? {
        let batch = batch?;
        let column = batch.column_by_name(REQUEST).and_then(|column| column.as_primitive_opt::<UInt64Type>());
        let column = column.ok_or_else(|| {
            EngineError::corrupt(format!(
                "{rows_name} lacks the column `{REQUEST}` of a run with several rows per request"
            ))
        })?;
        numbers.push(column.clone());
    }
    Requests::new(&numbers, |row| answers.was_sent(row))
        .map_err(|error| EngineError::corrupt(format!("{rows_name}: {error}")))
}

/// Returns the rows of a file, without answers yet.
pub(super) fn answers_for<'a, R>(rows: &R, rows_name: &str, reading: Reading<'a>) -> Result<Answers<'a>, EngineError>
where
    R: ChunkReader + Clone + 'static,
{
    let (mut row_ids, mut not_sent, mut prompts) = (Vec::new(), Vec::new(), Vec::new());
    let mut wanted = vec![RECORD_ID, NOT_SENT, ROW_ERROR];
    wanted.extend(reading.prompts.named.then_some(PROMPT));
    wanted.extend(reading.prompts.prefill_columns());
    let mut prefills = RowPrefills::default();
    let ids = ParquetRows::open_of_run(rows.clone(), rows_name, Some(&wanted))?;
    for batch in ids {
        let batch = batch?;
        let column = |name| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        match (column(RECORD_ID), column(NOT_SENT)) {
            (Some(ids), Some(words)) => {
                row_ids.push(ids.clone());
                not_sent.extend(row_errors(words, column(ROW_ERROR), rows_name)?);
                prompts.extend(column(PROMPT).cloned());
                prefills.add(&batch, reading.prompts)?;
            }
            _ => {
                return Err(EngineError::corrupt(format!(
                    "{rows_name} lacks the columns `{RECORD_ID}` and `{NOT_SENT}` of a rows file"
                )));
            }
        }
    }
    let mut answers = Answers::new(&row_ids, not_sent, &prompts, reading);
    answers.prefills = prefills;
    Ok(answers)
}

/// Returns the reasons of rows that were not sent. Rows files of earlier versions have them only in `words`.
fn row_errors(
    words: &StringArray,
    coded: Option<&StringArray>,
    rows_name: &str,
) -> Result<Vec<Option<RowError>>, EngineError> {
    let Some(coded) = coded else {
        return Ok(words.iter().map(|words| words.map(RowError::from_text)).collect());
    };
    let errors = coded.iter().map(|error| error.map(serde_json::from_str).transpose());
    errors.collect::<Result<_, _>>().map_err(|error| {
        EngineError::corrupt(format!("{rows_name} contains a corrupt reason of a row")).caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use super::super::prompts_read::PromptsRead;
    use super::*;
    use crate::rows::parquet_write::ParquetFile;
    use arrow_array::{ArrayRef, RecordBatch};
    use bytes::Bytes;
    use std::sync::Arc;

    fn rows_file(columns: &[(&str, [Option<&str>; 2])]) -> Bytes {
        let column = |cells: [Option<&str>; 2]| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef;
        let columns = columns.iter().map(|(name, cells)| (*name, column(*cells), true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let mut file = ParquetFile::create(Vec::new(), batch.schema()).unwrap();
        file.write(&batch).unwrap();
        file.finish().unwrap().into()
    }

    fn reasons(rows: &Bytes) -> Result<Vec<Option<RowError>>, EngineError> {
        let prompts = PromptsRead::default();
        let answers = answers_for(rows, "rows", Reading { retry_on: &[], prompts: &prompts })?;
        let reason = |outcome: Outcome| match outcome {
            Outcome::NotSent(error) => Some(*error),
            _ => None,
        };
        Ok(answers.rows.into_iter().map(|row| reason(row.outcome)).collect())
    }

    #[test]
    fn reasons_are_read_as_data_and_from_rows_files_without_codes() {
        let (ids, words) = ([Some("a"), Some("b")], [None, Some("not sent: failed in stage mood: v2: lost")]);
        let coded = r#"{"code": "failed_in_earlier_stage", "qualifier": "mood: v2", "detail": "lost"}"#;
        let rows = rows_file(&[(RECORD_ID, ids), (NOT_SENT, words), (ROW_ERROR, [None, Some(coded)])]);
        assert_eq!(reasons(&rows).unwrap(), [None, Some(RowError::failed_in_stage("mood: v2", "lost"))]);
        let old = [None, Some("not sent: no prompt for it: `kind` is empty, and there is no `default`")];
        let read = reasons(&rows_file(&[(RECORD_ID, ids), (NOT_SENT, old)])).unwrap();
        let coded = read[1].as_ref().map(|error| error.reason.code);
        assert_eq!(coded, Some(bedrock_batch_domain::row_error::RowErrorCode::NoPrompt));
        assert_eq!(read[1].as_ref().map(ToString::to_string).as_deref(), old[1]);
        let broken = rows_file(&[(RECORD_ID, ids), (NOT_SENT, words), (ROW_ERROR, [None, Some("{")])]);
        assert!(reasons(&broken).is_err());
    }
}
