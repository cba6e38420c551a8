//! Panics of the Parquet reader.

use parquet::errors::{ParquetError, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls the Parquet reader, which panics for some damaged files. What it has read into must not be used after an error.
///
/// # Errors
/// Returns the error of the reader, also in place of a panic.
pub(in crate::rows) fn caught<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ParquetError::General("its parts contradict each other".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_reader_is_an_error() {
        let error = caught(|| -> Result<()> { panic!("no decoder") }).unwrap_err();
        assert_eq!(error.to_string(), "Parquet error: its parts contradict each other");
        assert_eq!(caught(|| Ok(7)).unwrap(), 7);
    }
}
