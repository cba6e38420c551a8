//! Invoke: sends the records of a job one by one, and writes the answers like a batch job's `.jsonl.out`, so that all later
//! steps share the same code.
//!
//! The state machine runs one invocation at a time per run, each until its time is nearly over, and repeats it until all
//! records have a line. Answers are stored in parts every few seconds; the next invocation reads their record ids and sends
//! the other records. So no record with a stored line is ever sent again. A record can still be sent twice in two cases: a
//! killed invocation loses the answers that it has not stored yet, within the limits of [`parts`]; and a request that is
//! still unanswered at the deadline is abandoned, and may have been answered (and charged) by Bedrock.
//!
//! An invocation that stores nothing fails instead of requesting another one, so that a run cannot loop forever.

mod answer_line;
mod backoff;
mod cache_points;
mod candidates;
mod pace;
mod parts;
mod record_invoker;
mod records;
mod refusal;
mod request;
mod run;
mod times;
mod working;

pub use run::{InvokeInput, Invoked, Invoker};
pub use times::Times;
