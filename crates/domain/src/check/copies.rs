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
             false to send each of them"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::test_requests::request_of_prompt;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[rstest]
    #[case::warm(json!({"inference": {"temperature": 0.7}}), true, true)]
    #[case::no_copies(json!({"inference": {"temperature": 0.7}}), false, false)]
    #[case::cold(json!({"inference": {"temperature": 0}}), true, false)]
    #[case::default_temperature(json!({}), true, false)]
    #[case::all_are_sent(json!({"inference": {"temperature": 0.7}, "deduplicate": false}), true, false)]
    fn copies_are_warned_of_where_answers_would_differ(
        #[case] more: Value,
        #[case] has_copies: bool,
        #[case] is_warned_of: bool,
    ) {
        let warning = copies_warning(&request_of_prompt(&more), has_copies);
        assert_eq!(warning.is_some(), is_warned_of, "{warning:?}");
        assert!(warning.is_none_or(|text| text.contains("temperature is 0.7; set deduplicate to false")));
    }
}
