//! The pure rules of the orchestrator: no async, no I/O, no clock, no environment, no AWS crate.
//!
//! The way of the data, and where its rules live:
//! [`input`] (what a user asks for) → [`prompt`] and [`model`] (what a record looks like) → [`chunk_plan`] (which rows
//! go into which job) → [`job`] (what to do when Bedrock says something about a job) → [`answer`] (what a line of
//! output means) → [`extract`] (its fields), with [`row_error`] for rows without an answer → [`run`] (what follows on each
//! part of a run) → [`summary`] (the run's totals). [`layout`]
//! names every object, [`plan`] is what a run freezes.
//!
//! Around runs: [`trigger`] (what an upload starts), [`pipeline`] (several runs in a row), [`email`] and [`links`] (how
//! people hear of an end, and get at the files). [`prompt_generation`] makes prompts of definitions of categories.

pub mod answer;
pub mod check;
pub mod chunk_plan;
pub mod columns;
pub mod contract;
pub mod email;
pub mod error_name;
pub mod extract;
pub mod format_version;
pub mod ids;
pub mod image;
pub mod input;
pub mod job;
pub mod join_task;
mod json_fields;
pub mod json_text;
pub mod lane;
pub mod layout;
pub mod links;
pub mod model;
pub mod pipeline;
pub mod plan;
pub mod problem;
pub mod prompt;
pub mod prompt_generation;
pub mod record_id;
pub mod record_line;
pub mod row_error;
pub mod run;
pub mod s3_uri;
mod short_hash;
pub mod summary;
pub mod trigger;
