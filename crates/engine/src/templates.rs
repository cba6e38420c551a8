//! The files that travel with the functions: prompt templates and the user's model overrides.

use bedrock_batch_domain::model::ModelTable;
use bedrock_batch_domain::prompt::PromptLibrary;
use std::path::Path;

/// All prompt templates and expansion rules of a folder, by name (the file's without `.toml`).
///
/// # Errors
/// All that is wrong with them, one file a line or more.
pub fn load_prompts(folder: &Path) -> Result<PromptLibrary, String> {
    let cannot_read = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot_read)? {
        files.push(entry.map_err(cannot_read)?.path());
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    let (mut library, mut problems) = (PromptLibrary::default(), Vec::new());
    for path in files {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let added = match std::fs::read_to_string(&path) {
            Ok(text) => library.add(name, &text),
            Err(error) => Err(error.to_string()),
        };
        problems.extend(added.err().map(|error| format!("{}: {error}", path.display())));
    }
    if problems.is_empty() {
        // Only when all files are read is it known which of a rule's prompts are missing.
        problems = library.rule_problems().iter().map(|problem| format!("{}/{problem}", folder.display())).collect();
    }
    if problems.is_empty() { Ok(library) } else { Err(problems.join("\n")) }
}

/// The table of models with the overrides of `file`, if there is such a file.
///
/// # Errors
/// What is wrong with the file.
pub fn load_models(file: &Path) -> Result<ModelTable, String> {
    let overrides = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("{}: {error}", file.display())),
    };
    ModelTable::with_overrides(&overrides).map_err(|error| format!("{}: {error}", file.display()))
}
