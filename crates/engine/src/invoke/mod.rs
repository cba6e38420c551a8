//! Invoke: ask the records of a job one by one, and write the answers as a batch job's `.jsonl.out`, so that everything
//! after it is the same code.
//!
//! The state machine runs one invocation at a time per run, each until its time is nearly up; it is invoked again until
//! all records have a line. What is answered is stored in parts every few seconds; the next invocation reads their
//! record ids and asks the others. So no record that has a line is ever asked again. Two things can still make a record
//! be asked twice: an invocation that is killed loses what it has not stored yet, which is the work of at most
//! [`parts`]'s limits; and a request that is still unanswered when the last moment comes is given up, and may have been
//! answered (and paid) at Bedrock's side.
//!
//! An invocation that stores nothing fails instead of asking for another one, so that a run cannot go round in circles.

mod answer_line;
mod asker;
mod backoff;
mod candidates;
mod pace;
mod parts;
mod records;
mod refusal;
mod request;
mod run;
mod times;
mod working;

pub use run::{InvokeInput, Invoked, Invoker};
pub use times::Times;
