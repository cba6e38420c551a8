//! Folder that a generation writes to.

use crate::failure::Failure;
use crate::private_folder::{PrivateFolder, create_folder};
use crate::template_files::schemas_in;
use bedrock_batch_domain::problem::listed;
use bedrock_batch_domain::prompt_generation::GeneratedFile;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Folder of the schemas.
const SCHEMA_FOLDER: &str = "schema";

/// Writes the files of a generation and returns their paths. No file ever has half of its content, and none is replaced before
/// all could be written: a run that is started meanwhile reads the earlier prompt or the new one.
///
/// # Errors
/// Returns an error that names the file if one cannot be written.
pub(super) fn write(out: &Path, files: &[GeneratedFile]) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |path: &Path, error: &io::Error| Failure::Failed(format!("{}: {error}", path.display()));
    fs::create_dir_all(out).map_err(|error| cannot(out, &error))?;
    let folder = PrivateFolder::within(out).map_err(|error| cannot(out, &error))?;
    let mut staged = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let path = out.join(&file.path);
        let written = stage(&folder, out, number, file).map_err(|error| cannot(&path, &error))?;
        staged.push((written, path));
    }
    folder.move_all(&staged).map_err(|refused| cannot(&refused.target, &refused.error))?;
    Ok(staged.into_iter().map(|(_, path)| path).collect())
}

/// Writes a file under a temporary name, which it returns. Creates the folder that the file is for.
fn stage(folder: &PrivateFolder, out: &Path, number: usize, file: &GeneratedFile) -> io::Result<String> {
    create_folder(out, Path::new(&file.path).parent().unwrap_or(Path::new("")))?;
    let name = number.to_string();
    let (_, mut written) = folder.create(&name)?;
    written.write_all(file.content.as_bytes())?;
    Ok(name)
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
    use crate::private_folder::tests::names;
    use rstest::rstest;

    fn file(path: &str, content: &str) -> GeneratedFile {
        GeneratedFile { path: path.to_owned(), content: content.to_owned() }
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

    #[test]
    fn a_folder_that_is_a_link_is_not_written_to() {
        let (out, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(elsewhere.path(), out.path().join("templates")).unwrap();
        let error = write(out.path(), &[file("templates/prompts.json", "{}")]).unwrap_err().to_string();
        assert!(error.contains("templates is a link, which is not followed"), "{error}");
        assert_eq!(names(elsewhere.path()), [""; 0]);
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
