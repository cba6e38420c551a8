//! Postprocess: join a job's answers to its rows. Answers come in any order, some not at all; rows go out in theirs,
//! each exactly once.

mod answer_lines;
mod answers;
mod join;
mod output;
mod row_ids;
mod run;

pub use join::{JoinJob, join};
pub use run::{PostprocessInput, Postprocessor};
