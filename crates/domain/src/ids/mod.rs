//! Typed names of runs, jobs and executions. Each is validated once, when it is parsed.
//!
//! On the wire each is its text. One that is invalid makes the event or the user's input invalid, and a stored object or
//! item corrupt. Each grammar accepts every name that an earlier version could store.

mod arn;
mod cleaned_text;
mod duplicates_name;
mod execution_arn;
mod item_name;
mod job_arn;
mod job_name;
mod job_prefix;
mod run_id;
mod state_machine_arn;

pub use arn::Arn;
pub use duplicates_name::DuplicatesName;
pub use execution_arn::ExecutionArn;
pub use item_name::ItemName;
pub use job_arn::JobArn;
pub use job_name::JobName;
pub use job_prefix::JobPrefix;
pub use run_id::RunId;
pub use state_machine_arn::StateMachineArn;

/// Implements the conversions that all names share: they are parsed from text, and displayed and serialized as it.
macro_rules! name_of_text {
    ($name:ident) => {
        impl $name {
            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::problem::Problem;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::problem::Problem;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
    };
}

use name_of_text;

#[cfg(test)]
mod tests;
