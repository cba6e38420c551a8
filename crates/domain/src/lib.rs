//! The pure rules of the orchestrator: no async, no I/O, no clock, no environment, no AWS crate.
//!
//! The path of the data, and the location of its rules:
//! [`input`] (the user's request; [`hub`]: the datasets that it may name) → [`prompt`] and [`model`] (the format of a record;
//! [`reference`]: data that prompts insert) → [`chunk_plan`] (the assignment of rows to jobs) → [`job`] (the action for a job's
//! status) → [`answer`] (the lines of the output) → [`extract`] (their fields), with [`row_error`] for rows without an answer →
//! [`run`] (the phase that follows each phase of a run) → [`summary`] (the run's totals). [`layout`] names every object, and
//! [`plan`] is what a run freezes.
//!
//! Around runs: [`trigger`] (the execution that an upload starts), [`pipeline`] (several runs in sequence), [`email`] and
//! [`links`] (notification of users, with access to the files), [`classifier`] (medical device reports). [`prompt_generation`]
//! generates prompts from definitions of categories, and [`prompt_templates`] makes generated prompts usable in runs. What is
//! printed, mailed or logged goes through [`printable`].

pub mod answer;
pub mod check;
pub mod chunk_plan;
pub mod classifier;
pub mod column_name;
pub mod columns;
pub mod contract;
pub mod destination;
pub mod email;
pub mod error_name;
pub mod extract;
pub mod figures;
pub mod format_version;
pub mod hive_folders;
pub mod hub;
pub mod ids;
pub mod image;
pub mod input;
pub mod job;
pub mod job_name_scheme;
pub mod job_size;
pub mod join_order;
pub mod join_task;
mod json_fields;
mod json_members;
mod json_scanner;
pub mod json_text;
pub mod lake_table;
pub mod lane;
pub mod layout;
pub mod links;
pub mod matching;
pub mod model;
pub mod pipeline;
pub mod plan;
pub mod printable;
pub mod problem;
pub mod prompt;
pub mod prompt_generation;
pub mod prompt_templates;
pub mod readable;
pub mod record_id;
pub mod record_line;
pub mod reference;
pub mod row_error;
pub mod run;
pub mod s3_uri;
mod short_hash;
pub mod spreadsheet_cell;
pub mod stop_reason;
pub mod summary;
mod surrogates;
pub mod table_files;
pub mod trigger;
