//! Action for an upload, by its key.

use crate::contract::prefixes::TRIGGER;
use crate::problem::Problem;

/// Suffix of the error file that is written next to an upload that started nothing.
const ERROR_SUFFIX: &str = ".error.json";
/// Maximum length of a key in S3.
const MAX_KEY_BYTES: usize = 1024;

/// Created object, as described by the event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upload {
    /// Key of the object.
    pub key: String,
    /// Version of the object, in a versioned bucket.
    pub version_id: String,
    /// Sequence number that orders the events of one key.
    pub sequencer: String,
    /// Entity tag of the content.
    pub etag: String,
    /// Time of the event.
    pub event_time: String,
    /// Size in bytes.
    pub size: Option<u64>,
}

/// Action for an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadAction {
    /// Ignore the upload, for this reason.
    Ignore(&'static str),
    /// Start an execution with the upload as its execution input.
    Start,
    /// Start a deployed configuration with the upload as its input.
    StartConfig {
        /// Name of the configuration.
        config: String,
    },
    /// Report that the upload cannot start anything.
    Reject(Problem),
}

/// Returns the action for an upload to `key`. If `takes_inputs` is false, uploads are inputs of deployed configurations only.
pub fn action_for(key: &str, takes_inputs: bool) -> UploadAction {
    let path = key.strip_prefix(TRIGGER).and_then(|path| path.strip_prefix('/'));
    let Some(path) = path else { return UploadAction::Ignore("it is not under trigger/") };
    if path.is_empty() || path.ends_with('/') {
        return UploadAction::Ignore("it marks a folder");
    }
    if path.ends_with(ERROR_SUFFIX) {
        return UploadAction::Ignore("it reports why another upload started nothing");
    }
    match path.split_once('/') {
        Some((config, _)) => UploadAction::StartConfig { config: config.to_owned() },
        None if ends_with_json(path) && takes_inputs => UploadAction::Start,
        None if ends_with_json(path) => {
            let rule = "this stack takes no execution inputs as uploads";
            let remedy = "upload the input of a deployed configuration to trigger/<configuration>/<file>, start the execution \
                          yourself, or deploy with the context key `uploadedInputs`";
            UploadAction::Reject(Problem::new("key", key, rule).remedy(remedy))
        }
        None => {
            let rule =
                "directly under trigger/, only execution inputs start an execution, and their names end in .json";
            let remedy = "upload rows or images to trigger/<configuration>/<file>";
            UploadAction::Reject(Problem::new("key", key, rule).remedy(remedy))
        }
    }
}

fn ends_with_json(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(stem, extension)| !stem.is_empty() && extension.eq_ignore_ascii_case("json"))
}

/// Returns the key of the error file of an upload, which is next to it. A key that would be too long is truncated.
pub fn error_key(key: &str) -> String {
    let max_stem = MAX_KEY_BYTES - ERROR_SUFFIX.len();
    let end = (0..=key.len().min(max_stem)).rev().find(|at| key.is_char_boundary(*at)).unwrap_or(0);
    format!("{}{ERROR_SUFFIX}", &key[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("trigger/run.json", UploadAction::Start)]
    #[case("trigger/RUN.JSON", UploadAction::Start)]
    #[case("trigger/clothing/photos.csv", UploadAction::StartConfig { config: "clothing".to_owned() })]
    #[case("trigger/clothing/2026/11/photos.json", UploadAction::StartConfig { config: "clothing".to_owned() })]
    fn execution_inputs_and_inputs_of_configurations_start_executions(
        #[case] key: &str,
        #[case] expected: UploadAction,
    ) {
        assert_eq!(action_for(key, true), expected);
    }

    #[rstest]
    #[case("trigger/")]
    #[case("trigger/clothing/")]
    #[case("trigger/run.json.error.json")]
    #[case("trigger/clothing/photos.csv.error.json")]
    #[case("inputs/run.json")]
    #[case("triggers/run.json")]
    fn folders_error_files_and_other_keys_are_ignored(#[case] key: &str) {
        assert!(matches!(action_for(key, true), UploadAction::Ignore(_)), "{key}");
    }

    #[rstest]
    #[case("trigger/photos.csv")]
    #[case("trigger/json")]
    #[case("trigger/.json")]
    fn other_files_directly_under_the_folder_are_rejected(#[case] key: &str) {
        assert!(matches!(action_for(key, true), UploadAction::Reject(_)), "{key}");
    }

    #[test]
    fn execution_inputs_are_rejected_where_the_stack_takes_none() {
        let UploadAction::Reject(problem) = action_for("trigger/run.json", false) else { panic!("it is rejected") };
        assert!(problem.to_string().contains("`uploadedInputs`"), "{problem}");
        assert!(matches!(action_for("trigger/c/run.json", false), UploadAction::StartConfig { .. }));
        assert!(matches!(action_for("trigger/run.json.error.json", false), UploadAction::Ignore(_)));
    }

    proptest! {
        #[test]
        fn error_files_never_start_anything(key in "\\PC{0,60}", times in 0usize..30) {
            let written = error_key(&format!("trigger/{}", key.repeat(times)));
            prop_assert!(written.len() <= MAX_KEY_BYTES);
            prop_assert!(matches!(action_for(&written, true), UploadAction::Ignore(_)));
        }
    }
}
