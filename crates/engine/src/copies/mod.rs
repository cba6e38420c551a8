//! Copies of a run's answered rows in a folder of the user's choice: the check before the run, and the copying after it.

mod copy;
mod destination;

pub use copy::copy_answers;
pub(crate) use destination::destination_problems;
