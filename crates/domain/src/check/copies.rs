//! Rows that equal others and get their answer.

use crate::input::RunRequest;

/// Returns the warning that rows which equal others get one answer although the temperature asks for different ones, if that
/// is so. `has_copies` is true if there are such rows, or may be.
pub fn copies_warning(request: &RunRequest, has_copies: bool) -> Option<String> {
    let temperature = request.inference.temperature.filter(|temperature| *temperature > 0.0)?;
    let shares = has_copies && request.invocation.deduplicate;
    shares.then(|| {
        format!(
            "rows that equal earlier ones get the same answer, although temperature is {temperature}; set deduplicate to \
             false for an answer of its own for each"
        )
    })
}
