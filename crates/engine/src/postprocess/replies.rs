//! Lines of answers, which become the outcomes of rows.

use super::answer_lines::for_each_line;
use super::answers::{Answers, Fields, FoundFields, KeptPayload, Outcome, Row, StoredReply, job_number, number_of};
use super::requests::Resend;
use crate::error::EngineError;
use bedrock_batch_domain::answer::{read_line, without_mark};
use bedrock_batch_domain::extract::{CellColumns, Extraction, NotListed, PlainAnswer, Unparsed, read_list};
use bedrock_batch_domain::lane::Lane;
use bedrock_batch_domain::model::{Family, Reply, ReplyPayload};
use bedrock_batch_domain::prompt::hold_to_limits;
use bedrock_batch_domain::record_id::RequestId;
use bedrock_batch_domain::summary::{ChunkCounts, Tokens};
use std::borrow::Cow;
use std::io::Read;

const UNREADABLE: &str = "unreadable lines in the job's output";
const UNKNOWN: &str = "answers to records that were not asked";
const REPEATED: &str = "repeated answers to one record";
const STRANGE: &str = "elements of answers that belong to no row of their request";

impl Answers<'_> {
    /// Reads one `.jsonl.out` of the job that was started last, and returns the number of its lines. Unusable lines are counted
    /// and never stop a run: the rows that they may have belonged to report that they have no answer.
    ///
    /// # Errors
    /// Returns an error if reading fails.
    pub(super) fn read(
        &mut self,
        family: Family,
        input: impl Read,
        counts: &mut ChunkCounts,
    ) -> Result<u64, EngineError> {
        let mut lines = 0;
        for_each_line(input, |line| {
            let line = without_mark(line);
            lines += u64::from(!line.trim_ascii().is_empty());
            if let Some(warning) = self.take(family, line, counts) {
                *counts.warnings.entry(warning.to_owned()).or_default() += 1;
            }
        })?;
        Ok(lines)
    }

    /// Processes one line; returns the warning that it causes, if any.
    fn take(&mut self, family: Family, line: &[u8], counts: &mut ChunkCounts) -> Option<&'static str> {
        if line.trim_ascii().is_empty() {
            return None;
        }
        let Ok(answer) = read_line(family, line) else {
            return Some(UNREADABLE);
        };
        let (job_lane, later_pass) = self.attempts.last().map_or((Lane::Batch, false), |a| (a.lane, a.pass > 0));
        // Jobs of later passes also have rows of other chunks.
        let unknown = if later_pass { None } else { Some(UNKNOWN) };
        let Some(record) = self.record(&answer.record_id) else {
            return unknown;
        };
        let of_request: Vec<usize>;
        let (rows, is_split) = match (&record, &self.requests) {
            (Resend::Whole(request), Some(requests)) => {
                of_request = requests.rows_of(*request).collect();
                (of_request.as_slice(), requests.is_split(*request))
            }
            (Resend::Row(row) | Resend::Whole(row), _) => (std::slice::from_ref(row), false),
        };
        // All rows of a request that is not split have the same outcome.
        let first = rows.first().copied().unwrap_or(usize::MAX);
        let number = job_number(self.attempts.len());
        let reopened = self.can_be_sent(first);
        let Some(known) = self.rows.get(first) else { return unknown };
        let same_job = known.line_of == number;
        let warning = match &known.outcome {
            // Its rows have their own records now.
            _ if is_split => return if same_job { Some(REPEATED) } else { unknown },
            Outcome::NotSent(_) => return Some(UNKNOWN),
            Outcome::Missing | Outcome::NoneShared(_) => None,
            // The row has a record of its own now, whose outcome is the more informative one.
            Outcome::Replied(StoredReply { fields: Fields::NotListed(_), .. }) if !same_job && known.with_others => {
                None
            }
            // An answer takes precedence over an error; of two answers, the first is kept.
            Outcome::Failed(_) if answer.outcome.is_ok() => same_job.then_some(REPEATED),
            Outcome::Replied(_) if reopened && !same_job && answer.outcome.is_ok() => None,
            Outcome::Replied(_) if reopened && !same_job => return None,
            Outcome::Failed(_) | Outcome::Replied(_) => return Some(REPEATED),
        };
        let prompt = known.prompt;
        for row in rows {
            if let Some(row) = self.rows.get_mut(*row) {
                (row.line_of, row.with_others) = (number, rows.len() > 1);
            }
        }
        match answer.outcome {
            Ok(reply) => {
                let tokens =
                    Tokens { input: reply.input_tokens.unwrap_or(0), output: reply.output_tokens.unwrap_or(0) };
                let own_model = self.attempts.last().map_or("", |attempt| attempt.model_id.as_str());
                let model_id = answer.model_id.as_deref().unwrap_or(own_model);
                counts.add_usage(job_lane, model_id, 1, tokens);
                counts.add_cached(job_lane, model_id, reply.cached);
                let model = number_of(&mut self.models, model_id);
                if let (Resend::Whole(request), Some(requests)) = (record, &mut self.requests) {
                    requests.split(request);
                }
                if self.reading.prompts.lists_rows(prompt) {
                    self.keep_listed(rows, &reply, prompt, model, counts);
                } else {
                    self.rows[first].outcome = Outcome::Replied(self.keep(reply, (first, prompt), model));
                }
            }
            Err(error) => {
                for row in rows {
                    self.rows[*row].outcome = Outcome::Failed(Box::new(error.clone()));
                }
            }
        }
        warning
    }

    /// Stores the answer to a request of these rows: a list with an element for each of them.
    fn keep_listed(&mut self, rows: &[usize], reply: &Reply<'_>, prompt: u16, model: usize, counts: &mut ChunkCounts) {
        let stop_reason = reply.stop_reason.as_deref();
        let number = stop_reason.map(|reason| number_of(&mut self.stop_reasons, reason));
        let store =
            |rows_of_chunk: &mut [Row], at: usize, in_repaired_list, (payload, fields): (KeptPayload, Fields)| {
                let share = |tokens: Option<u64>| tokens.map(|tokens| share(tokens, at, rows.len()));
                let (input_tokens, output_tokens) = (share(reply.input_tokens), share(reply.output_tokens));
                let stored = StoredReply {
                    payload,
                    stop_reason: number,
                    input_tokens,
                    output_tokens,
                    model,
                    in_repaired_list,
                    fields,
                };
                rows_of_chunk[rows[at]].outcome = Outcome::Replied(stored);
            };
        let Some(ReplyPayload::Text(text)) = &reply.payload else {
            let why = NotListed::Empty(stop_reason.unwrap_or("not given").to_owned());
            for at in 0..rows.len() {
                store(&mut self.rows, at, false, (KeptPayload::None, Fields::NotListed(Box::new(why.clone()))));
            }
            return;
        };
        // A request of several rows begins in the same way for all of them.
        let whole = with_prefill(self.prompts().literal_prefill(prompt), text);
        let strange = if self.lists.scan(&whole, rows.len()) {
            for at in 0..rows.len() {
                let answer = self.read_listed((at, rows.len()), &whole, prompt, stop_reason);
                store(&mut self.rows, at, false, answer);
            }
            self.lists.strange()
        } else {
            let listed = read_list(&whole, rows.len(), stop_reason);
            for (at, answer) in listed.rows.into_iter().enumerate() {
                let answer = match answer {
                    Ok(text) => (self.keep_text(&text), self.fields_of((rows[at], prompt), &text, stop_reason)),
                    Err(why) => (KeptPayload::None, Fields::NotListed(Box::new(why))),
                };
                store(&mut self.rows, at, listed.repaired, answer);
            }
            listed.strange
        };
        if strange > 0 {
            *counts.warnings.entry(STRANGE.to_owned()).or_default() += strange as u64;
        }
    }

    /// Stores the answer to row `at` of `rows` in the list that was scanned last, which is in `text`.
    fn read_listed(
        &mut self,
        (at, rows): (usize, usize),
        text: &str,
        prompt: u16,
        stop_reason: Option<&str>,
    ) -> (KeptPayload, Fields) {
        let reader = self.reading.prompts.reader(prompt);
        let all = self.field_names().len();
        // Fields that are held to values of references are checked in the general way.
        let fields = reader.filter(|reader| reader.limits.is_empty()).and_then(|reader| {
            let plain = reader.extractor.as_ref()?.plain()?;
            Some((plain, CellColumns { of_fields: &reader.columns, all }))
        });
        let (begin, first) = (self.texts.len(), self.cells.len());
        match self.lists.read_row(at, text, fields, (&mut self.texts, &mut self.cells)) {
            PlainAnswer::Appended(has_fields) => {
                let range = begin..self.texts.len();
                let fields = match self.texts.get(range.clone()) {
                    Some(text) if !has_fields => self.fields_of((usize::MAX, prompt), text, stop_reason),
                    _ => Fields::Cells(first),
                };
                (KeptPayload::Text(range), fields)
            }
            PlainAnswer::Elements(0) => (KeptPayload::None, Fields::NotListed(Box::new(NotListed::Missing(rows)))),
            PlainAnswer::Elements(several) => {
                (KeptPayload::None, Fields::NotListed(Box::new(NotListed::Doubled(several))))
            }
        }
    }

    fn keep(&mut self, reply: Reply<'_>, row: (usize, u16), model: usize) -> StoredReply {
        let mut fields = Fields::None;
        let payload = match reply.payload {
            None => KeptPayload::None,
            Some(ReplyPayload::Text(text)) => {
                fields = self.fields_of(row, &text, reply.stop_reason.as_deref());
                self.keep_text(&text)
            }
            Some(ReplyPayload::Embedding(embedding)) => match self.problem_of(&embedding) {
                None => self.keep_embedding(&embedding),
                Some(why) => {
                    fields = Fields::Unparsed(Box::new(why));
                    KeptPayload::None
                }
            },
        };
        // There are only a few different ones.
        let stop_reason = reply.stop_reason.map(|reason| number_of(&mut self.stop_reasons, &reason));
        StoredReply {
            payload,
            stop_reason,
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
            model,
            in_repaired_list: false,
            fields,
        }
    }

    /// Returns the reason why an embedding cannot be used: whatever compares embeddings needs all of one length.
    fn problem_of(&self, embedding: &[f32]) -> Option<Unparsed> {
        let found = embedding.len();
        match self.prompts().embedding_length {
            _ if embedding.iter().any(|number| !number.is_finite()) => Some(Unparsed::EmbeddingRange),
            Some(wanted) if wanted != found => Some(Unparsed::EmbeddingLength { found, wanted }),
            None if found == 0 => Some(Unparsed::EmbeddingLength { found, wanted: 1 }),
            _ => None,
        }
    }

    /// Returns the fields of a prompt in an answer of a row to it, among those of all prompts; the prefill is part of the answer.
    pub(super) fn fields_of(&self, (row, prompt): (usize, u16), text: &str, stop_reason: Option<&str>) -> Fields {
        let Some(reader) = self.reading.prompts.reader(prompt) else { return Fields::None };
        let Some(extractor) = &reader.extractor else { return Fields::None };
        let prefill = self.prefill(row, prompt);
        let whole = with_prefill(prefill, text);
        let extracted = extractor.extract_with_changes(&whole, stop_reason).and_then(|mut extraction| {
            let corrected = hold_to_limits(&reader.limits, &mut extraction.values)?;
            Ok((extraction, corrected))
        });
        match extracted {
            Ok((Extraction { values, changed, repaired }, corrected)) => {
                let corrected = corrected.into_iter().filter_map(|field| reader.columns.get(field).copied()).collect();
                let (all, changed) = (self.field_names().len(), changed.into());
                if values.len() == all && reader.columns.iter().enumerate().all(|(at, column)| at == *column) {
                    return Fields::Found(Box::new(FoundFields {
                        values: values.into(),
                        repaired,
                        changed,
                        corrected,
                    }));
                }
                let mut fields = vec![None; all];
                for (column, value) in reader.columns.iter().zip(values) {
                    if let Some(field) = fields.get_mut(*column) {
                        *field = value;
                    }
                }
                Fields::Found(Box::new(FoundFields { values: fields.into(), repaired, changed, corrected }))
            }
            Err(why) => Fields::Unparsed(Box::new(why)),
        }
    }

    /// Returns the record with this id, if the chunk has it and it may have been sent.
    fn record(&self, id: &str) -> Option<Resend> {
        let Some(requests) = &self.requests else { return self.ids.row(id).map(Resend::Row) };
        let id = RequestId::parse(id)?;
        let row = self.ids.row(id.first)?;
        let request = requests.of_row(row)?;
        let rows = requests.row_count(request);
        if id.rows == 1 && (rows == 1 || requests.is_split(request)) {
            return Some(Resend::Row(row));
        }
        (id.rows == rows && requests.is_first(row)).then_some(Resend::Whole(request))
    }
}

/// Returns an answer with its beginning, which the model does not repeat.
fn with_prefill<'t>(prefill: &str, text: &'t str) -> Cow<'t, str> {
    if prefill.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(format!("{prefill}{text}")) }
}

/// Returns the share of row number `at` (from 0) of `rows` in the tokens of their request. The shares of all rows add up to
/// the whole.
fn share(tokens: u64, at: usize, rows: usize) -> u64 {
    let up_to = |row: usize| u128::from(tokens) * row as u128 / (rows as u128).max(1);
    // It is at most `tokens`.
    u64::try_from(up_to(at + 1) - up_to(at)).unwrap_or(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shares_of_tokens_add_up(tokens: u64, rows in 1usize..200) {
            let shares: Vec<u64> = (0..rows).map(|at| share(tokens, at, rows)).collect();
            prop_assert_eq!(shares.iter().map(|share| u128::from(*share)).sum::<u128>(), u128::from(tokens));
            let even = tokens / rows as u64;
            prop_assert!(shares.iter().all(|share| (even..=even + 1).contains(share)));
        }
    }
}
