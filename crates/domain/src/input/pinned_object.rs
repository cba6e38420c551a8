//! Object that an execution was started for, by its `ETag`: an upload may be overwritten or deleted before it is read.

use crate::problem::Problem;
use crate::s3_uri::S3Uri;

/// Returns true if two `ETag`s are the same, with or without quotes.
pub fn is_same_etag(one: &str, other: &str) -> bool {
    one.trim_matches('"') == other.trim_matches('"')
}

/// Returns the problem of an object that has another content than the execution was started for; `field` names it.
pub fn overwritten(field: &str, uri: &S3Uri) -> Problem {
    let rule = "was overwritten before it was read: its content is not the one that this was started for, so nothing of it \
                was sent";
    let remedy = "an upload under trigger/ starts an execution of its own, and so did the newer one; upload the older content \
                  again under another name";
    Problem::new(field, uri, rule).remedy(remedy)
}

/// Returns the problem of an object that existed when the execution was started for it; `field` names it.
pub fn deleted(field: &str, uri: &S3Uri) -> Problem {
    let rule = "was deleted before it was read, so nothing of it was sent";
    Problem::new(field, uri, rule).remedy("upload it again, and keep it until its execution has ended")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("b1946ac9", "\"b1946ac9\"", true)]
    #[case("\"b1946ac9-3\"", "\"b1946ac9-3\"", true)]
    #[case("b1946ac9", "b1946ac9-3", false)]
    #[case("b1946ac9", "", false)]
    fn etags_are_compared_without_their_quotes(#[case] one: &str, #[case] other: &str, #[case] expected: bool) {
        assert_eq!((is_same_etag(one, other), is_same_etag(other, one)), (expected, expected));
    }

    #[test]
    fn a_changed_object_is_named_with_the_remedy() {
        let uri = S3Uri::new("bucket", "trigger/c/a.csv");
        let text = overwritten("s3_uri", &uri).to_string();
        assert!(
            text.starts_with("s3_uri is `s3://bucket/trigger/c/a.csv`: was overwritten before it was read"),
            "{text}"
        );
        assert!(text.contains("upload the older content again under another name"), "{text}");
        assert!(deleted("s3_uri", &uri).to_string().contains("was deleted before it was read"));
    }
}
