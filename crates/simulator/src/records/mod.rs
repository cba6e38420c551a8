//! The records of a job: what is read, what is written.

mod decision;
pub(crate) mod limits;
mod line;
pub(crate) mod processing;
pub(crate) mod validation;
