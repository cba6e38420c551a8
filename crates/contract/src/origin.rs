//! The origin of the files, as each of them states it.

/// The command that writes the files.
pub(crate) const COMMAND: &str = "make contract";
/// The folder of the names in Rust.
pub(crate) const SOURCE: &str = "crates/domain/src/contract";
