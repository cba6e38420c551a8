//! The files that travel with the functions: prompt templates and the user's model overrides.

use bedrock_batch_domain::model::ModelTable;
use bedrock_batch_domain::prompt::Prompt;
use std::collections::BTreeMap;
use std::path::Path;

/// All prompt templates of a folder, by `prompt_id` (the file's name without `.toml`).
///
/// # Errors
/// Which file is wrong, and how.
pub fn load_prompts(folder: &Path) -> Result<BTreeMap<String, Prompt>, String> {
    let cannot_read = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut prompts = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(cannot_read)? {
        let path = entry.map_err(cannot_read)?.path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let prompt = Prompt::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        prompts.insert(name, prompt);
    }
    Ok(prompts)
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
