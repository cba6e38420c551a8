//! Dataset that a request names.

use super::names;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};

/// Default of `split`.
pub const DEFAULT_SPLIT: &str = "train";

/// Dataset whose rows are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetSource {
    /// `owner/name`.
    pub dataset_id: String,
    /// Split.
    pub split: String,
    /// Configuration; `None` if the dataset has only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// Branch, tag or commit whose own Parquet files are read; `None` for those that the Hub made of the latest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// If true, the first part of a split is accepted where the Hub has converted no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_partial: bool,
}

impl DatasetSource {
    /// Returns a problem for each field that is not valid.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !names::is_dataset_id(&self.dataset_id) {
            let problem = Problem::new("dataset_id", &self.dataset_id, names::ID_RULE);
            problems.push(problem.remedy("copy it from the dataset's page, without the address before it"));
        }
        if !names::is_split(&self.split) {
            let remedy = match self.split.strip_prefix("partial-") {
                Some(split) => format!("write `{split}`, and set allow_partial to true"),
                None if self.split.contains('[') => "max_records_total limits the number of rows".to_owned(),
                None => "name one split of the dataset's page, such as `train`".to_owned(),
            };
            problems.push(Problem::new("split", &self.split, names::SPLIT_RULE).remedy(remedy));
        }
        if let Some(config) = self.config.as_ref().filter(|config| !names::is_config(config)) {
            let remedy = "copy the name of the subset from the dataset's page";
            problems.push(Problem::new("config", config, names::CONFIG_RULE).remedy(remedy));
        }
        if let Some(revision) = self.revision.as_ref().filter(|revision| !names::is_revision(revision)) {
            let remedy = "name a branch such as `main`, a tag, or a commit";
            problems.push(Problem::new("revision", revision, names::REVISION_RULE).remedy(remedy));
        }
        if self.allow_partial && self.revision.is_some() {
            let rule = "is not allowed with revision: the dataset's own files are always read whole";
            problems.push(Problem::new("allow_partial", true, rule).remedy("leave it out"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_invalid_names_are_reported_with_what_to_do() {
        let source = DatasetSource {
            dataset_id: "https://huggingface.co/datasets/a/b".to_owned(),
            split: "partial-train".to_owned(),
            config: Some("../x".to_owned()),
            revision: Some("a b".to_owned()),
            allow_partial: false,
        };
        let texts: Vec<String> = source.problems().iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 4, "{texts:?}");
        assert!(texts[0].ends_with("copy it from the dataset's page, without the address before it"));
        assert!(texts[1].ends_with("write `train`, and set allow_partial to true"));
        let partial = DatasetSource { allow_partial: true, ..source.clone() };
        assert_eq!(
            partial.problems()[4].to_string(),
            "allow_partial is `true`: is not allowed with revision: the dataset's own files are always read whole; leave it out"
        );
        let slice = DatasetSource { split: "train[:10]".to_owned(), ..source };
        assert!(slice.problems()[1].remedy.contains("max_records_total"));
    }
}
