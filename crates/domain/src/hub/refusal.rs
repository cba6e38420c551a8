//! Refusals of the Hub. Its header `X-Error-Code` gives the reason; the status alone does not: 401 stands for a gated, a
//! missing and a private dataset alike.

use super::DatasetSource;
use crate::problem::Problem;

/// Content of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The commit of the converted files.
    Conversion,
    /// The commit of the revision that the user named.
    Revision,
    /// A commit that was found before, a listing of it, or a file in it.
    Content,
}

/// Response that refuses a request.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// Status of the response.
    pub status: u16,
    /// Header `X-Error-Code`.
    pub code: Option<&'a str>,
    /// Header `X-Error-Message`.
    pub message: Option<&'a str>,
    /// If true, the request had a token.
    pub had_token: bool,
}

/// Context key that names the secret of the token.
const SECRET_KEY: &str = "the context key `huggingFaceTokenSecret`";
/// Message of a dataset that Hugging Face has closed.
const DISABLED: &str = "Access to this resource is disabled";
/// Message of a token that is not valid.
const INVALID_TOKEN: &str = "Invalid credentials";

/// Converts a refusal to a problem with its remedy; returns `None` if it does not concern the dataset.
pub fn refusal(source: &DatasetSource, subject: Subject, refused: Refused<'_>) -> Option<Problem> {
    let id = source.dataset_id.as_str();
    let of_dataset = |rule: &str, remedy: String| Problem::new("dataset_id", id, rule).remedy(remedy);
    let says = |text: &str| refused.message.is_some_and(|message| message.contains(text));
    let page = format!("https://huggingface.co/datasets/{id}");
    if says(DISABLED) {
        return Some(of_dataset("Hugging Face has disabled this dataset", "use another one".to_owned()));
    }
    if refused.had_token && refused.status == 401 && says(INVALID_TOKEN) {
        let rule = "the Hub does not accept the token of the stack";
        return Some(of_dataset(rule, format!("store a valid one in the secret that {SECRET_KEY} names")));
    }
    match (refused.code, refused.status, refused.had_token) {
        (Some("GatedRepo"), _, true) => Some(of_dataset(
            "is gated, and the account of the stack's token has no access",
            format!("accept its conditions on {page} with that account, or ask its owner for access"),
        )),
        (Some("GatedRepo"), _, false) => Some(of_dataset(
            "is gated: it is given only to accounts that have accepted its conditions",
            format!(
                "accept them on {page}, store a token of that account in Secrets Manager, and name it in {SECRET_KEY}"
            ),
        )),
        (Some("RevisionNotFound"), _, _) => Some(without_revision(source, subject)),
        (Some("EntryNotFound"), _, _) => {
            Some(of_dataset("a listed file or folder is gone", "start the run again".to_owned()))
        }
        (Some("RepoNotFound"), _, true) | (None, 401 | 404, true) => Some(of_dataset(
            "does not exist, or is private and the stack's token may not read it",
            format!("check the id on {page}, or give the token's account read access"),
        )),
        (Some("RepoNotFound"), _, false) | (None, 401 | 404, false) => Some(of_dataset(
            "does not exist, or is private",
            format!(
                "check the id on {page}; if it is private, store a token that may read it in Secrets Manager, and name it in \
                 {SECRET_KEY}"
            ),
        )),
        (_, 403, true) => Some(of_dataset(
            "the stack's token may not read this dataset",
            "give the token read access to public gated repositories and to this dataset".to_owned(),
        )),
        (_, 403, false) => Some(of_dataset(
            "the Hub denies access without a token",
            format!("store a token in Secrets Manager, and name it in {SECRET_KEY}"),
        )),
        _ => None,
    }
}

fn without_revision(source: &DatasetSource, subject: Subject) -> Problem {
    match (&source.revision, subject) {
        (Some(revision), Subject::Revision) => {
            let rule = format!("the dataset {} has no such branch, tag or commit", source.dataset_id);
            Problem::new("revision", revision, rule).remedy("correct it, or leave it out for the latest rows")
        }
        (_, Subject::Conversion) => {
            let rule = "the Hub has not converted this dataset to Parquet (the conversion may be pending; private datasets and \
                        those that run code are not converted)";
            let remedy = "wait until its page shows its rows; or set revision to `main`, if it has Parquet files of its own; \
                          or store the rows in S3 as CSV or Parquet and name them in s3_uri";
            Problem::new("dataset_id", &source.dataset_id, rule).remedy(remedy)
        }
        (revision, _) => {
            let rule = match revision {
                Some(_) => "was changed while it was read, and the Hub no longer has the commit that the run reads",
                None => "was converted again while it was read",
            };
            Problem::new("dataset_id", &source.dataset_id, rule).remedy("start the run again")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn source(revision: Option<&str>) -> DatasetSource {
        DatasetSource {
            dataset_id: "acme/rows".to_owned(),
            split: "train".to_owned(),
            config: None,
            revision: revision.map(str::to_owned),
            allow_partial: false,
        }
    }

    #[rstest]
    #[case::gated(401, Some("GatedRepo"), None, false, "accept them on https://huggingface.co/datasets/acme/rows")]
    #[case::gated_for_the_token(403, Some("GatedRepo"), None, true, "with that account")]
    #[case::missing(401, Some("RepoNotFound"), None, false, "does not exist, or is private; check the id")]
    #[case::missing_for_the_token(404, Some("RepoNotFound"), None, true, "may not read it")]
    #[case::without_code(401, None, None, false, "does not exist, or is private")]
    #[case::disabled(403, None, Some("Access to this resource is disabled."), false, "has disabled this dataset")]
    #[case::token(401, None, Some("Invalid credentials in Authorization header"), true, "does not accept the token")]
    #[case::narrow_token(403, None, None, true, "give the token read access")]
    #[case::pending(404, Some("RevisionNotFound"), None, false, "has not converted this dataset")]
    #[case::gone(404, Some("EntryNotFound"), None, false, "start the run again")]
    fn each_refusal_says_what_to_do(
        #[case] status: u16,
        #[case] code: Option<&str>,
        #[case] message: Option<&str>,
        #[case] had_token: bool,
        #[case] expected: &str,
    ) {
        let refused = Refused { status, code, message, had_token };
        let text = refusal(&source(None), Subject::Conversion, refused).unwrap().to_string();
        assert!(text.starts_with("dataset_id is `acme/rows`: ") && text.contains(expected), "{text}");
    }

    #[test]
    fn a_revision_that_does_not_exist_is_named() {
        let refused = Refused { status: 404, code: Some("RevisionNotFound"), message: None, had_token: false };
        let problem = refusal(&source(Some("v9")), Subject::Revision, refused).unwrap();
        assert!(
            problem.to_string().starts_with("revision is `v9`: the dataset acme/rows has no such branch"),
            "{problem}"
        );
        let problem = refusal(&source(None), Subject::Content, refused).unwrap();
        assert!(problem.to_string().contains("converted again"), "{problem}");
        let problem = refusal(&source(Some("main")), Subject::Content, refused).unwrap();
        assert!(problem.to_string().contains("no longer has the commit"), "{problem}");
    }

    #[test]
    fn a_fault_of_the_server_does_not_concern_the_dataset() {
        let refused = Refused { status: 418, code: None, message: None, had_token: false };
        assert_eq!(refusal(&source(None), Subject::Content, refused), None);
    }
}
