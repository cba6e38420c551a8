//! Folder that a generation writes to.

use crate::failure::Failure;
use crate::template_files::schemas_in;
use bedrock_batch_domain::problem::listed;
use bedrock_batch_domain::prompt_generation::GeneratedFile;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folder of the schemas.
const SCHEMA_FOLDER: &str = "schema";

/// File under a temporary name, which is removed unless it gets its own.
struct StagedFile {
    temporary: PathBuf,
    path: PathBuf,
}

impl StagedFile {
    fn write(path: PathBuf, content: &str) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.tmp", std::process::id()));
        let staged = Self { temporary: folder.join(name), path };
        fs::write(&staged.temporary, content)?;
        Ok(staged)
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        // It does not exist any more if it was renamed.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Writes the files of a generation and returns their paths. No file ever has half of its content, and none is replaced before
/// all could be written: a run that is started meanwhile reads the earlier prompt or the new one.
///
/// # Errors
/// Returns an error that names the file if one cannot be written.
pub(super) fn write(out: &Path, files: &[GeneratedFile]) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |path: &Path, error: &io::Error| Failure::Failed(format!("{}: {error}", path.display()));
    let mut staged = Vec::new();
    for file in files {
        let path = out.join(&file.path);
        staged.push(StagedFile::write(path.clone(), &file.content).map_err(|error| cannot(&path, &error))?);
    }
    let mut written = Vec::new();
    for file in &staged {
        fs::rename(&file.temporary, &file.path).map_err(|error| cannot(&file.path, &error))?;
        written.push(file.path.clone());
    }
    Ok(written)
}

/// Returns a warning if readers of the newest schema would take one of another generation for that of `files`.
pub(super) fn stale_schemas(out: &Path, files: &[GeneratedFile]) -> Option<String> {
    let folder = out.join(SCHEMA_FOLDER);
    let own: BTreeSet<&str> =
        files.iter().filter_map(|file| Path::new(&file.path).strip_prefix(SCHEMA_FOLDER).ok()?.to_str()).collect();
    let (own, others): (Vec<_>, Vec<_>) =
        schemas_in(&folder).unwrap_or_default().into_iter().partition(|schema| own.contains(schema.name.as_str()));
    let own = own.into_iter().max();
    let newer = others.iter().filter(|other| own.as_ref().is_none_or(|own| *other > own));
    let mut names: Vec<&str> = newer.map(|schema| schema.name.as_str()).collect();
    names.sort_unstable();
    let rule = "is not of this generation, and readers of schemas take the newest one";
    (!names.is_empty())
        .then(|| format!("warning: the newest schema in {} {rule}; delete {}", folder.display(), listed(&names)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn file(path: &str, content: &str) -> GeneratedFile {
        GeneratedFile { path: path.to_owned(), content: content.to_owned() }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_is_replaced_unless_everything_can_be_written() {
        let out = tempfile::tempdir().unwrap();
        write(out.path(), &[file("a/prompt", "earlier")]).unwrap();
        assert_eq!(names(&out.path().join("a")), ["prompt"]);
        // A file in place of a folder.
        fs::write(out.path().join("b"), "").unwrap();
        let error = write(out.path(), &[file("a/prompt", "new"), file("b/schema", "new")]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", out.path().join("b/schema").display())), "{error}");
        assert_eq!(fs::read_to_string(out.path().join("a/prompt")).unwrap(), "earlier");
        assert_eq!(names(&out.path().join("a")), ["prompt"], "nothing temporary is left");
        write(out.path(), &[file("a/prompt", "new")]).unwrap();
        assert_eq!(fs::read_to_string(out.path().join("a/prompt")).unwrap(), "new");
    }

    #[rstest]
    #[case::newest(&["20251130", "20261130"], Some("20271130"), None)]
    #[case::same(&["20271130"], Some("20271130"), None)]
    #[case::older(&["20251130", "20281130", "20291130"], Some("20271130"), Some("delete `validation_schema_20281130.json`, `validation_schema_20291130.json`"))]
    #[case::another_form_of_the_time(&["2025-11-30", "2028-11-30"], Some("20271130"), Some("delete `validation_schema_2028-11-30.json`"))]
    #[case::without_a_time(&["final"], Some("20271130"), None)]
    #[case::without_schema(&["20251130"], None, Some("delete `validation_schema_20251130.json`"))]
    #[case::first(&[], None, None)]
    fn a_schema_that_readers_would_take_for_that_of_the_prompt_is_named(
        #[case] earlier: &[&str],
        #[case] own: Option<&str>,
        #[case] expected: Option<&str>,
    ) {
        let out = tempfile::tempdir().unwrap();
        let schema = |time: &str| file(&format!("schema/validation_schema_{time}.json"), "{}");
        let mut files: Vec<GeneratedFile> = earlier.iter().map(|time| schema(time)).collect();
        files.push(file("schema/notes.txt", "z"));
        write(out.path(), &files).unwrap();
        let mut files = vec![file("templates/prompts.json", "{}")];
        files.extend(own.map(schema));
        write(out.path(), &files).unwrap();
        let warning = stale_schemas(out.path(), &files);
        assert_eq!(warning.is_some(), expected.is_some(), "{warning:?}");
        assert!(warning.unwrap_or_default().ends_with(expected.unwrap_or_default()));
    }
}
