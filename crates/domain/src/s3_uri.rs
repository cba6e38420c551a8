//! S3 addresses: `s3://bucket/key`.

use std::fmt;

/// S3 address: a bucket and a key or prefix, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct S3Uri {
    /// Name of the bucket: 3 to 63 characters of `a-z0-9.-`.
    pub bucket: String,
    /// Key or prefix, as written, without the leading slash.
    pub key: String,
}

impl S3Uri {
    /// Parses `s3://bucket/key`.
    ///
    /// # Errors
    /// Returns the rule that the text breaks, for a [`crate::problem::Problem`].
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must look like `s3://bucket/path`";
        let rest = text.strip_prefix("s3://").ok_or(RULE)?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(fits) {
            return Err("must name a bucket of 3 to 63 characters a-z, 0-9, `.` and `-`: `s3://bucket/path`");
        }
        if key.len() > 1024 {
            return Err("has a key of over 1,024 bytes, more than S3 allows");
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// Creates an address from its parts.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into() }
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("s3://my-bucket/a/b.csv", "my-bucket", "a/b.csv")]
    #[case("s3://my-bucket", "my-bucket", "")]
    #[case("s3://my-bucket/dt=2026-01-01/", "my-bucket", "dt=2026-01-01/")]
    fn valid_addresses_are_parsed(#[case] text: &str, #[case] bucket: &str, #[case] key: &str) {
        assert_eq!(S3Uri::parse(text), Ok(S3Uri::new(bucket, key)));
    }

    #[rstest]
    #[case("my-bucket/a.csv")]
    #[case("s3:///a.csv")]
    #[case("s3://YOUR_ACCOUNT_ID/a")]
    #[case("https://bucket/a")]
    #[case("")]
    fn invalid_addresses_are_refused(#[case] text: &str) {
        assert!(S3Uri::parse(text).is_err());
    }
}
