//! Files that are packaged with the functions: prompt templates and the user's model overrides.

use bedrock_batch_domain::model::ModelTable;
use bedrock_batch_domain::prompt::PromptLibrary;
use memchr::memchr_iter;
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
        let added = read_text(&path).and_then(|text| read.library.add(name, &text));
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

/// Reads a file of UTF-8.
fn read_text(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("is UTF-16; save it as UTF-8, for example with `iconv -f utf-16 -t utf-8`".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + memchr_iter(b'\n', &error.as_bytes()[..at]).count();
        format!("is not valid UTF-8 at line {line}; save it as UTF-8")
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_not_utf_8_are_told_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let text = "description = \"d\"\ntemplate = \"{text}\"";
        let utf16: Vec<u8> =
            [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(|unit: u16| unit.to_le_bytes()).collect();
        let files: [(&str, &[u8]); 3] =
            [("good.toml", text.as_bytes()), ("utf16.toml", &utf16), ("odd.toml", b"description = \"d\"\n# caf\xe9")];
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let read = read_prompts(folder.path()).unwrap();
        assert_eq!(read.library.prompts.keys().collect::<Vec<_>>(), ["good"]);
        let broken: Vec<&str> = read.broken.iter().map(|(_, problem)| problem.as_str()).collect();
        assert_eq!(broken[0], "is not valid UTF-8 at line 2; save it as UTF-8");
        assert!(broken[1].starts_with("is UTF-16; save it as UTF-8"), "{broken:?}");
    }
}
