//! The records of a chunk that each job had, and those that may be sent again.

use super::answers::{Answers, Fields, JobAttempt, Outcome, Row, StoredReply, job_number};
use super::requests::{Requests, Resend};
use bedrock_batch_domain::answer::RecordError;
use bedrock_batch_domain::input::RetryOn;

impl Answers<'_> {
    /// Starts the next job, which is one more attempt for its rows. Jobs must be in the order in which they ran.
    pub(super) fn begin_job(&mut self, job: JobAttempt) {
        if self.attempts.last().is_none_or(|last| last.pass != job.pass) {
            self.open = self.records_to_send();
            self.assigned = 0;
        }
        let number = job_number(self.attempts.len() + 1);
        let end = self.open.len().min(self.assigned.saturating_add(job.records));
        for at in self.assigned..end {
            match (self.open[at], &mut self.requests) {
                (Resend::Row(row), requests) => {
                    if let Some(requests) = requests
                        && let Some(request) = requests.of_row(row)
                    {
                        requests.split(request);
                    }
                    self.assign(row, number, job.was_sent);
                }
                (Resend::Whole(request), Some(requests)) => {
                    let rows: Vec<usize> = requests.rows_of(request).collect();
                    for row in rows {
                        self.assign(row, number, job.was_sent);
                    }
                }
                (Resend::Whole(_), None) => {}
            }
        }
        self.assigned = end;
        self.attempts.push(job);
    }

    /// Assigns a row to the job with this number.
    fn assign(&mut self, row: usize, number: u32, was_sent: bool) {
        let Some(row) = self.rows.get_mut(row) else { return };
        row.attempts += u32::from(was_sent);
        if was_sent || row.sent_by == 0 {
            // The outcome of a job that sent it is more informative than that of a job that did not.
            row.sent_by = number;
        }
        if was_sent && matches!(row.outcome, Outcome::Failed(_)) {
            // The latest attempt determines the reason why there is no answer.
            row.outcome = Outcome::Missing;
        }
    }

    /// Returns the records that may be sent (again): first those that are sent as before, then rows by themselves.
    pub(super) fn records_to_send(&self) -> Vec<Resend> {
        let rows = (0..self.rows.len()).filter(|row| self.can_be_sent(*row));
        let Some(requests) = &self.requests else { return rows.map(Resend::Row).collect() };
        let whole = (0..requests.len()).filter(|request| {
            let first = requests.rows_of(*request).next();
            first.is_some_and(|first| self.can_be_sent(first)) && !self.sends_rows_one_by_one(*request)
        });
        let rows = rows.filter(|row| requests.of_row(*row).is_some_and(|request| self.sends_rows_one_by_one(request)));
        whole.map(Resend::Whole).chain(rows.map(Resend::Row)).collect()
    }

    /// Returns true if a record that may be sent (again) begins with this row.
    pub(super) fn begins_record_to_send(&self, row: usize) -> bool {
        let is_first = self.requests.as_ref().is_none_or(|requests| {
            let request = requests.of_row(row);
            requests.is_first(row) || request.is_some_and(|request| self.sends_rows_one_by_one(request))
        });
        is_first && self.can_be_sent(row)
    }

    /// Returns true if rows of a request of several rows are sent by themselves from now on: it was answered, or the model has
    /// refused it.
    fn sends_rows_one_by_one(&self, request: usize) -> bool {
        let Some(requests) = self.requests.as_ref().filter(|requests| requests.row_count(request) > 1) else {
            return false;
        };
        let first = requests.rows_of(request).next().and_then(|row| self.rows.get(row));
        let is_refused =
            |row: &Row| row.with_others && matches!(&row.outcome, Outcome::Failed(error) if error.is_permanent());
        requests.is_split(request) || first.is_some_and(is_refused)
    }

    /// Returns the number of requests, if records may have several rows.
    pub(super) fn request_count(&self) -> Option<usize> {
        self.requests.as_ref().map(Requests::len)
    }

    /// Returns true if the row has no answer and may be sent (again). A row that was never sent always may.
    pub(super) fn can_be_sent(&self, row: usize) -> bool {
        let reason = match self.rows.get(row).map(|row| &row.outcome) {
            Some(Outcome::Missing) if self.rows.get(row).is_some_and(|row| row.attempts == 0) => return true,
            Some(Outcome::Missing | Outcome::NoneShared(_)) => RetryOn::Missing,
            Some(Outcome::Failed(error)) => match **error {
                RecordError::Nothing => RetryOn::Missing,
                RecordError::UnknownFormat => RetryOn::Unparsed,
                // Another row may be the reason.
                RecordError::Refused { .. } if error.is_permanent() && !self.was_with_others(row) => return false,
                RecordError::Refused { .. } => RetryOn::Error,
            },
            // Its answer was not lost, but never given.
            Some(Outcome::Replied(StoredReply { fields: Fields::NotListed(_), .. })) if self.was_with_others(row) => {
                RetryOn::Missing
            }
            // The same record would be declined again.
            Some(Outcome::Replied(reply)) if self.is_refused(reply) => return false,
            Some(Outcome::Replied(reply))
                if self.is_empty(reply) || matches!(reply.fields, Fields::Unparsed(_) | Fields::NotListed(_)) =>
            {
                RetryOn::Unparsed
            }
            Some(Outcome::Replied(_) | Outcome::NotSent(_)) | None => return false,
        };
        self.reading.retry_on.contains(&reason)
    }

    fn was_with_others(&self, row: usize) -> bool {
        self.rows.get(row).is_some_and(|row| row.with_others)
    }
}
