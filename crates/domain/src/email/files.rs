//! Links to the files of a run, and the end of their validity.

use super::figures::number;
use crate::ids::RunId;

/// File with its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLink {
    /// Name of the file.
    pub name: String,
    /// Address to fetch it from.
    pub url: String,
}

/// Links to the files of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileLinks {
    /// One link per file.
    Each(Vec<FileLink>),
    /// Too many files for an email: links to the totals and to a list with a link per file.
    Listed {
        /// Number of files.
        files: u64,
        /// Link to the run's totals.
        summary: FileLink,
        /// Link to the list.
        list: FileLink,
    },
}

/// End of the validity of links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinksEnd {
    /// For links that we sign: the time that was requested.
    At(String),
    /// For links presigned by AWS: with the session that signed them.
    WithTheSession {
        /// Latest possible time.
        latest: String,
        /// Number of days that was requested.
        requested_days: u32,
    },
}

impl FileLinks {
    /// Formats the links below the location of the files.
    pub(super) fn lines(&self, prefix: &str) -> Vec<String> {
        match self {
            Self::Each(files) => {
                let mut lines = vec![format!("  {} under {prefix}", number(files.len() as u64, "file"))];
                lines.extend(files.iter().map(link));
                lines
            }
            Self::Listed { files, summary, list } => vec![
                format!("  {} under {prefix}", number(*files, "file")),
                "  The totals:".to_owned(),
                link(summary),
                "  A list with the links of all files, one per line:".to_owned(),
                link(list),
                format!("  Fetch them all: wget --content-disposition -i {}", list.name),
            ],
        }
    }
}

fn link(file: &FileLink) -> String {
    format!("  {}: {}", file.name, file.url)
}

impl LinksEnd {
    /// Explains how long the links are valid and what to do afterwards.
    pub(super) fn lines(&self, run_id: &RunId) -> Vec<String> {
        let mut lines = match self {
            Self::At(time) => {
                vec![format!("These links work until {time}, for anyone who has them: share them with care.")]
            }
            Self::WithTheSession { latest, requested_days } => vec![
                format!("These links stop working at {latest} at the latest. AWS may end them earlier, within hours:"),
                format!(
                    "they expire with the session that signed them, although {} were requested.",
                    number(u64::from(*requested_days), "day")
                ),
                "Deploy with the context key `downloadLinks` for links that stay valid for all of that time."
                    .to_owned(),
            ],
        };
        lines.push(format!("After that: bedrock-batch download {run_id}"));
        lines
    }
}
