//! The course of a run: its current phase, and the transition to the next one.
//!
//! A *pass* processes jobs of one lane; a *round* is one more attempt at the rows without an answer. Every pass is followed
//! by a join of the chunks whose rows it had; the rows that are still unanswered after that determine what follows.
//!
//! [`RunState`] is the current state of a run, [`Facts`] are the stored facts about it, and [`advance`] returns the
//! [`Transition`] that follows. All are values, so that production and the tests drive the same rules, and any step may be
//! repeated.

mod advance;
mod execution_status;
mod facts;
mod fate;
mod history;
mod phase;
mod remainder;
mod resume;
mod shape;
mod state;
mod step;
mod step_name;
mod transition;
mod unprocessed;

pub use advance::advance;
pub use execution_status::is_running;
pub use facts::Facts;
pub use fate::Fate;
pub use history::{History, Pass};
pub use phase::{Mode, Phase};
pub use remainder::Remainder;
pub use resume::{JobProgress, Resumption, resume};
pub use shape::RunShape;
pub use state::RunState;
pub use step::Step;
pub use step_name::StepName;
pub use transition::{Ending, NewPass, RowSelection, Transition};
