//! Places of the files of a generated prompt in S3.

use crate::s3_uri::S3Uri;

/// Name of the file with the texts of the prompt.
pub const PROMPTS_JSON: &str = "prompts.json";

/// Place of the schema of the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaPlace {
    /// The schema itself.
    Object(S3Uri),
    /// Folder of schemas; its key ends in `/`, or is empty.
    Folder(S3Uri),
}

impl SchemaPlace {
    /// Returns the place that an address names.
    pub fn of(uri: &S3Uri) -> Self {
        if is_file(uri) { Self::Object(uri.clone()) } else { Self::Folder(as_folder(uri)) }
    }
}

/// Returns the address of `prompts.json`, which `uri` or its folder names.
pub fn prompts_object(uri: &S3Uri) -> S3Uri {
    if is_file(uri) {
        return uri.clone();
    }
    let folder = as_folder(uri);
    S3Uri { key: folder.key + PROMPTS_JSON, ..folder }
}

fn is_file(uri: &S3Uri) -> bool {
    uri.key.to_ascii_lowercase().ends_with(".json")
}

fn as_folder(uri: &S3Uri) -> S3Uri {
    let key = uri.key.trim_end_matches('/');
    S3Uri::new(&uri.bucket, if key.is_empty() { String::new() } else { format!("{key}/") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("s3://lake/t/", "s3://lake/t/prompts.json")]
    #[case("s3://lake/a/t", "s3://lake/a/t/prompts.json")]
    #[case("s3://lake", "s3://lake/prompts.json")]
    #[case("s3://lake/t/prompts_v2.JSON", "s3://lake/t/prompts_v2.JSON")]
    fn a_folder_contains_prompts_json(#[case] named: &str, #[case] expected: &str) {
        assert_eq!(prompts_object(&S3Uri::parse(named).unwrap()).to_string(), expected);
    }

    #[rstest]
    #[case("s3://lake/s/", SchemaPlace::Folder(S3Uri::new("lake", "s/")))]
    #[case("s3://lake/s", SchemaPlace::Folder(S3Uri::new("lake", "s/")))]
    #[case("s3://lake/", SchemaPlace::Folder(S3Uri::new("lake", "")))]
    #[case("s3://lake/s/a.json", SchemaPlace::Object(S3Uri::new("lake", "s/a.json")))]
    fn a_schema_is_a_file_or_in_a_folder(#[case] named: &str, #[case] expected: SchemaPlace) {
        assert_eq!(SchemaPlace::of(&S3Uri::parse(named).unwrap()), expected);
    }
}
