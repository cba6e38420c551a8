//! The error names that leave a Lambda as its `errorType`. Retry and Catch of the state machines match them, so they are
//! part of the [contract](crate::contract): names are added and never changed.

use std::fmt;

/// Defines [`ErrorName`] and everything that has to list all of its variants, so that no list can be incomplete.
macro_rules! error_names {
    ($($(#[doc = $meaning:literal])+ $name:ident => $retry:ident,)+) => {
        /// Name of an error, by what the reader and the state machine can do about it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorName {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl ErrorName {
            /// All names.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name as it leaves the Lambda.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// Meaning of the name, one sentence or two.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($meaning,)+).trim_ascii(),)+
                }
            }

            /// When the state machines repeat a step that failed under this name.
            pub const fn retry(self) -> Retry {
                match self {
                    $(Self::$name => Retry::$retry,)+
                }
            }
        }
    };
}

error_names! {
    /// The user's input is invalid; repeating changes nothing.
    InvalidInput => Never,
    /// Bedrock's quota of submitted and running jobs is used up.
    QuotaExceeded => WhenQuotaIsFree,
    /// An AWS API throttled a request.
    Throttled => WhenThrottlingEnds,
    /// A transient fault: a 5xx status, a broken connection, a timeout, or a read that was not consistent yet.
    Transient => Soon,
    /// AWS denied a call: the caller's permissions have to change first.
    AccessDenied => Never,
    /// Bedrock refused a job or a model, or a job failed, for a permanent reason.
    JobFailed => Never,
    /// The run was stopped, or another execution owns it by now: the work of this one is obsolete.
    Superseded => Never,
    /// An item of the job table, or a job at Bedrock, has the name of this run's job and belongs to something else.
    NameClash => Never,
    /// Stored data is missing, or is not as it was written.
    Corrupt => Never,
    /// A bug, or an incorrect deployment or configuration of the functions.
    Internal => Never,
}

/// When the state machines repeat a failed step. `infra/lib/state-machine/retries.ts` has the intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Never: the same attempt would fail the same way.
    Never,
    /// A few times within minutes.
    Soon,
    /// Many times, with growing intervals.
    WhenThrottlingEnds,
    /// For about a week, at the steps that submit jobs; nowhere else can the quota be exceeded.
    WhenQuotaIsFree,
}

impl ErrorName {
    /// The error of this name; `None` for names that Step Functions or Lambda give.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == name)
    }

    /// If true, the state machines repeat a step that failed under this name.
    pub const fn is_retried(self) -> bool {
        !matches!(self.retry(), Retry::Never)
    }
}

impl fmt::Display for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_parses_back_and_has_a_meaning() {
        for name in ErrorName::ALL {
            assert_eq!(ErrorName::parse(name.as_str()), Some(*name));
            assert!(name.meaning().ends_with('.') && !name.meaning().starts_with(' '), "{name}: {}", name.meaning());
        }
        assert_eq!(ErrorName::parse("States.Timeout"), None);
    }

    /// No wildcard: a new name does not compile here until its retries are decided.
    #[test]
    fn only_transient_conditions_are_retried() {
        for name in ErrorName::ALL {
            let expected = match name {
                ErrorName::QuotaExceeded => Retry::WhenQuotaIsFree,
                ErrorName::Throttled => Retry::WhenThrottlingEnds,
                ErrorName::Transient => Retry::Soon,
                ErrorName::InvalidInput
                | ErrorName::AccessDenied
                | ErrorName::JobFailed
                | ErrorName::Superseded
                | ErrorName::NameClash
                | ErrorName::Corrupt
                | ErrorName::Internal => Retry::Never,
            };
            assert_eq!(name.retry(), expected, "{name}");
        }
    }
}
