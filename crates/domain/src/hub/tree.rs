//! Responses of the Hub: the commit of a revision, and the listing of a folder.

use super::names::is_file_path;
use crate::problem::shortened;
use serde::Deserialize;

/// Entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Path below the root of the dataset.
    pub path: String,
    /// If true, the entry is a folder.
    pub is_folder: bool,
    /// Size of a file.
    pub bytes: u64,
    /// Identity of a file's content: the SHA-256 of large files, the Git object of others.
    pub content_id: String,
}

impl TreeEntry {
    /// Returns the last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Returns true for a Parquet file, by its name.
    pub fn is_parquet(&self) -> bool {
        !self.is_folder && self.path.to_ascii_lowercase().ends_with(".parquet")
    }
}

#[derive(Deserialize)]
struct RawRevision {
    sha: String,
}

#[derive(Deserialize)]
struct RawEntry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    oid: String,
    lfs: Option<RawLargeFile>,
}

#[derive(Deserialize)]
struct RawLargeFile {
    oid: String,
    size: u64,
}

/// Reads the commit of a revision.
///
/// # Errors
/// Returns the reason if the response is not that of a Hub.
pub fn read_revision(json: &[u8]) -> Result<String, String> {
    let revision: RawRevision = serde_json::from_slice(json).map_err(|error| reason(&error))?;
    let is_commit = (40..=64).contains(&revision.sha.len()) && revision.sha.bytes().all(|b| b.is_ascii_hexdigit());
    if is_commit { Ok(revision.sha) } else { Err("its `sha` is not a commit".to_owned()) }
}

/// Reads one page of a listing: folders and Parquet files. All other entries are left out.
///
/// # Errors
/// Returns the reason if the response is not that of a Hub, or names a file outside of the dataset.
pub fn read_tree(json: &[u8]) -> Result<Vec<TreeEntry>, String> {
    let entries: Vec<RawEntry> = serde_json::from_slice(json).map_err(|error| reason(&error))?;
    let entries = entries.into_iter().map(|entry| {
        let (bytes, content_id) = entry.lfs.map_or((entry.size, entry.oid), |large| (large.size, large.oid));
        TreeEntry { is_folder: entry.kind == "directory", path: entry.path, bytes, content_id }
    });
    let wanted = entries.filter(|entry| entry.is_folder || entry.is_parquet());
    wanted.map(|entry| if is_file_path(&entry.path) { Ok(entry) } else { Err(outside(&entry)) }).collect()
}

/// The reason quotes the response, which may be of any length.
fn reason(error: &serde_json::Error) -> String {
    shortened(&error.to_string())
}

fn outside(entry: &TreeEntry) -> String {
    let shown: String = entry.path.chars().take(80).flat_map(char::escape_default).collect();
    format!("it names `{shown}`, which is not a path below the dataset")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_of_a_revision_is_read() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        let json = format!(r#"{{"id": "a/b", "sha": "{sha}", "private": false, "gated": false, "siblings": []}}"#);
        assert_eq!(read_revision(json.as_bytes()), Ok(sha.to_owned()));
        for other in [r#"{"sha": "../main"}"#, r#"{"error": "x"}"#, "<html>"] {
            assert!(read_revision(other.as_bytes()).is_err(), "{other}");
        }
        let long = format!(r#"[{{"type": "file", "path": "x", "size": "{}"}}]"#, "9".repeat(10_000));
        assert!(read_tree(long.as_bytes()).unwrap_err().len() < 1_000);
        assert!(
            read_revision(format!(r#"{{"sha": {{"{}": 1}}}}"#, "x".repeat(10_000)).as_bytes()).unwrap_err().len()
                < 1_000
        );
    }

    #[test]
    fn folders_and_parquet_files_are_listed_with_their_real_sizes() {
        let json = r#"[
            {"type": "directory", "oid": "d0", "size": 0, "path": "default"},
            {"type": "file", "oid": "g0", "size": 2300, "path": ".gitattributes"},
            {"type": "file", "oid": "g1", "size": 812, "path": "default/train/0000.parquet"},
            {"type": "file", "oid": "g2", "size": 548105171, "path": "default/train/0001.parquet", "xetHash": "x",
             "lfs": {"oid": "s2", "size": 548105171, "pointerSize": 134}}]"#;
        let entries = read_tree(json.as_bytes()).unwrap();
        let seen: Vec<(&str, bool, u64, &str)> =
            entries.iter().map(|e| (e.name(), e.is_folder, e.bytes, e.content_id.as_str())).collect();
        let expected = [
            ("default", true, 0, "d0"),
            ("0000.parquet", false, 812, "g1"),
            ("0001.parquet", false, 548_105_171, "s2"),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_listing_that_leads_elsewhere_is_an_error() {
        for path in ["../x.parquet", "/etc/x.parquet", "a//x.parquet", "a/./x.parquet", "a\\nx.parquet"] {
            let json = format!(r#"[{{"type": "file", "oid": "o", "size": 1, "path": "{path}"}}]"#);
            assert!(read_tree(json.as_bytes()).is_err(), "{path}");
        }
    }
}
