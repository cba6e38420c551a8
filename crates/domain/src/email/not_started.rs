//! Email about an upload under `trigger/` that started nothing.

use super::{Email, figures};
use crate::problem::Problem;
use crate::s3_uri::S3Uri;

/// Maximum number of problems in the email; the file beside the upload lists all of them.
const MAX_LISTED_PROBLEMS: usize = 25;

/// Upload that started nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotStarted {
    /// Address of the uploaded object.
    pub upload: S3Uri,
    /// Address of the file that lists all problems.
    pub error_file: S3Uri,
    /// Problems of the upload.
    pub problems: Vec<Problem>,
}

impl NotStarted {
    /// Composes the email.
    pub fn email(&self) -> Email {
        let name = self.upload.key.rsplit('/').next().unwrap_or_default();
        let mut lines = vec![
            format!("The upload {} started nothing.", figures::shortened(&self.upload.to_string())),
            String::new(),
            "WHAT IS WRONG".to_owned(),
        ];
        lines.extend(self.problems.iter().take(MAX_LISTED_PROBLEMS).map(|problem| format!("  - {problem}")));
        let others = self.problems.len().saturating_sub(MAX_LISTED_PROBLEMS);
        if others > 0 {
            lines.push(format!("  - and {}", figures::number(others as u64, "other problem")));
        }
        lines.extend([
            String::new(),
            "WHAT TO DO".to_owned(),
            "  Correct it and upload it again: every upload is processed as a new one.".to_owned(),
            "  Nothing was sent to a model, so nothing has to be paid.".to_owned(),
            format!("  These problems are also listed in {}", figures::shortened(&self.error_file.to_string())),
        ]);
        Email::new(&format!("Upload {name}"), "started nothing", &lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_email_lists_the_problems_and_the_remedy() {
        let upload = S3Uri::new("bucket", "trigger/clothng/photos.csv");
        let problem = Problem::new("configuration", "clothng", "there is none of this name; known: `clothing`");
        let email = NotStarted {
            error_file: S3Uri::new("bucket", format!("{}.error.json", upload.key)),
            upload,
            problems: vec![problem],
        }
        .email();
        assert_eq!(email.subject, "[bedrock-batch] Upload photos.csv started nothing");
        let expected = "\
The upload s3://bucket/trigger/clothng/photos.csv started nothing.

WHAT IS WRONG
  - configuration is `clothng`: there is none of this name; known: `clothing`

WHAT TO DO
  Correct it and upload it again: every upload is processed as a new one.
  Nothing was sent to a model, so nothing has to be paid.
  These problems are also listed in s3://bucket/trigger/clothng/photos.csv.error.json
";
        assert_eq!(email.message, expected);
    }
}
