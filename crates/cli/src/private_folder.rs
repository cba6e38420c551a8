//! Folders that no other user can enter, in which files are complete before they get their names: no file is ever half
//! written, none is replaced before all are there, and no link that someone else made is followed.

use bedrock_batch_domain::printable;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use tempfile::{Builder, TempDir};

/// Rights of the folder: all for its user, none for others.
const RIGHTS: u32 = 0o700;
const PREFIX: &str = ".bedrock-batch-";

/// Folder with an unpredictable name, which is removed with all that is left in it.
#[derive(Debug)]
pub(crate) struct PrivateFolder(TempDir);

/// File that could not get its name.
#[derive(Debug)]
pub(crate) struct NotMoved {
    pub(crate) target: PathBuf,
    pub(crate) error: io::Error,
}

impl PrivateFolder {
    /// Creates a folder for files that are not kept.
    pub(crate) fn temporary() -> io::Result<Self> {
        Builder::new().prefix(PREFIX).permissions(Permissions::from_mode(RIGHTS)).tempdir().map(Self)
    }

    /// Creates a folder within `folder`, for files that are moved to places in it.
    pub(crate) fn within(folder: &Path) -> io::Result<Self> {
        Builder::new().prefix(PREFIX).permissions(Permissions::from_mode(RIGHTS)).tempdir_in(folder).map(Self)
    }

    /// Creates a file in the folder.
    ///
    /// # Errors
    /// Returns an error if the name leads elsewhere or is not printable, and if there is a file of this name.
    pub(crate) fn create(&self, name: &str) -> io::Result<(PathBuf, File)> {
        if !is_plain_name(name) {
            let shown = printable::shortened(name, 200);
            return Err(io::Error::new(ErrorKind::InvalidInput, format!("`{shown}` is not a plain name of a file")));
        }
        let path = self.0.path().join(name);
        let file = File::options().write(true).create_new(true).open(&path)?;
        Ok((path, file))
    }

    /// Moves files of this folder, by their names, to their places, in this order. A link in such a place is replaced, not
    /// followed.
    ///
    /// # Errors
    /// Returns an error before any file is moved if a place is that of a folder; else the file that could not be moved.
    #[expect(clippy::disallowed_methods, reason = "this is the place that `rename` is reserved for")]
    pub(crate) fn move_all(self, files: &[(String, PathBuf)]) -> Result<(), NotMoved> {
        for (_, target) in files {
            if fs::symlink_metadata(target).is_ok_and(|found| found.is_dir()) {
                let error = io::Error::new(ErrorKind::IsADirectory, "is a folder: remove it, or choose another target");
                return Err(NotMoved { target: target.clone(), error });
            }
        }
        for (name, target) in files {
            fs::rename(self.0.path().join(name), target).map_err(|error| NotMoved { target: target.clone(), error })?;
        }
        Ok(())
    }
}

/// Returns true for a name that is that of a file in a folder, whatever the folder is, and that can be shown as it is.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let is_single = matches!((components.next(), components.next()), (Some(Component::Normal(_)), None));
    is_single && !name.contains(['/', '\\']) && !name.contains(printable::is_hidden)
}

/// Creates the folder `within` of `root`, and those above it.
///
/// # Errors
/// Returns an error if one of them exists and is a link, or is not a folder.
pub(crate) fn create_folder(root: &Path, within: &Path) -> io::Result<()> {
    fs::create_dir_all(root)?;
    let mut folder = root.to_owned();
    for part in within.components() {
        folder.push(part);
        match fs::symlink_metadata(&folder) {
            Ok(found) if found.is_dir() => {}
            Ok(found) if found.is_symlink() => {
                let rule = format!("{} is a link, which is not followed: remove it", folder.display());
                return Err(io::Error::new(ErrorKind::InvalidInput, rule));
            }
            Ok(_) => {
                let rule = format!("{} is not a folder: remove it", folder.display());
                return Err(io::Error::new(ErrorKind::NotADirectory, rule));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => fs::create_dir(&folder)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use rstest::rstest;
    use std::io::Write;
    use std::os::unix::fs::symlink;

    /// Returns the names of all that is in a folder, sorted.
    pub(crate) fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.collect();
        names.sort();
        names
    }

    #[test]
    fn only_its_user_can_enter_it_and_no_one_can_guess_its_name() {
        let (one, other) = (PrivateFolder::temporary().unwrap(), PrivateFolder::temporary().unwrap());
        for folder in [&one, &other] {
            assert_eq!(fs::metadata(folder.0.path()).unwrap().permissions().mode() & 0o777, RIGHTS);
        }
        assert_ne!(one.0.path(), other.0.path());
        let path = one.0.path().to_owned();
        one.create("a").unwrap();
        drop(one);
        assert!(!path.exists());
    }

    #[rstest]
    #[case::up("../a")]
    #[case::above("..")]
    #[case::itself(".")]
    #[case::empty("")]
    #[case::rooted("/etc/passwd")]
    #[case::below("a/b")]
    #[case::slash_at_the_end("a/")]
    #[case::of_another_system("a\\b")]
    #[case::escape("a\u{1b}[2J.parquet")]
    #[case::line_break("a\nb")]
    #[case::reordered("a\u{202e}teuqrap.exe")]
    fn names_that_lead_elsewhere_or_cannot_be_shown_are_refused(#[case] name: &str) {
        let folder = PrivateFolder::temporary().unwrap();
        let error = folder.create(name).unwrap_err().to_string();
        assert!(error.ends_with("is not a plain name of a file") && !error.contains(printable::is_hidden), "{error:?}");
        assert_eq!(names(folder.0.path()), [""; 0]);
    }

    #[test]
    fn a_link_in_the_place_of_a_file_is_replaced_and_not_followed() {
        let (target, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let victim = elsewhere.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, target.path().join("0000.parquet")).unwrap();
        let folder = PrivateFolder::within(target.path()).unwrap();
        let (_, mut file) = folder.create("0000.parquet").unwrap();
        file.write_all(b"rows").unwrap();
        folder.move_all(&[("0000.parquet".to_owned(), target.path().join("0000.parquet"))]).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert_eq!(fs::read_to_string(target.path().join("0000.parquet")).unwrap(), "rows");
        assert!(!fs::symlink_metadata(target.path().join("0000.parquet")).unwrap().is_symlink());
        assert_eq!(names(target.path()), ["0000.parquet"], "nothing temporary is left");
    }

    #[test]
    fn nothing_is_replaced_unless_all_files_have_a_place() {
        let target = tempfile::tempdir().unwrap();
        fs::write(target.path().join("a"), "earlier").unwrap();
        fs::create_dir(target.path().join("b")).unwrap();
        let folder = PrivateFolder::within(target.path()).unwrap();
        let files = ["a", "b"].map(|name| (name.to_owned(), target.path().join(name)));
        for name in ["a", "b"] {
            folder.create(name).unwrap();
        }
        let refused = folder.move_all(&files).unwrap_err();
        assert_eq!(refused.target, target.path().join("b"));
        assert_eq!(fs::read_to_string(target.path().join("a")).unwrap(), "earlier");
    }

    #[test]
    fn a_folder_that_is_a_link_is_refused() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(elsewhere.path(), root.path().join("a")).unwrap();
        let error = create_folder(root.path(), Path::new("a/b")).unwrap_err().to_string();
        assert!(error.ends_with("a is a link, which is not followed: remove it"), "{error}");
        assert_eq!(names(elsewhere.path()), [""; 0]);
        create_folder(root.path(), Path::new("c/d")).unwrap();
        create_folder(root.path(), Path::new("c/d")).unwrap();
        assert!(root.path().join("c/d").is_dir());
    }
}
