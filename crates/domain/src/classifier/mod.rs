//! Classification of medical device reports by the codes of a reference (IMDRF): from the payload of the function to the
//! input of a run.

mod defaults;
mod payload;
mod problem_type;
mod run_input;

pub use defaults::ClassifierDefaults;
pub use payload::{Classification, ReachableBuckets};
pub use problem_type::ProblemType;
pub use run_input::payload_field;
