//! Paths of the Hub's API, below its endpoint. Every part is percent-encoded: a revision has slashes, a configuration may
//! have spaces.

use crate::links::percent_encoded;

/// Branch on which the Hub keeps the Parquet files that it makes of every dataset.
pub const CONVERTED: &str = "refs/convert/parquet";

/// Returns the path of what the Hub knows of a revision: above all, its commit.
pub fn revision_path(dataset_id: &str, revision: &str) -> String {
    format!("/api/datasets/{}/revision/{}", each_part(dataset_id), percent_encoded(revision))
}

/// Returns the path of the listing of a folder, or of the root. With `recursive`, of all files below it.
pub fn tree_path(dataset_id: &str, commit: &str, folder: Option<&str>, recursive: bool) -> String {
    let folder = folder.map(|folder| format!("/{}", each_part(folder))).unwrap_or_default();
    let query = if recursive { "?recursive=true" } else { "" };
    format!("/api/datasets/{}/tree/{}{folder}{query}", each_part(dataset_id), percent_encoded(commit))
}

/// Returns the path that leads to the bytes of a file.
pub fn file_path(dataset_id: &str, commit: &str, path: &str) -> String {
    format!("/datasets/{}/resolve/{}/{}", each_part(dataset_id), percent_encoded(commit), each_part(path))
}

/// Returns the address of a file in the notation of Hugging Face's own libraries, for plans and messages.
pub fn shown(dataset_id: &str, commit: &str, path: &str) -> String {
    format!("hf://datasets/{dataset_id}@{commit}/{path}")
}

fn each_part(path: &str) -> String {
    path.split('/').map(percent_encoded).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_encoded() {
        assert_eq!(revision_path("a/b", CONVERTED), "/api/datasets/a/b/revision/refs%2Fconvert%2Fparquet");
        assert_eq!(tree_path("a/b", "c0", None, false), "/api/datasets/a/b/tree/c0");
        assert_eq!(tree_path("a", "c0", Some("x ü/y"), true), "/api/datasets/a/tree/c0/x%20%C3%BC/y?recursive=true");
        assert_eq!(file_path("a/b", "c0", "d?/0.parquet"), "/datasets/a/b/resolve/c0/d%3F/0.parquet");
        assert_eq!(shown("a/b", "c0", "d/0.parquet"), "hf://datasets/a/b@c0/d/0.parquet");
    }
}
