//! The files of a run, and how long the links to them work.

use super::figures::number;

/// A file and its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLink {
    /// Its name.
    pub name: String,
    /// Where to fetch it.
    pub url: String,
}

/// The links to the files of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileLinks {
    /// One a file.
    Each(Vec<FileLink>),
    /// Too many for an email: the totals, and a list that holds a link for each.
    Listed {
        /// How many files there are.
        files: u64,
        /// The link to the run's totals.
        summary: FileLink,
        /// The link to the list.
        list: FileLink,
    },
}

/// When links stop working.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinksEnd {
    /// Signed by us: when we said.
    At(String),
    /// Presigned by AWS: with the session that signed them.
    WithTheSession {
        /// The latest time.
        latest: String,
        /// The days that were asked for.
        asked_days: u32,
    },
}

impl FileLinks {
    /// The links, under where the files lie.
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
                "  A list with the link of every file, one a line:".to_owned(),
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
    /// How long the links work, and what to do then.
    pub(super) fn lines(&self, run_id: &str) -> Vec<String> {
        let mut lines = match self {
            Self::At(time) => {
                vec![format!("These links work until {time}, for everybody who has them: pass them on with care.")]
            }
            Self::WithTheSession { latest, asked_days } => vec![
                format!("These links stop working at {latest} at the latest. AWS may end them earlier, within hours:"),
                format!(
                    "they die with the session that signed them, although {} were asked for.",
                    number(u64::from(*asked_days), "day")
                ),
                "The context key `downloadLinks` gives links that live as long as they should.".to_owned(),
            ],
        };
        lines.push(format!("After that: bedrock-batch download {run_id}"));
        lines
    }
}
