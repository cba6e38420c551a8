//! Postprocess: joins the answers of a job to its rows. Answers may be in any order or missing; every row is written exactly
//! once, in the order of the input.

mod answer_lines;
mod answers;
mod attempts;
mod duplicates;
mod field_columns;
mod files;
mod input;
mod job_files;
mod join;
mod join_job;
mod late_answers;
mod output;
mod pivot;
mod prompts_read;
mod replies;
mod requests;
mod row_ids;
mod row_prefills;
mod run;
mod shared;
mod status_columns;
mod unanswered;
mod verdict;
mod write;

pub use answers::{JobAttempt, Reading};
pub use duplicates::WaitingRows;
pub use input::PostprocessInput;
pub use join::{JobAnswers, JobLines, Joined, SingleRow, join};
pub use join_job::JoinJob;
pub use pivot::{PivotTask, Pivoted, pivot};
pub use prompts_read::PromptsRead;
pub use run::Postprocessor;
pub use unanswered::{SingleRows, copy_unanswered, write_unanswered};
