//! What an upload means, by its key.

use crate::contract::prefixes::TRIGGER;
use crate::problem::Problem;

/// The ending of what we write beside an upload that started nothing.
const ERROR_ENDING: &str = ".error.json";
/// The most bytes of a key in S3.
const LONGEST_KEY: usize = 1024;

/// An object that was created, as the event tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upload {
    /// Its key.
    pub key: String,
    /// Its version, in a bucket that has versions.
    pub version_id: String,
    /// Orders the events of one key.
    pub sequencer: String,
    /// Of its content.
    pub etag: String,
    /// When the event happened.
    pub event_time: String,
    /// Its bytes.
    pub size: Option<u64>,
}

/// What is to be done about an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing, and why.
    Nothing(&'static str),
    /// It is itself an execution input.
    Input,
    /// It is the input of a configuration that is deployed here.
    InputOf {
        /// The configuration's name.
        config: String,
    },
    /// It cannot start anything.
    Wrong(Problem),
}

/// What an upload to `key` means.
pub fn meaning(key: &str) -> Meaning {
    let path = key.strip_prefix(TRIGGER).and_then(|path| path.strip_prefix('/'));
    let Some(path) = path else { return Meaning::Nothing("it is not under trigger/") };
    if path.is_empty() || path.ends_with('/') {
        return Meaning::Nothing("it marks a folder");
    }
    if path.ends_with(ERROR_ENDING) {
        return Meaning::Nothing("it says why another upload started nothing");
    }
    match path.split_once('/') {
        Some((config, _)) => Meaning::InputOf { config: config.to_owned() },
        None if ends_with_json(path) => Meaning::Input,
        None => {
            let rule = "directly under trigger/ only execution inputs start something, and their names end in .json";
            let remedy = "upload rows or images to trigger/<configuration>/<file>";
            Meaning::Wrong(Problem::new("key", key, rule).remedy(remedy))
        }
    }
}

fn ends_with_json(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(stem, ending)| !stem.is_empty() && ending.eq_ignore_ascii_case("json"))
}

/// Where it is written down why an upload started nothing: beside it. A key that would get too long is cut.
pub fn error_key(key: &str) -> String {
    let most = LONGEST_KEY - ERROR_ENDING.len();
    let end = (0..=key.len().min(most)).rev().find(|at| key.is_char_boundary(*at)).unwrap_or(0);
    format!("{}{ERROR_ENDING}", &key[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("trigger/run.json", Meaning::Input)]
    #[case("trigger/RUN.JSON", Meaning::Input)]
    #[case("trigger/clothing/photos.csv", Meaning::InputOf { config: "clothing".to_owned() })]
    #[case("trigger/clothing/2026/11/photos.json", Meaning::InputOf { config: "clothing".to_owned() })]
    fn starts(#[case] key: &str, #[case] expected: Meaning) {
        assert_eq!(meaning(key), expected);
    }

    #[rstest]
    #[case("trigger/")]
    #[case("trigger/clothing/")]
    #[case("trigger/run.json.error.json")]
    #[case("trigger/clothing/photos.csv.error.json")]
    #[case("inputs/run.json")]
    #[case("triggers/run.json")]
    fn is_ignored(#[case] key: &str) {
        assert!(matches!(meaning(key), Meaning::Nothing(_)), "{key}");
    }

    #[rstest]
    #[case("trigger/photos.csv")]
    #[case("trigger/json")]
    #[case("trigger/.json")]
    fn is_wrong(#[case] key: &str) {
        assert!(matches!(meaning(key), Meaning::Wrong(_)), "{key}");
    }

    proptest! {
        #[test]
        fn what_we_write_ourselves_never_starts_anything(key in "\\PC{0,60}", times in 0usize..30) {
            let written = error_key(&format!("trigger/{}", key.repeat(times)));
            prop_assert!(written.len() <= LONGEST_KEY);
            prop_assert!(matches!(meaning(&written), Meaning::Nothing(_)));
        }
    }
}
