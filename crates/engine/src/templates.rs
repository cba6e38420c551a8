//! Files that are packaged with the functions: prompt templates and the user's model overrides.

use bedrock_batch_domain::model::ModelTable;
use bedrock_batch_domain::prompt::PromptLibrary;
use std::path::{Path, PathBuf};

/// Loads all prompt templates and expansion rules of a folder, by file name without `.toml`.
///
/// # Errors
/// Returns all problems, with at least one line per invalid file.
pub fn load_prompts(folder: &Path) -> Result<PromptLibrary, String> {
    let (library, broken) = read_prompts(folder)?;
    if broken.is_empty() {
        return Ok(library);
    }
    let lines: Vec<String> = broken.iter().map(|(file, wrong)| format!("{}: {wrong}", file.display())).collect();
    Err(lines.join("\n"))
}

/// Loads all valid files, like [`load_prompts`], and returns the problem of each invalid one.
///
/// # Errors
/// Returns an error if the folder cannot be read.
pub fn read_prompts(folder: &Path) -> Result<(PromptLibrary, Vec<(PathBuf, String)>), String> {
    let cannot_read = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot_read)? {
        files.push(entry.map_err(cannot_read)?.path());
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    let (mut library, mut broken) = (PromptLibrary::default(), Vec::new());
    for path in files {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let added = match std::fs::read_to_string(&path) {
            Ok(text) => library.add(name, &text),
            Err(error) => Err(error.to_string()),
        };
        broken.extend(added.err().map(|error| (path.clone(), error)));
    }
    if broken.is_empty() {
        // Missing prompts of a rule are known only after all files have been read.
        let of_rules = library.rule_problems().into_iter().map(|problem| {
            let (id, wrong) = problem.split_once(": ").unwrap_or(("", &problem));
            (folder.join(format!("{id}.toml")), wrong.to_owned())
        });
        broken.extend(of_rules);
    }
    Ok((library, broken))
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
