//! Choice among the Parquet files that a revision of a dataset has of its own, by their paths: the rules of Hugging Face's
//! library for datasets whose card names no files. The folder is the configuration, a word of the path the split.

use super::choose::{one_config, unknown_split};
use super::names::is_config;
use super::{DEFAULT_SPLIT, DatasetSource, TreeEntry, parquet_of_split};
use crate::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};

/// Words by which a path names a split.
const SPLIT_WORDS: [(&str, &[&str]); 3] = [
    (DEFAULT_SPLIT, &["train", "training"]),
    ("validation", &["validation", "valid", "dev", "val"]),
    ("test", &["test", "testing", "eval", "evaluation"]),
];
/// Folder that names neither a configuration nor a split.
const DATA: &str = "data";
/// Configuration of files that lie in no folder.
const DEFAULT_CONFIG: &str = "default";

/// Returns the files of the split that `source` names, in order, from the listing of all files of a revision.
///
/// # Errors
/// Returns a problem that lists configurations or splits, or reports that there are no such files.
pub fn own_split(entries: Vec<TreeEntry>, source: &DatasetSource) -> Result<Vec<TreeEntry>, Problem> {
    let mut configs: BTreeMap<String, Vec<TreeEntry>> = BTreeMap::new();
    for file in parquet_of_split(entries, source)? {
        configs.entry(config_of(&file.path, &source.split)).or_default().push(file);
    }
    let names: Vec<&str> = configs.keys().map(String::as_str).collect();
    let config = one_config(&names, source)?;
    let files = configs.remove(&config).unwrap_or_default();
    let splits: BTreeSet<&str> = files.iter().filter_map(|file| split_of(&file.path, &source.split)).collect();
    if splits.is_empty() && source.split == DEFAULT_SPLIT {
        // No file names another split.
        return Ok(files);
    }
    if !splits.contains(source.split.as_str()) {
        let splits: Vec<&str> = if splits.is_empty() { vec![DEFAULT_SPLIT] } else { splits.into_iter().collect() };
        return Err(unknown_split(&splits, source));
    }
    let of_split = |file: &TreeEntry| split_of(&file.path, &source.split) == Some(source.split.as_str());
    Ok(files.into_iter().filter(of_split).collect())
}

/// Returns the folder of a file, without those that name its split.
fn config_of(path: &str, wanted: &str) -> String {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    let of_config = |folder: &&str| *folder != DATA && split_of_part(folder, wanted).is_none() && is_config(folder);
    folders.split('/').find(of_config).unwrap_or(DEFAULT_CONFIG).to_owned()
}

/// Returns the split that a path names: its file before its folders.
fn split_of<'a>(path: &str, wanted: &'a str) -> Option<&'a str> {
    path.rsplit('/').find_map(|part| split_of_part(part, wanted))
}

/// Returns the split that a part of a path names: `wanted`, or one of the usual ones.
fn split_of_part<'a>(part: &str, wanted: &'a str) -> Option<&'a str> {
    let stem = part.strip_suffix(".parquet").unwrap_or(part).to_ascii_lowercase();
    let words = || stem.split(|c: char| !c.is_alphanumeric());
    let usual = SPLIT_WORDS.iter().find(|(_, names)| words().any(|word| names.contains(&word)));
    // A split with a name of its own is the whole beginning of a file: `few_shot-00000-of-00001`.
    let own = wanted.to_ascii_lowercase();
    let is_own = stem == own || stem.strip_prefix(&own).is_some_and(|rest| rest.starts_with(['-', '_', '.']));
    match usual {
        Some((split, _)) if *split == wanted => Some(wanted),
        _ if is_own => Some(wanted),
        Some((split, _)) => Some(split),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn entries(paths: &[&str]) -> Vec<TreeEntry> {
        let file =
            |path: &&str| TreeEntry { path: (*path).to_owned(), is_folder: false, bytes: 1, content_id: String::new() };
        paths.iter().map(file).collect()
    }

    fn chosen(paths: &[&str], config: Option<&str>, split: &str) -> Result<Vec<String>, String> {
        let source = DatasetSource {
            dataset_id: "a/b".to_owned(),
            split: split.to_owned(),
            config: config.map(str::to_owned),
            revision: Some("main".to_owned()),
            allow_partial: false,
        };
        let files = own_split(entries(paths), &source).map_err(|problem| problem.to_string())?;
        Ok(files.into_iter().map(|file| file.path).collect())
    }

    #[rstest]
    #[case(&["data/train-00001-of-00002.parquet", "data/train-00000-of-00002.parquet", "data/test-00000-of-00001.parquet"],
        None, "train", &["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"])]
    #[case(&["en/train-0.parquet", "de/train-0.parquet"], Some("de"), "train", &["de/train-0.parquet"])]
    #[case(&["rows.parquet", "more.parquet"], None, "train", &["more.parquet", "rows.parquet"])]
    #[case(&["train/0.parquet", "dev/0.parquet"], None, "validation", &["dev/0.parquet"])]
    #[case(&["x/few_shot-0.parquet", "x/train-0.parquet"], Some("x"), "few_shot", &["x/few_shot-0.parquet"])]
    fn files_are_chosen_by_their_paths(
        #[case] paths: &[&str],
        #[case] config: Option<&str>,
        #[case] split: &str,
        #[case] expected: &[&str],
    ) {
        let expected: Vec<String> = expected.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(chosen(paths, config, split), Ok(expected));
    }

    #[rstest]
    #[case(&["en/train-0.parquet", "de/train-0.parquet"], None, "train", "name one of `de`, `en`")]
    #[case(&["en/train-0.parquet"], Some("fr"), "train", "config is `fr`")]
    #[case(&["data/train-0.parquet", "data/test-0.parquet"], None, "extra", "the dataset has `test`, `train`")]
    #[case(&["rows.parquet"], None, "test", "the dataset has `train`")]
    #[case(&["README.md"], None, "train", "has no Parquet files at the revision `main`")]
    fn what_cannot_be_chosen_is_refused(
        #[case] paths: &[&str],
        #[case] config: Option<&str>,
        #[case] split: &str,
        #[case] expected: &str,
    ) {
        let text = chosen(paths, config, split).unwrap_err();
        assert!(text.contains(expected), "{text}");
    }
}
