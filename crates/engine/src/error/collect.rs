//! Collection of the problems of several parts of an input.

use super::EngineError;
use bedrock_batch_domain::problem::Problem;

/// Returns the result of one part, or `None` after adding its problems to those of the others.
///
/// # Errors
/// Returns an error of another kind, unless there are problems already: what is known to be wrong stays wrong, however often
/// the step is repeated.
pub(crate) fn collected<T>(
    result: Result<T, EngineError>,
    problems: &mut Vec<Problem>,
) -> Result<Option<T>, EngineError> {
    let error = match result {
        Ok(found) => return Ok(Some(found)),
        Err(error) => error,
    };
    match error.into_problems() {
        Ok(more) => problems.extend(more.as_slice().iter().cloned()),
        Err(error) if problems.is_empty() => return Err(error),
        Err(error) => tracing::warn!(error = %error, "input_not_checked"),
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_ends_the_check_only_if_nothing_is_wrong() {
        let fault = || Err::<(), _>(EngineError::transient("S3 is down"));
        let mut problems = Vec::new();
        assert!(collected(fault(), &mut problems).is_err());
        let problem = Problem::without_value("a", "is wrong");
        assert_eq!(collected(Err::<(), _>(problem.clone().into()), &mut problems).unwrap(), None);
        assert_eq!(collected(fault(), &mut problems).unwrap(), None);
        assert_eq!(collected(Ok(1), &mut problems).unwrap(), Some(1));
        assert_eq!(problems, [problem]);
    }
}
