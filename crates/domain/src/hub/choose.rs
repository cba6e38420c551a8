//! Choice of a configuration and a split of the files that the Hub has converted: `<config>/<split>/<n>.parquet`.

use super::names::{is_config, is_split};
use super::{DatasetSource, TreeEntry};
use crate::problem::{Problem, listed, suggestion};

/// Start of the names of folders that hold only the first part of a split.
const PARTIAL: &str = "partial-";

/// Split whose files are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Folder of its files.
    pub folder: String,
    /// If true, they are only the first part of it.
    pub is_partial: bool,
}

/// Returns the configuration to read: the one that is named, or the only one.
///
/// # Errors
/// Returns a problem that lists the configurations.
pub fn choose_config(root: &[TreeEntry], source: &DatasetSource) -> Result<String, Problem> {
    let configs: Vec<&str> = folders(root).filter(|name| is_config(name)).collect();
    one_config(&configs, source)
}

/// Returns the configuration of these to read.
pub(super) fn one_config(configs: &[&str], source: &DatasetSource) -> Result<String, Problem> {
    match (&source.config, configs) {
        (Some(wanted), _) if configs.contains(&wanted.as_str()) => Ok(wanted.clone()),
        (Some(wanted), _) => {
            let rule = format!("the dataset {} does not have this configuration", source.dataset_id);
            Err(Problem::new("config", wanted, rule).remedy(nearest_of(wanted, configs)))
        }
        (None, [only]) => Ok((*only).to_owned()),
        (None, []) => Err(without_files(source)),
        (None, _) => {
            let rule = format!("is required: the dataset {} has {} configurations", source.dataset_id, configs.len());
            let remedy = format!("name one of {}", listed(configs));
            Err(Problem::without_value("config", rule).remedy(remedy))
        }
    }
}

/// Returns the split to read, from the listing of the folder of its configuration.
///
/// # Errors
/// Returns a problem that lists the splits, or has the remedy for a part of one.
pub fn choose_split(of_config: &[TreeEntry], source: &DatasetSource) -> Result<Split, Problem> {
    let wanted = source.split.as_str();
    let found = |name: &str| of_config.iter().find(|entry| entry.is_folder && entry.name() == name);
    if let Some(folder) = found(wanted) {
        return Ok(Split { folder: folder.path.clone(), is_partial: false });
    }
    match found(&format!("{PARTIAL}{wanted}")) {
        Some(folder) if source.allow_partial => Ok(Split { folder: folder.path.clone(), is_partial: true }),
        Some(_) => {
            let rule = format!(
                "the Hub has converted only the first part of this split of {} (about 5 GB)",
                source.dataset_id
            );
            let remedy = "set allow_partial to true to read that part; or set revision to `main` to read the dataset's \
                          own Parquet files, if it has them";
            Err(Problem::new("split", wanted, rule).remedy(remedy))
        }
        None => {
            let names = folders(of_config).map(|name| name.strip_prefix(PARTIAL).unwrap_or(name));
            let splits: Vec<&str> = names.filter(|name| is_split(name)).collect();
            Err(unknown_split(&splits, source))
        }
    }
}

/// Returns the Parquet files of a split, in order.
///
/// # Errors
/// Returns a problem if there are none.
pub fn parquet_of_split(entries: Vec<TreeEntry>, source: &DatasetSource) -> Result<Vec<TreeEntry>, Problem> {
    let mut files: Vec<TreeEntry> = entries.into_iter().filter(TreeEntry::is_parquet).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    if files.is_empty() { Err(without_files(source)) } else { Ok(files) }
}

pub(super) fn unknown_split(splits: &[&str], source: &DatasetSource) -> Problem {
    let config = source.config.as_ref().map(|config| format!(", configuration `{config}`,")).unwrap_or_default();
    let rule = format!("the dataset {}{config} does not have this split", source.dataset_id);
    Problem::new("split", &source.split, rule).remedy(nearest_of(&source.split, splits))
}

/// Names for a remedy; there may be thousands of them.
fn nearest_of(wanted: &str, names: &[&str]) -> String {
    match suggestion(wanted, names).filter(|_| names.len() > 1) {
        Some(suggestion) => format!("{suggestion} The dataset has {}", listed(names)),
        None => format!("the dataset has {}", listed(names)),
    }
}

fn without_files(source: &DatasetSource) -> Problem {
    let rule = match &source.revision {
        Some(revision) => format!("has no Parquet files at the revision `{revision}`"),
        None => "has no converted Parquet files".to_owned(),
    };
    let remedy = match &source.revision {
        Some(_) => "leave out revision to read the files that the Hub converts, or store the rows in S3",
        None => "wait until its page shows its rows, or store the rows in S3 as CSV or Parquet and name them in s3_uri",
    };
    Problem::new("dataset_id", &source.dataset_id, rule).remedy(remedy)
}

fn folders(entries: &[TreeEntry]) -> impl Iterator<Item = &str> {
    entries.iter().filter(|entry| entry.is_folder).map(TreeEntry::name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn folder(path: &str) -> TreeEntry {
        TreeEntry { path: path.to_owned(), is_folder: true, bytes: 0, content_id: String::new() }
    }

    fn source(config: Option<&str>, split: &str, allow_partial: bool) -> DatasetSource {
        DatasetSource {
            dataset_id: "a/b".to_owned(),
            split: split.to_owned(),
            config: config.map(str::to_owned),
            revision: None,
            allow_partial,
        }
    }

    #[test]
    fn the_only_configuration_needs_no_name() {
        assert_eq!(choose_config(&[folder("x")], &source(None, "train", false)), Ok("x".to_owned()));
        let two = [folder("x"), folder("y")];
        assert_eq!(choose_config(&two, &source(Some("y"), "train", false)), Ok("y".to_owned()));
    }

    #[test]
    fn several_configurations_are_listed_up_to_a_number() {
        let many: Vec<TreeEntry> = (0..500).map(|number| folder(&format!("lang-{number:03}"))).collect();
        let text = choose_config(&many, &source(None, "train", false)).unwrap_err().to_string();
        assert!(text.starts_with("config: is required: the dataset a/b has 500 configurations"), "{text}");
        assert!(text.contains("`lang-000`, `lang-001`") && text.ends_with("and 440 more"), "{text}");
        let text = choose_config(&many, &source(Some("lang-50"), "train", false)).unwrap_err().to_string();
        assert!(text.starts_with("config is `lang-50`: the dataset a/b does not have this configuration"), "{text}");
        assert!(text.contains("did you mean") && text.len() < 2_000, "{text}");
    }

    #[rstest]
    #[case(&["x/train", "x/test"], "test", false, Ok(("x/test", false)))]
    #[case(&["x/partial-train"], "train", true, Ok(("x/partial-train", true)))]
    #[case(&["x/partial-train", "x/train"], "train", true, Ok(("x/train", false)))]
    #[case(&["x/partial-train"], "train", false, Err("set allow_partial to true"))]
    #[case(&["x/train", "x/partial-test"], "dev", false, Err("the dataset has `train`, `test`"))]
    fn a_split_is_its_folder(
        #[case] folders: &[&str],
        #[case] split: &str,
        #[case] allow_partial: bool,
        #[case] expected: Result<(&str, bool), &str>,
    ) {
        let entries: Vec<TreeEntry> = folders.iter().map(|path| folder(path)).collect();
        match (choose_split(&entries, &source(Some("x"), split, allow_partial)), expected) {
            (Ok(chosen), Ok(expected)) => assert_eq!((chosen.folder.as_str(), chosen.is_partial), expected),
            (Err(problem), Err(expected)) => assert!(problem.to_string().contains(expected), "{problem}"),
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn a_dataset_without_files_says_what_to_do() {
        let of_main = DatasetSource { revision: Some("main".to_owned()), ..source(None, "train", false) };
        for (source, says) in [(source(None, "train", false), "wait until"), (of_main, "leave out revision")] {
            assert!(parquet_of_split(vec![folder("x")], &source).unwrap_err().remedy.contains(says));
        }
    }
}
