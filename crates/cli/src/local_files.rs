//! Files of this machine that are uploaded: none is reached through a link, and what is uploaded is what was hashed.

use bedrock_batch_domain::printable;
use sha2::{Digest, Sha256};
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Maximum number of paths that a message names.
const MAX_NAMED: usize = 5;

/// Lists the files of a folder and its subfolders, in order. Hidden files (`.DS_Store`) are never meant as input.
///
/// # Errors
/// Returns an error that names them if there are links, or anything else that is neither a file nor a folder: a folder from
/// elsewhere must not decide which other files of this machine are uploaded, and nothing is left out unnoticed.
pub(crate) fn files_under(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut files, mut refused) = (Vec::new(), Vec::new());
    collect(folder, &mut files, &mut refused)?;
    if refused.is_empty() {
        files.sort();
        return Ok(files);
    }
    refused.sort();
    let named: Vec<String> = refused.iter().take(MAX_NAMED).map(|path| format!("`{}`", path.display())).collect();
    let more = refused.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let rule = "contains links or special files, which are not uploaded";
    let remedy = "replace them by regular files (`cp -rL` copies what links lead to)";
    Err(io::Error::new(ErrorKind::InvalidInput, format!("{rule}: {}{more}; {remedy}", named.join(", "))))
}

/// Lists the files of a folder that are rows or images, as a run lists objects: files and folders that other tools leave beside
/// data (`_SUCCESS`, `_temporary`) are passed over.
///
/// # Errors
/// Returns an error like [`files_under`].
pub(crate) fn input_files_under(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let is_marker = |file: &PathBuf| {
        let below = file.strip_prefix(folder).unwrap_or(file);
        below.iter().any(|part| part.as_encoded_bytes().starts_with(b"_"))
    };
    let mut files = files_under(folder)?;
    files.retain(|file| !is_marker(file));
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>, refused: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // Of the entry itself, not of what a link leads to.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), files, refused)?;
        } else if kind.is_file() {
            files.push(entry.path());
        } else {
            refused.push(entry.path());
        }
    }
    Ok(())
}

/// Returns `sub/folder/name.csv`, independent of the path separator of the system.
///
/// # Errors
/// Returns an error if S3 could not return the name in a listing: it is not UTF-8, or has control characters.
pub(crate) fn name_within(root: &Path, file: &Path) -> io::Result<String> {
    let parts = file.strip_prefix(root).unwrap_or(file).components();
    let parts: Option<Vec<&str>> = parts.map(|part| part.as_os_str().to_str()).collect();
    let name = parts.map(|parts| parts.join("/")).filter(|name| !name.contains(char::is_control));
    name.ok_or_else(|| {
        let shown = printable::shortened(&file.to_string_lossy(), 300);
        let rule = "its name is not UTF-8, or has control characters; rename it";
        io::Error::new(ErrorKind::InvalidInput, format!("`{shown}`: {rule}"))
    })
}

/// File whose content was hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HashedFile {
    /// Name relative to what is uploaded.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// SHA-256 of its content. S3 compares it with what arrives.
    pub(crate) sha256: [u8; 32],
    state: FileState,
}

/// Properties of a file, of which at least one changes if it is replaced or written to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileState {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl FileState {
    fn of(metadata: &Metadata) -> Self {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Self { device: metadata.dev(), inode: metadata.ino(), bytes: metadata.len(), changed }
    }
}

impl HashedFile {
    /// Reads a file, and adds its name and content to `digest`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or is reached through a link and `may_be_link` is false.
    pub(crate) fn read(name: String, path: PathBuf, may_be_link: bool, digest: &mut Sha256) -> io::Result<Self> {
        let mut input = File::open(&path)?;
        let state = FileState::of(&input.metadata()?);
        // Of the open file: it may have been replaced by a link since the folder was listed.
        if !may_be_link && FileState::of(&std::fs::symlink_metadata(&path)?) != state {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                format!("`{}`: is a link, or was changed", path.display()),
            ));
        }
        digest.update(&name);
        digest.update([0]);
        let (mut own, mut buffer) = (Sha256::new(), vec![0; 256 * 1024]);
        loop {
            let read = input.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            digest.update(&buffer[..read]);
            own.update(&buffer[..read]);
        }
        Ok(Self { name, path, sha256: own.finalize().into(), state })
    }

    /// Returns an error if the file is not the one that was hashed any more.
    pub(crate) fn ensure_unchanged(&self) -> io::Result<()> {
        if FileState::of(&std::fs::metadata(&self.path)?) == self.state {
            return Ok(());
        }
        let rule = "was changed while it was being uploaded; start again once nothing writes to it";
        Err(io::Error::new(ErrorKind::InvalidData, rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn write(folder: &Path, name: &str, content: &str) -> PathBuf {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, content).unwrap();
        file
    }

    #[test]
    fn a_folder_includes_subfolders_but_no_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.png", "a/x.png", "a/deep/y.png", ".DS_Store", ".git/config"] {
            write(folder.path(), name, name);
        }
        let files = files_under(folder.path()).unwrap();
        let names: Vec<String> = files.iter().map(|file| name_within(folder.path(), file).unwrap()).collect();
        assert_eq!(names, ["a/deep/y.png", "a/x.png", "b.png"]);
    }

    #[test]
    fn links_are_refused_and_named() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(folder.path(), "a.csv", "a");
        let secret = write(elsewhere.path(), "secret", "s");
        symlink(&secret, folder.path().join("b.csv")).unwrap();
        symlink(elsewhere.path(), folder.path().join("more")).unwrap();
        let error = files_under(folder.path()).unwrap_err().to_string();
        let [file, more] = ["b.csv", "more"].map(|name| folder.path().join(name).display().to_string());
        assert!(error.contains(&format!("which are not uploaded: `{file}`, `{more}`; replace them")), "{error}");
        for number in 0..9 {
            symlink(&secret, folder.path().join(format!("c{number}"))).unwrap();
        }
        let error = files_under(folder.path()).unwrap_err().to_string();
        assert!(error.contains("/c3` and 6 more; replace"), "{error}");
    }

    #[test]
    fn names_that_s3_could_not_list_are_refused() {
        for name in ["a\nb", "a\u{1b}[2J", "a\u{7f}"] {
            let error = name_within(Path::new("/in"), &Path::new("/in").join(name)).unwrap_err().to_string();
            assert!(error.ends_with("control characters; rename it") && !error.contains(char::is_control), "{error:?}");
        }
        assert_eq!(name_within(Path::new("/in"), Path::new("/in/Größe/ä b.csv")).unwrap(), "Größe/ä b.csv");
    }

    #[test]
    fn the_digest_depends_on_names_and_contents() {
        let folder = tempfile::tempdir().unwrap();
        let digest = |name: &str, content: &str| {
            let mut digest = Sha256::new();
            let file = write(folder.path(), "file", content);
            let hashed = HashedFile::read(name.to_owned(), file, false, &mut digest).unwrap();
            assert_eq!(hashed.sha256, <[u8; 32]>::from(Sha256::digest(content)));
            hex::encode(digest.finalize())
        };
        assert_eq!(digest("a", "1"), digest("a", "1"));
        assert_ne!(digest("a", "1"), digest("b", "1"));
        assert_ne!(digest("a", "1"), digest("a", "2"));
        assert_eq!(digest("a", "1"), hex::encode(Sha256::digest("a\u{0}1")), "keys of earlier uploads stay valid");
    }

    #[test]
    fn a_file_that_changes_after_it_was_hashed_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = write(folder.path(), "rows.csv", "a");
        let read = |file: &Path| HashedFile::read("rows.csv".to_owned(), file.to_owned(), false, &mut Sha256::new());
        let hashed = read(&file).unwrap();
        hashed.ensure_unchanged().unwrap();
        write(folder.path(), "rows.csv", "ab");
        let error = hashed.ensure_unchanged().unwrap_err().to_string();
        assert!(error.starts_with("was changed while it was being uploaded"), "{error}");
        // Another file in its place, of the same size.
        let hashed = read(&file).unwrap();
        std::fs::rename(write(folder.path(), "other", "cd"), &file).unwrap();
        assert!(hashed.ensure_unchanged().is_err());
    }

    #[test]
    fn a_file_that_becomes_a_link_after_the_listing_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let secret = write(folder.path(), "secret", "s");
        let link = folder.path().join("rows.csv");
        symlink(&secret, &link).unwrap();
        let read = |may_be_link| HashedFile::read("a".to_owned(), link.clone(), may_be_link, &mut Sha256::new());
        assert!(read(false).unwrap_err().to_string().ends_with("is a link, or was changed"));
        // The user may name one.
        read(true).unwrap().ensure_unchanged().unwrap();
    }
}
