//! Photos that were really sent to a model. They are not part of the repository: `BEDROCK_BATCH_SAMPLES` names the folder
//! that contains them; without it, this test reports that it is skipped.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test that reads samples")]

use bedrock_batch_domain::image::{ImageLimits, ImageProblem, MediaType, inspect};
use bedrock_batch_domain::model::Family;
use std::path::Path;

#[test]
fn photos_are_accepted_and_truncated_photos_are_refused() {
    let Some(samples) = std::env::var_os("BEDROCK_BATCH_SAMPLES") else {
        eprintln!("SKIPPED: BEDROCK_BATCH_SAMPLES names no folder of photos");
        return;
    };
    let limits = ImageLimits::of(Family::AnthropicMessages);
    let mut folders = vec![Path::new(&samples).join("clothing/images")];
    let mut photos = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(inspect(&bytes, &limits), Ok(MediaType::Jpeg), "{}", path.display());
            let half = inspect(&bytes[..bytes.len() / 2], &limits);
            assert_eq!(half, Err(ImageProblem::CutOff(MediaType::Jpeg)), "{}", path.display());
            photos += 1;
        }
    }
    assert_eq!(photos, 100);
}
