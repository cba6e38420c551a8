//! A job in progress: every record gets its answer or error, in an order of the job's own.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::backend::Source;
use crate::behaviour::Behaviour;
use crate::chance::{self, Numbers};
use crate::families::{self, Channel};
use crate::jobs::{Counts, Job};
use crate::records::decision::{self, Missing, RecordError};
use crate::records::line::{Line, lines};
use crate::records::validation::CheckedFile;
use crate::simulator::Simulator;
use crate::storage::{InputFile, Location, Writer};

/// End of a job in progress, unless it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Complete,
    /// Some records were not processed.
    Partial,
    /// It was stopped.
    Stopped,
}

/// The manifest: counts, and the sums of the tokens that the answers report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(flatten)]
    counts: Counts,
    input_token_count: u64,
    output_token_count: u64,
}

// The order of the fields is that of Bedrock's own output.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputLine<'a> {
    model_input: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_output: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<OutputError<'a>>,
    record_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputError<'a> {
    error_code: u16,
    error_message: &'a str,
    expired: bool,
    retryable: bool,
}

/// Processes a validated job: files one after the other, each spread evenly over its share of `lasts`.
pub(crate) struct Processing<'a> {
    simulator: &'a Simulator,
    job: &'a Job,
    behaviour: &'a Behaviour,
    stop: watch::Receiver<bool>,
    lasts: Duration,
    begun: Instant,
    missing: Option<Missing<'a>>,
    left_out: u64,
    manifest: Manifest,
}

impl<'a> Processing<'a> {
    pub(crate) fn new(simulator: &'a Simulator, job: &'a Job, behaviour: &'a Behaviour, lasts: Duration) -> Self {
        Self {
            simulator,
            job,
            behaviour,
            stop: job.stop.subscribe(),
            lasts,
            begun: Instant::now(),
            missing: Missing::of(behaviour, &job.fate),
            left_out: 0,
            manifest: Manifest::default(),
        }
    }

    /// Writes an output file for each input file, and the manifest. The error is the job's failure message.
    pub(crate) async fn run(mut self, files: &[CheckedFile]) -> Result<End, String> {
        let output = Location::read(self.job.request.output.uri());
        let folder = format!("{}{}", output.folder(), self.job.id);
        self.manifest.counts.total = files.iter().map(|file| file.records).sum();
        self.report();
        for file in files {
            let key = format!("{folder}/{}.out", file.file.base_name());
            self.process(&file.file, &output.bucket, key).await?;
            if self.is_stopped() {
                break;
            }
        }
        let manifest = serde_json::to_vec(&self.manifest).map_err(|error| error.to_string())?;
        let mut writer = self.simulator.storage.writer(&output.bucket, format!("{folder}/manifest.json.out"));
        writer.write(&manifest).await?;
        self.finish(writer).await?;
        self.report();
        Ok(match (self.is_stopped(), self.missing.is_some()) {
            (true, _) => End::Stopped,
            (false, true) => End::Partial,
            (false, false) => End::Complete,
        })
    }

    async fn process(&mut self, file: &InputFile, bucket: &str, output_key: String) -> Result<(), String> {
        let (job, key, name) = (self.job, file.key.as_str(), file.base_name());
        let input = self.simulator.storage.read(&Location::read(job.request.input.uri()).bucket, key).await?;
        let mut records: Vec<(usize, &[u8])> = lines(&input).collect();
        let order = chance::number(self.behaviour.seed, &["order", &job.fate, name]);
        Numbers::from(order).shuffle(&mut records);
        let mut writer = self.simulator.storage.writer(bucket, output_key);
        for (number, line) in records {
            // The lines were checked, but the object may have been replaced since.
            let line = Line::read(line).map_err(|problem| format!("Input file {key}: line {number} {problem}"))?;
            let record_id = match line.record_id {
                Some(id) => id.into_owned(),
                None => {
                    format!("{:011X}", chance::number(0, &["record id", &job.fate, name, &number.to_string()]) >> 20)
                }
            };
            if self.leaves_out(&record_id) {
                continue;
            }
            let written = self.answered_line(line.model_input, &record_id)?;
            writer.write(&written).await?;
            self.keep_pace().await;
            if self.is_stopped() {
                break;
            }
        }
        self.finish(writer).await
    }

    /// Completes an object, or lets it appear some time after the job has ended.
    async fn finish(&self, writer: Writer) -> Result<(), String> {
        let delay = Duration::try_from_secs_f64(self.behaviour.output_delay_seconds).unwrap_or_default();
        if delay.is_zero() {
            return writer.finish().await;
        }
        // The job ends when its time is over, whatever has been written by then. A failure is logged by the storage.
        let appears = self.begun + self.lasts + delay;
        tokio::spawn(async move {
            tokio::time::sleep_until(appears).await;
            writer.finish().await
        });
        Ok(())
    }

    /// A partial job leaves out at least one record, however few there are.
    fn leaves_out(&mut self, record_id: &str) -> bool {
        let Some(missing) = &self.missing else { return false };
        let left_out = self.left_out == 0 || missing.has(record_id);
        self.left_out += u64::from(left_out);
        left_out
    }

    fn answered_line(&mut self, model_input: &RawValue, record_id: &str) -> Result<Vec<u8>, String> {
        let answer = self.answer(model_input, record_id);
        let counts = &mut self.manifest.counts;
        counts.processed += 1;
        match &answer {
            Ok(_) => counts.succeeded += 1,
            Err(_) => counts.failed += 1,
        }
        let error = answer.as_ref().err().map(|error| OutputError {
            error_code: error.code,
            error_message: &error.message,
            expired: false,
            retryable: error.retryable,
        });
        let line = OutputLine { model_input, model_output: answer.as_ref().ok(), error, record_id };
        let mut written = serde_json::to_vec(&line).map_err(|error| error.to_string())?;
        written.push(b'\n');
        Ok(written)
    }

    fn answer(&mut self, model_input: &RawValue, record_id: &str) -> Result<Value, RecordError> {
        if let Some(error) = decision::error(self.behaviour, &self.job.fate, record_id) {
            return Err(error);
        }
        let body: Value = serde_json::from_str(model_input.get())
            .map_err(|_| families::prompt::Refusal::invalid("Malformed input request, please reformat your input."))?;
        let source = Source { backend: &self.simulator.backend, list_faults: self.behaviour.list_faults() };
        let model = &self.job.model;
        let answered = families::answer(source, model, self.job.request.invocation_type, Channel::Batch, &body)?;
        self.manifest.input_token_count += answered.input_tokens;
        self.manifest.output_token_count += answered.output_tokens;
        Ok(answered.output)
    }

    /// Waits until the time of this record has come, so that a job that is stopped halfway has answered about half. Counts
    /// are reported about twenty times.
    async fn keep_pace(&mut self) {
        let (done, total) = (self.manifest.counts.processed, self.manifest.counts.total.max(1));
        if done % total.div_ceil(20) != 0 {
            // Computing answers does not await anything: other tasks must get their turn.
            tokio::task::yield_now().await;
            return;
        }
        self.report();
        let due = self.begun + self.lasts.mul_f64((done as f64 / total as f64).min(1.0));
        tokio::select! {
            () = tokio::time::sleep_until(due) => {}
            _ = self.stop.wait_for(|stopped| *stopped) => {}
        }
    }

    fn report(&self) {
        self.simulator.jobs.count(&self.job.id, self.manifest.counts);
    }

    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }
}
