//! Files that are packaged with the functions: prompt templates and the user's model overrides.

use bedrock_batch_domain::model::ModelTable;
use bedrock_batch_domain::prompt::PromptLibrary;
use std::path::{Path, PathBuf};

/// Prompts of a folder, with the problems of its files.
#[derive(Debug, Default)]
pub struct PromptFolder {
    /// Valid prompts and rules.
    pub library: PromptLibrary,
    /// Files with mistakes, and what these are.
    pub broken: Vec<(PathBuf, String)>,
    /// Files of valid rules that name prompts which the folder does not have. Another library may have them.
    pub incomplete_rules: Vec<(PathBuf, String)>,
}

/// Loads all prompt templates and expansion rules of a folder, by file name without `.toml`.
///
/// # Errors
/// Returns all problems, with at least one line per invalid file.
pub fn load_prompts(folder: &Path) -> Result<PromptLibrary, String> {
    let PromptFolder { library, broken, incomplete_rules } = read_prompts(folder)?;
    let invalid = broken.iter().chain(&incomplete_rules);
    let lines: Vec<String> = invalid.map(|(file, problem)| format!("{}: {problem}", file.display())).collect();
    if lines.is_empty() { Ok(library) } else { Err(lines.join("\n")) }
}

/// Loads all valid files, like [`load_prompts`], and returns the problem of each invalid one.
///
/// # Errors
/// Returns an error if the folder cannot be read.
pub fn read_prompts(folder: &Path) -> Result<PromptFolder, String> {
    let cannot_read = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot_read)? {
        files.push(entry.map_err(cannot_read)?.path());
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    let mut read = PromptFolder::default();
    for path in files {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let added = match std::fs::read_to_string(&path) {
            Ok(text) => read.library.add(name, &text),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = added {
            read.library.unreadable.insert(name.to_owned());
            read.broken.push((path.clone(), error));
        }
    }
    // Missing prompts of a rule are known only after all files have been read. Those with mistakes are not missing.
    let of_rules = read.library.rule_problems().into_iter();
    read.incomplete_rules
        .extend(of_rules.map(|(id, problem)| (folder.join(format!("{id}.toml")), problem.to_string())));
    Ok(read)
}

/// Loads the table of models with the overrides of `file`, if that file exists.
///
/// # Errors
/// Returns the problem of the file if it is invalid.
pub fn load_models(file: &Path) -> Result<ModelTable, String> {
    let overrides = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("{}: {error}", file.display())),
    };
    ModelTable::with_overrides(&overrides).map_err(|error| format!("{}: {error}", file.display()))
}
