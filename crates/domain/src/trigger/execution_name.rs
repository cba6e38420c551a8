//! The name of the execution that an upload starts: the same however often the upload is told of.

use super::Upload;
use sha2::{Digest, Sha256};

/// The longest name that Step Functions takes.
const LONGEST: usize = 80;
/// Hex digits that tell uploads apart.
const DIGITS: usize = 16;

/// `<file name without its ending>-<16 hex digits>`: as a run's id, it needs no cleaning any more.
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
    cleaned.truncate(LONGEST - DIGITS - 1);
    let stem = cleaned.trim_matches(|c| c == '-' || c == '_');
    format!("{}-{}", if stem.is_empty() { "upload" } else { stem }, digits(upload))
}

fn digits(upload: &Upload) -> String {
    let untold = upload.sequencer.is_empty() && upload.version_id.is_empty();
    let time = if untold { upload.event_time.as_str() } else { "" };
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
    use crate::layout::run_id;
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
    fn an_upload_keeps_its_name_and_another_one_has_another() {
        let name = execution_name(&upload("trigger/clothing/Photos of May.csv", "1", "t"));
        assert_eq!(name, execution_name(&upload("trigger/clothing/Photos of May.csv", "1", "told again later")));
        assert!(name.starts_with("Photos-of-May-") && name.len() == "Photos-of-May-".len() + 16, "{name}");
        assert_ne!(name, execution_name(&upload("trigger/clothing/Photos of May.csv", "2", "t")));
        assert_ne!(name, execution_name(&upload("trigger/clothes/Photos of May.csv", "1", "t")));
    }

    #[test]
    fn without_sequencer_and_version_the_time_tells_uploads_apart() {
        let name = |time: &str| execution_name(&upload("trigger/a.json", "", time));
        assert_eq!(name("t"), name("t"));
        assert_ne!(name("t"), name("u"));
    }

    proptest! {
        #[test]
        fn step_functions_and_bedrock_take_every_name(key in "trigger/\\PC{0,120}", sequencer in "[0-9A-F]{0,16}") {
            let name = execution_name(&upload(&key, &sequencer, ""));
            prop_assert!(name.len() <= LONGEST);
            prop_assert_eq!(&run_id(&name), &name);
        }
    }
}
