//! Folder of prompt configurations, and the prompt that is generated from it.

use crate::failure::Failure;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::prompt_generation::{
    self, ConfigFile, GeneratedPrompt, GenerationTime, MAX_CONFIG_FILE_BYTES, PromptConfiguration, SettingTexts,
    Settings, default_prompt_id, misnamed,
};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Returns the folder of prompt configurations that `path` names: itself, or the folder of one of their files.
pub(crate) fn folder_of(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.to_owned());
    }
    ConfigFile::of_name(path.file_name()?.to_str()?)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Some(parent.unwrap_or(Path::new(".")).to_owned())
}

/// Generates the prompt of a folder, or returns all problems of its files and of the settings.
///
/// # Errors
/// Returns an error if the folder cannot be read.
pub(super) fn generated(
    folder: &Path,
    texts: &SettingTexts,
    time: GenerationTime,
) -> Result<Result<GeneratedPrompt, Vec<Problem>>, Failure> {
    let Folder { files, mut problems } = read(folder)?;
    let (config, of_files) = PromptConfiguration::read(&files);
    let (settings, of_settings) = Settings::read(texts, &default_prompt_id(&name_of(folder)));
    problems.extend(of_files);
    problems.extend(of_settings);
    Ok(match (config, settings) {
        (Some(config), Some(settings)) if problems.is_empty() => {
            prompt_generation::generate(&config, &settings, time).map_err(|problem| vec![problem])
        }
        _ => Err(problems),
    })
}

/// Returns the name of a folder, also of `.`.
fn name_of(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Content of a folder.
#[derive(Debug)]
struct Folder {
    /// Contents of the files that exist.
    files: BTreeMap<ConfigFile, Vec<u8>>,
    /// Problems of files that would be ignored although they are meant.
    problems: Vec<Problem>,
}

/// Reads a folder.
///
/// # Errors
/// Returns an error if the folder or a file cannot be read.
fn read(folder: &Path) -> Result<Folder, Failure> {
    let cannot = |path: &Path, error: &std::io::Error| Failure::Usage(format!("{}: {error}", path.display()));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| cannot(folder, &error))? {
        let name = entry.map_err(|error| cannot(folder, &error))?.file_name();
        names.extend(name.into_string().ok());
    }
    names.sort();
    let problems = names.iter().filter_map(|name| misnamed(name)).collect();
    let mut files = BTreeMap::new();
    for file in ConfigFile::ALL {
        let path = folder.join(file.file_name());
        match bytes_of(&path) {
            Ok(bytes) => {
                files.insert(file, bytes);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(cannot(&path, &error)),
        }
    }
    Ok(Folder { files, problems })
}

/// Returns the content of a file; of one that is too large, enough to see that it is.
fn bytes_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_CONFIG_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
