//! Choice among the Parquet files that a revision of a dataset has of its own, by their paths. Hugging Face's library reads
//! datasets whose card names no files by similar rules, but knows no configurations and mixes what a path leaves open; here
//! the folder is the configuration, and a file that may belong to the split or not is refused.

use super::choose::{one_config, unknown_split};
use super::names::{is_config, is_split};
use super::{DEFAULT_SPLIT, DatasetSource, TreeEntry, parquet_of_split};
use crate::problem::{Problem, shortened};
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

/// Part of a path that names its split. The first one that does decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NamedBy {
    /// The beginning of a numbered file, `<split>-00000-of-00005`: exactly its split.
    Number,
    /// Words of the folders.
    Folders,
    /// Words of the file name.
    File,
}

/// Splits that a path names: more than one if its words leave open which.
#[derive(Debug)]
struct Named<'a> {
    by: NamedBy,
    splits: BTreeSet<&'a str>,
}

/// Returns the files of the split that `source` names, in order, from the listing of all files of a revision.
///
/// # Errors
/// Returns a problem that lists configurations or splits, reports that there are no such files, or names a file that may
/// belong to the split or not.
pub fn own_split(entries: Vec<TreeEntry>, source: &DatasetSource) -> Result<Vec<TreeEntry>, Problem> {
    let wanted = source.split.as_str();
    let mut configs: BTreeMap<String, Vec<TreeEntry>> = BTreeMap::new();
    for file in parquet_of_split(entries, source)? {
        configs.entry(config_of(&file.path, wanted)).or_default().push(file);
    }
    let config = one_config(&configs.keys().map(String::as_str).collect::<Vec<_>>(), source)?;
    let files = configs.remove(&config).unwrap_or_default();
    let named: Vec<Named<'_>> = files.iter().map(|file| named(&file.path, wanted)).collect();
    let splits: BTreeSet<&str> = named.iter().flat_map(|named| named.splits.iter().copied()).collect();
    if splits.is_empty() && wanted == DEFAULT_SPLIT {
        // No file names another split.
        return Ok(files);
    }
    if !splits.contains(wanted) {
        let splits: Vec<&str> = if splits.is_empty() { vec![DEFAULT_SPLIT] } else { splits.into_iter().collect() };
        return Err(unknown_split(&splits, source));
    }
    let of_split: Vec<bool> = named.iter().map(|named| named.splits.contains(wanted)).collect();
    let mut by = None;
    for (file, named) in files.iter().zip(&named).filter(|(_, named)| named.splits.contains(wanted)) {
        if named.splits.len() > 1 || *by.get_or_insert(named.by) != named.by {
            return Err(unclear(file, source));
        }
    }
    Ok(files.into_iter().zip(of_split).filter_map(|(file, is_of_split)| is_of_split.then_some(file)).collect())
}

/// Returns the folder of a file, without those that name its split.
fn config_of(path: &str, wanted: &str) -> String {
    let (folders, file) = folders_and_file(path);
    let names_split = |folder: &str| match split_of_number(file) {
        Some(split) => folder == split || SPLIT_WORDS.iter().any(|(_, w)| w.contains(&folder) && w.contains(&split)),
        None => !splits_of(folder, wanted).is_empty(),
    };
    let of_config = |folder: &&str| *folder != DATA && !names_split(folder) && is_config(folder);
    folders.split('/').find(of_config).unwrap_or(DEFAULT_CONFIG).to_owned()
}

/// Returns the splits that a path names; none if no part of it does.
fn named<'a>(path: &'a str, wanted: &'a str) -> Named<'a> {
    let (folders, file) = folders_and_file(path);
    if let Some(split) = split_of_number(file) {
        return Named { by: NamedBy::Number, splits: BTreeSet::from([split]) };
    }
    let of_folders: BTreeSet<&str> = folders.split('/').flat_map(|folder| splits_of(folder, wanted)).collect();
    if !of_folders.is_empty() {
        return Named { by: NamedBy::Folders, splits: of_folders };
    }
    Named { by: NamedBy::File, splits: splits_of(file, wanted) }
}

fn folders_and_file(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Returns the split of a numbered file: `train_sft` of `train_sft-00000-of-00005.parquet`.
fn split_of_number(file: &str) -> Option<&str> {
    const DIGITS: usize = 5;
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (before, total) = file.split_once("-of-")?;
    let (split, number) = before.split_once('-')?;
    let is_numbered = number.len() == DIGITS && digits(number) == DIGITS && digits(total) >= DIGITS;
    (is_numbered && is_split(split)).then_some(split)
}

/// Returns the splits that a part of a path names: `wanted` if the part is its name, else the usual ones by their words.
fn splits_of<'a>(part: &str, wanted: &'a str) -> BTreeSet<&'a str> {
    let lower = part.to_ascii_lowercase();
    let stem = lower.strip_suffix(".parquet").unwrap_or(&lower);
    // A split with a name of its own is all of a part but its number: `few_shot-0`. The part `few_shot` is not of the split
    // `few`.
    let after = stem.strip_prefix(&wanted.to_ascii_lowercase());
    let is_number =
        |rest: &str| rest.starts_with(['-', '.']) && !rest.contains(|c: char| c.is_alphabetic() || c == '_');
    if after.is_some_and(|rest| rest.is_empty() || is_number(rest)) {
        return BTreeSet::from([wanted]);
    }
    let words: Vec<&str> = stem.split(|c: char| !c.is_alphabetic()).collect();
    let usual = SPLIT_WORDS.iter().filter(|(_, names)| names.iter().any(|name| words.contains(name)));
    usual.map(|(split, _)| *split).collect()
}

fn unclear(file: &TreeEntry, source: &DatasetSource) -> Problem {
    let path = shortened(&file.path);
    let rule = format!("by its path, the file `{path}` of {} may belong to this split or not", source.dataset_id);
    let remedy = "leave out revision to read the files that the Hub converts, or store the rows in S3 as CSV or Parquet \
                  and name them in s3_uri";
    Problem::new("split", &source.split, rule).remedy(remedy)
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
    #[case::numbered_files_are_exactly_of_their_split(
        &["data/train_gen-00000-of-00001.parquet", "data/train_sft-00000-of-00002.parquet",
            "data/train_sft-00001-of-00002-0123456789abcdef.parquet"],
        None, "train_sft", &["data/train_sft-00000-of-00002.parquet", "data/train_sft-00001-of-00002-0123456789abcdef.parquet"])]
    #[case::numbered_configurations_with_split_words(
        &["auxiliary_train/train-00000-of-00001.parquet", "all/train-00000-of-00001.parquet"],
        Some("auxiliary_train"), "train", &["auxiliary_train/train-00000-of-00001.parquet"])]
    #[case::numbered_files_in_folders_of_their_split(
        &["data/training/train-00000-of-00001.parquet", "data/test/test-00000-of-00001.parquet"],
        None, "train", &["data/training/train-00000-of-00001.parquet"])]
    #[case::digits_separate_words(&["train1.parquet", "test1.parquet"], None, "train", &["train1.parquet"])]
    #[case::digits_separate_words(&["train1.parquet", "test1.parquet"], None, "test", &["test1.parquet"])]
    #[case::folders_before_file_names(&["train/eval_0.parquet", "test/0.parquet"], None, "train", &["train/eval_0.parquet"])]
    #[case::other_words_do_not_count(&["latest.parquet", "validated.parquet"], None, "train",
        &["latest.parquet", "validated.parquet"])]
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
    #[case::numbered(&["data/train_sft-00000-of-00005.parquet", "data/train_gen-00000-of-00005.parquet"], None, "train",
        "did you mean `train_gen` or `train_sft`? The dataset has")]
    #[case::beginning_of_a_name(&["x/few_shot-0.parquet", "x/train-0.parquet"], Some("x"), "few", "the dataset has `train`")]
    #[case::folders_before_file_names(&["train/eval_0.parquet"], None, "test", "the dataset has `train`")]
    #[case::parts_of_two_splits(&["train/part-00000-of-00001.parquet", "test/part-00000-of-00001.parquet"], None, "part",
        "name one of `test`, `train`")]
    #[case::two_words(&["train_test.parquet", "train.parquet"], None, "train",
        "the file `train_test.parquet` of a/b may belong to this split or not; leave out revision")]
    #[case::two_folders(&["test/train/0.parquet"], None, "test", "may belong to this split or not")]
    #[case::two_kinds_of_names(&["data/train-00000-of-00001.parquet", "data/train_more.parquet"], None, "train",
        "the file `data/train_more.parquet` of a/b may belong")]
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
