//! Addresses of images in the cells of an image column.

use super::address_hint::{OtherForm, of_other_form};
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::readable::ReadableInputs;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode as Code};
use bedrock_batch_domain::s3_uri::S3Uri;

/// Buckets that images may be in.
#[derive(Debug, Clone)]
pub struct Buckets {
    /// Bucket of the stack; a cell that is not an address is a key in it.
    pub own: String,
    /// Other buckets that the stack may read.
    pub others: Vec<String>,
    /// Prefixes that inputs must be under; without any, they may be anywhere in these buckets.
    pub prefixes: Vec<S3Uri>,
}

/// Object that a cell names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedObject {
    pub(super) uri: S3Uri,
    /// The object without the white space at the end of the cell, if there is some: it may be part of the key, as in the address
    /// of an object that was listed, or a slip of the keyboard.
    pub(super) trimmed: Option<S3Uri>,
}

impl Buckets {
    /// Returns the object that `cell` names by an S3 URI or by a key in the stack's bucket.
    pub(super) fn place(&self, cell: Option<&str>) -> Result<NamedObject, RowError> {
        let cell = cell.unwrap_or_default().trim_start();
        let name = cell.trim_end();
        let trimmed = self.object(name)?;
        Ok(match &cell[name.len()..] {
            "" => NamedObject { uri: trimmed, trimmed: None },
            end => {
                let uri = S3Uri::new(&trimmed.bucket, format!("{}{end}", trimmed.key));
                NamedObject { uri, trimmed: Some(trimmed) }
            }
        })
    }

    /// Returns the object with this address or key.
    fn object(&self, cell: &str) -> Result<S3Uri, RowError> {
        if cell.is_empty() {
            let problem = Problem::without_value("the image", "the row names none");
            return Err(RowError::new(Code::NoImageNamed, problem.remedy(self.remedy()).to_string()));
        }
        let refuse = |code, rule: &str| {
            RowError::new(code, Problem::new("the image", cell, rule).remedy(self.remedy()).to_string())
        };
        if let Some(OtherForm { code, rule, remedy }) = of_other_form(cell) {
            return Err(RowError::new(code, Problem::new("the image", cell, rule).remedy(remedy).to_string()));
        }
        if cell.starts_with("s3://") {
            let uri = S3Uri::parse(cell).map_err(|rule| refuse(Code::ImageAddressInvalid, rule))?;
            if uri.key.is_empty() {
                return Err(refuse(Code::ImageAddressInvalid, "names a bucket, and no object in it"));
            }
            if uri.key.ends_with('/') {
                return Err(refuse(Code::ImageAddressInvalid, "names a folder, and a row has one image"));
            }
            if uri.bucket != self.own && !self.others.contains(&uri.bucket) {
                let rule = "the stack may not read this bucket";
                let remedy = "add it to the context key `inputBuckets` and deploy, or copy the image";
                let problem = Problem::new("the image", cell, rule).remedy(remedy);
                return Err(RowError::new(Code::ImageBucketNotAllowed, problem.to_string()));
            }
            return self.allowed(uri);
        }
        if cell.contains("://") || cell.starts_with("data:") {
            return Err(refuse(Code::ImageNotInS3, "is not an address in S3"));
        }
        if cell.len() > 1024 {
            return Err(refuse(Code::ImageAddressInvalid, "is longer than the 1,024 bytes that S3 allows"));
        }
        self.allowed(S3Uri::new(&self.own, cell))
    }

    /// Returns the object unless its key is one that inputs may not have.
    fn allowed(&self, uri: S3Uri) -> Result<S3Uri, RowError> {
        let readable = ReadableInputs { own: &self.own, others: &self.others, prefixes: &self.prefixes };
        match readable.problem_of_key("the image", &uri) {
            Some(problem) => Err(RowError::new(Code::ImageAccessDenied, problem.to_string())),
            None => Ok(uri),
        }
    }

    fn remedy(&self) -> String {
        format!("write `s3://bucket/path`, or a key in {}", self.own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn buckets() -> Buckets {
        Buckets { own: "own".to_owned(), others: vec!["photos".to_owned()], prefixes: Vec::new() }
    }

    #[test]
    fn images_are_where_inputs_may_be() {
        let prefixes = vec![S3Uri::new("own", "inputs/")];
        let limited = Buckets { prefixes, ..buckets() };
        assert!(limited.place(Some("inputs/a.jpg")).is_ok());
        for cell in ["other/a.jpg", "s3://photos/a.jpg"] {
            let refused = limited.place(Some(cell)).unwrap_err();
            assert!(refused.detail.contains("`inputPrefixes`"), "{}", refused.detail);
        }
        let refused = buckets().place(Some("runs/r/plan.json")).unwrap_err();
        assert!(refused.detail.contains("is for the files of runs"), "{}", refused.detail);
    }

    #[rstest]
    #[case("s3://photos/a b/ü.jpg", "s3://photos/a b/ü.jpg")]
    #[case("images/a.jpg", "s3://own/images/a.jpg")]
    #[case("a:b.jpg", "s3://own/a:b.jpg")]
    fn cells_name_objects(#[case] cell: &str, #[case] expected: &str) {
        let named = buckets().place(Some(cell)).unwrap();
        assert_eq!((named.uri.to_string().as_str(), named.trimmed), (expected, None));
    }

    #[test]
    fn white_space_at_the_end_of_a_cell_may_be_part_of_the_key() {
        for cell in ["\t s3://own/a.jpg \n", " a.jpg \n"] {
            let named = buckets().place(Some(cell)).unwrap();
            assert_eq!(
                named,
                NamedObject { uri: S3Uri::new("own", "a.jpg \n"), trimmed: Some(S3Uri::new("own", "a.jpg")) }
            );
        }
    }

    #[rstest]
    #[case(
        None,
        "no image named",
        "not sent: no image named: the image: the row names none; write `s3://bucket/path`, or a key in own"
    )]
    #[case(Some("  "), "no image named", "")]
    #[case(Some("https://example.org/a.jpg"), "image not in S3", "the image is `https://example.org/a.jpg`: is not")]
    #[case(Some("data:image/png;base64,AAAA"), "image not in S3", "")]
    #[case(Some("s3://others/a.jpg"), "image in a bucket that the stack may not read", "`inputBuckets`")]
    #[case(Some("s3://Photos/a.jpg"), "image address invalid", "must name a bucket")]
    #[case(Some("s3://photos"), "image address invalid", "no object in it")]
    #[case(Some("s3://photos/a/"), "image address invalid", "names a folder")]
    #[case(Some("s3a://own/a.jpg"), "image not in S3", "write `s3://own/a.jpg`")]
    #[case(Some("arn:aws:s3:::own/a.jpg"), "image address invalid", "is an ARN; write `s3://own/a.jpg`")]
    #[case(Some("\"s3://own/a.jpg\""), "image address invalid", "is in quotes")]
    fn invalid_and_unreadable_addresses_are_reported(
        #[case] cell: Option<&str>,
        #[case] reason: &str,
        #[case] expected: &str,
    ) {
        let refused = buckets().place(cell).unwrap_err();
        assert_eq!(refused.reason.words(), reason);
        let text = refused.to_string();
        assert!(text.starts_with(&format!("not sent: {reason}: the image")) && text.contains(expected), "{text}");
    }

    #[test]
    fn a_long_cell_is_not_quoted_in_full() {
        let refused = buckets().place(Some(&"x".repeat(100_000))).unwrap_err();
        assert!(refused.detail.len() < 400, "{}", refused.detail.len());
    }
}
