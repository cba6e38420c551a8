//! Name of the execution that an upload starts, the same for every delivery of the event.

use super::Upload;
use sha2::{Digest, Sha256};

/// Maximum length of a name in Step Functions.
const MAX_NAME_LENGTH: usize = 80;
/// Number of hex digits that distinguish uploads.
const DIGITS: usize = 16;

/// Returns `<file name without its extension>-<16 hex digits>`, which is also a valid run id without cleaning.
pub fn execution_name(upload: &Upload) -> String {
    let file = upload.key.rsplit('/').next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let mut cleaned = String::new();
    for c in stem.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            cleaned.push(c);
        } else if !cleaned.is_empty() && !cleaned.ends_with('-') {
            cleaned.push('-');
        }
    }
    cleaned.truncate(MAX_NAME_LENGTH - DIGITS - 1);
    let stem = cleaned.trim_matches(|c| c == '-' || c == '_');
    format!("{}-{}", if stem.is_empty() { "upload" } else { stem }, digits(upload))
}

fn digits(upload: &Upload) -> String {
    let unversioned = upload.sequencer.is_empty() && upload.version_id.is_empty();
    let time = if unversioned { upload.event_time.as_str() } else { "" };
    let mut hash = Sha256::new();
    for part in [&upload.key, &upload.version_id, &upload.sequencer, &upload.etag, time] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())[..DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RunId;
    use proptest::prelude::*;

    fn upload(key: &str, sequencer: &str, time: &str) -> Upload {
        Upload {
            key: key.to_owned(),
            sequencer: sequencer.to_owned(),
            event_time: time.to_owned(),
            ..Upload::default()
        }
    }

    #[test]
    fn the_name_depends_on_the_upload_and_not_on_the_delivery() {
        let name = execution_name(&upload("trigger/clothing/Photos of May.csv", "1", "t"));
        assert_eq!(name, execution_name(&upload("trigger/clothing/Photos of May.csv", "1", "delivered again later")));
        assert!(name.starts_with("Photos-of-May-") && name.len() == "Photos-of-May-".len() + 16, "{name}");
        assert_ne!(name, execution_name(&upload("trigger/clothing/Photos of May.csv", "2", "t")));
        assert_ne!(name, execution_name(&upload("trigger/clothes/Photos of May.csv", "1", "t")));
    }

    #[test]
    fn without_sequencer_and_version_the_time_distinguishes_uploads() {
        let name = |time: &str| execution_name(&upload("trigger/a.json", "", time));
        assert_eq!(name("t"), name("t"));
        assert_ne!(name("t"), name("u"));
    }

    proptest! {
        #[test]
        fn names_are_always_valid_for_step_functions_and_bedrock(key in "trigger/\\PC{0,120}", sequencer in "[0-9A-F]{0,16}") {
            let name = execution_name(&upload(&key, &sequencer, ""));
            prop_assert!(name.len() <= MAX_NAME_LENGTH);
            let run_id = RunId::of_execution(&name);
            prop_assert_eq!(run_id.as_str(), name.as_str());
        }
    }
}
