//! Hints about addresses of images that are not what S3 expects, for the messages of their rows.

use bedrock_batch_domain::row_error::RowErrorCode as Code;
use bedrock_batch_domain::s3_uri::S3Uri;

/// Words that other tools write for a missing value.
const MISSING_VALUES: [&str; 8] = ["nan", "none", "null", "na", "n/a", "<na>", "nat", "undefined"];

/// Address of another form, known from other tools.
pub(super) struct OtherForm {
    pub(super) code: Code,
    /// Broken rule.
    pub(super) rule: &'static str,
    pub(super) remedy: String,
}

/// Returns the form of a cell that is an address of another form. Nothing is guessed: S3 keys may have almost any character, so
/// that everything else is looked for first, and may get [`of_missing`].
pub(super) fn of_other_form(cell: &str) -> Option<OtherForm> {
    let form = |code, rule, remedy: String| Some(OtherForm { code, rule, remedy });
    let scheme = cell.split_once("://").map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    match scheme {
        Some((scheme, rest)) if matches!(scheme.as_str(), "s3" | "s3a" | "s3n") && !cell.starts_with("s3://") => {
            return form(Code::ImageNotInS3, "is not an address in S3", format!("write `s3://{rest}`"));
        }
        Some((scheme, rest)) if matches!(scheme.as_str(), "http" | "https") => {
            let address = of_web_address(rest)?;
            return form(Code::ImageNotInS3, "is a web address, not an address in S3", format!("write `{address}`"));
        }
        _ => {}
    }
    if let Some(arn) = cell.strip_prefix("arn:") {
        let place = arn.splitn(5, ':').nth(4).unwrap_or_default();
        return form(Code::ImageAddressInvalid, "is an ARN", format!("write `s3://{place}`"));
    }
    if cell.starts_with(['"', '\'']) && cell.len() > 1 && cell.ends_with(['"', '\'']) {
        return form(Code::ImageAddressInvalid, "is in quotes", "remove them".to_owned());
    }
    if cell.starts_with('[') && cell.contains("://") {
        let remedy = "name one image per row, as `s3://bucket/path`";
        return form(Code::ImageAddressInvalid, "is a list", remedy.to_owned());
    }
    if cell.matches("s3://").count() > 1 {
        let remedy = "a row has one: repeat the row, or choose one";
        return form(Code::ImageAddressInvalid, "names several images", remedy.to_owned());
    }
    None
}

/// Returns the S3 address that a web address of S3 names, without what follows `?`.
fn of_web_address(rest: &str) -> Option<S3Uri> {
    let (host, path) = rest.split_once('/')?;
    let host = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = percent_decoded(path)?;
    let is_path_style = host == "s3" || host.starts_with("s3.") || host.starts_with("s3-");
    let (bucket, key) = if is_path_style {
        path.split_once('/').map(|(bucket, key)| (bucket.to_owned(), key.to_owned()))?
    } else {
        // Names of buckets may contain `.s3` too.
        let bucket = host.rsplit_once(".s3").map(|(bucket, _)| bucket.to_owned())?;
        (bucket, path)
    };
    (!bucket.is_empty() && !key.is_empty()).then(|| S3Uri::new(bucket, key))
}

/// Returns a text with `%20` and the like decoded; `None` if they are not UTF-8. A `%` without two digits is literal.
fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits =
            after.first_chunk::<2>().filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        rest = if byte.is_some() { &after[2..] } else { after };
        decoded.push(byte.unwrap_or(*first));
    }
    String::from_utf8(decoded).ok()
}

/// Returns the remedy for an object that does not exist, if its key looks like one that was written for something else.
pub(super) fn of_missing(key: &str) -> Option<String> {
    if MISSING_VALUES.contains(&key.to_ascii_lowercase().as_str()) {
        return Some(format!("leave the cell empty if the row has no image: `{key}` is the key of an object"));
    }
    if let Some((before, _)) = key.split_once('?') {
        return Some(format!("keys are literal: if `?` begins a query, write `{before}`"));
    }
    if key.contains('\\') {
        return Some(format!("keys are literal: if these are folders, write `{}`", key.replace('\\', "/")));
    }
    if let Some(decoded) = percent_decoded(key).filter(|decoded| decoded != key) {
        return Some(format!("keys are literal: if it is percent-encoded, write `{decoded}`"));
    }
    if let Some(rest) = key.strip_prefix('/') {
        return Some(format!("keys are literal: if the key has no `/` at its beginning, write `{rest}`"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("s3a://b/images/plain.jpg", "is not an address in S3: write `s3://b/images/plain.jpg`")]
    #[case("S3://b/images/plain.jpg", "is not an address in S3: write `s3://b/images/plain.jpg`")]
    #[case("arn:aws:s3:::b/images/plain.jpg", "is an ARN: write `s3://b/images/plain.jpg`")]
    #[case("https://b.s3.amazonaws.com/a%20b.jpg", "is a web address, not an address in S3: write `s3://b/a b.jpg`")]
    #[case(
        "https://b.s3.eu-west-1.amazonaws.com/a.jpg?X-Amz-Signature=x",
        "is a web address, not an address in S3: write `s3://b/a.jpg`"
    )]
    #[case(
        "https://s3.eu-west-1.amazonaws.com/b/c/a.jpg?x",
        "is a web address, not an address in S3: write `s3://b/c/a.jpg`"
    )]
    #[case(
        "https://my.s3data.s3.eu-west-1.amazonaws.com/a.jpg",
        "is a web address, not an address in S3: write `s3://my.s3data/a.jpg`"
    )]
    #[case("https://example.org/a.jpg", "")]
    #[case("\"s3://b/a.jpg\"", "is in quotes: remove them")]
    #[case("['s3://b/a.jpg']", "is a list: name one image per row, as `s3://bucket/path`")]
    #[case("s3://b/a.jpg;s3://b/b.jpg", "names several images: a row has one: repeat the row, or choose one")]
    #[case("s3://b/a.jpg", "")]
    #[case("images/a b.jpg", "")]
    #[case("\"", "")]
    fn addresses_of_other_forms_are_told_how_to_be_written(#[case] cell: &str, #[case] expected: &str) {
        let found = of_other_form(cell).map(|form| format!("{}: {}", form.rule, form.remedy)).unwrap_or_default();
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case("images\\plain.jpg", "`images/plain.jpg`")]
    #[case("images/a%20b.jpg", "`images/a b.jpg`")]
    #[case("/images/plain.jpg", "`images/plain.jpg`")]
    #[case("images/plain.jpg?versionId=1", "`images/plain.jpg`")]
    #[case("nan", "leave the cell empty")]
    #[case("None", "leave the cell empty")]
    #[case("100%.jpg", "")]
    #[case("100%+5.jpg", "")]
    #[case("a+b.jpg", "")]
    fn missing_objects_with_keys_of_other_tools_are_explained(#[case] key: &str, #[case] expected: &str) {
        let hint = of_missing(key).unwrap_or_default();
        assert!(hint.contains(expected) && hint.is_empty() == expected.is_empty(), "{hint}");
    }
}
