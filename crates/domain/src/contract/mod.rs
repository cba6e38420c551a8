//! The names that Rust shares with the CDK app, the Makefile and Python.
//!
//! Rust is the source: the functions, the job table and the layout use these constants, and `make contract` writes the
//! same names for the others. `make check` fails when a written file is out of date. The names of errors are in
//! [`crate::error_name`], those of steps in [`crate::run::StepName`].

pub mod environment;
pub mod functions;
pub mod job_table;
pub mod metrics;
pub mod payloads;
pub mod prefixes;
pub mod quota_wait;
pub mod steps;

/// A name of the contract, as the generator writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The name of its Rust constant.
    pub constant: &'static str,
    /// The name itself.
    pub value: &'static str,
    /// The documentation of the constant.
    pub doc: &'static str,
}

/// Defines constants that hold names, and `ALL`, which lists them in order with their documentation.
macro_rules! names {
    ($kind:ty = $make:expr; $($(#[doc = $doc:literal])+ $constant:ident = $value:literal;)+) => {
        $($(#[doc = $doc])+ pub const $constant: $kind = $make($value);)+

        /// All names, in order.
        pub const ALL: &[$crate::contract::Entry] = &[$($crate::contract::Entry {
            constant: stringify!($constant),
            value: $value,
            doc: concat!($($doc),+),
        }),+];
    };
    ($($(#[doc = $doc:literal])+ $constant:ident = $value:literal;)+) => {
        $crate::contract::names!(&str = std::convert::identity; $($(#[doc = $doc])+ $constant = $value;)+);
    };
}

pub(crate) use names;
