//! The constraints of AWS's service model, and the message that AWS answers with when some are not met.

use std::fmt::Display;
use std::sync::LazyLock;

use regex::Regex;

use crate::errors::ApiError;

/// A pattern of the service model. As in AWS, the whole value has to match.
pub(crate) struct Rule {
    pattern: &'static str,
    regex: LazyLock<Option<Regex>>,
}

impl Rule {
    const fn new(pattern: &'static str, compile: fn() -> Option<Regex>) -> Self {
        Self { pattern, regex: LazyLock::new(compile) }
    }

    fn matches(&self, value: &str) -> bool {
        self.regex.as_ref().is_some_and(|regex| regex.is_match(value))
    }
}

/// AWS's `\s` means the ASCII white space only.
fn compile(pattern: &str) -> Option<Regex> {
    Regex::new(&format!("^(?:{})$", pattern.replace(r"\s", r" \t\n\x0B\f\r"))).ok()
}

macro_rules! rules {
    ($($(#[$docs:meta])* $name:ident = $pattern:literal;)*) => {
        $(pub(crate) static $name: Rule = Rule::new($pattern, || compile($pattern));)*

        #[cfg(test)]
        static ALL: &[&Rule] = &[$(&$name,)*];
    };
}

rules! {
    ACCOUNT_ID = "[0-9]{12}";
    BEDROCK_MODEL_ID = "[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([a-z0-9-]{1,63}[.]){0,2}[a-z0-9-]{1,63}([:][a-z0-9-]{1,63}){0,2}(/[a-z0-9]{12}|)";
    CLIENT_REQUEST_TOKEN = "[a-zA-Z0-9]{1,256}(-*[a-zA-Z0-9]){0,256}";
    FOUNDATION_MODEL_ID = "(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}::foundation-model/[a-z0-9-]{1,63}[.]{1}([a-z0-9-]{1,63}[.]){0,2}[a-z0-9-]{1,63}([:][a-z0-9-]{1,63}){0,2})|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})";
    INFERENCE_PROFILE_ID = "(arn:aws(|-us-gov|-cn|-iso|-iso-b):bedrock:(|[0-9a-z-]{0,20}):(|[0-9]{12}):(inference-profile|application-inference-profile)/)?[a-zA-Z0-9-:.]+";
    INVOKED_MODEL_ID = "(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:(([0-9]{12}:custom-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}/[a-z0-9]{12})|(:foundation-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.:]?[a-z0-9-]{1,63}))|([0-9]{12}:imported-model/[a-z0-9]{12})|([0-9]{12}:provisioned-model/[a-z0-9]{12})|([0-9]{12}:custom-model-deployment/[a-z0-9]{12})|([0-9]{12}:(inference-profile|application-inference-profile)/[a-zA-Z0-9-:.]+)))|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.:]?[a-z0-9-]{1,63}))|(([0-9a-zA-Z][_-]?)+)|([a-zA-Z0-9-:.]+)$|(^(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:prompt/[0-9a-zA-Z]{10}(?::[0-9]{1,5})?))$|(^arn:aws:sagemaker:[a-z0-9-]+:[0-9]{12}:endpoint/[a-zA-Z0-9-]+$)|(^arn:aws(-[^:]+)?:bedrock:([0-9a-z-]{1,20}):([0-9]{12}):(default-)?prompt-router/[a-zA-Z0-9-:.]+$)";
    JOB_IDENTIFIER = "((arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:model-invocation-job/)?[a-z0-9]{12})";
    JOB_NAME = r"[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9\+\-\.]){0,63}";
    KMS_KEY_ID = "(arn:aws(-[^:]+)?:kms:[a-zA-Z0-9-]*:[0-9]{12}:((key/[a-zA-Z0-9-]{36})|(alias/[a-zA-Z0-9-_/]+)))|([a-zA-Z0-9-]{36})|(alias/[a-zA-Z0-9-_/]+)";
    MODEL_ID = "(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:(([0-9]{12}:custom-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-:]{1,63}/[a-z0-9]{12}$)|(:foundation-model/([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})|(([0-9a-zA-Z][_-]?)+)$)|([0-9]{12}:(inference-profile|application-inference-profile)/[a-zA-Z0-9-:.]+$)))|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})|(([0-9a-zA-Z][_-]?)+)";
    PAGINATION_TOKEN = r"\S*";
    ROLE_ARN = "arn:aws(-[^:]+)?:iam::([0-9]{12})?:role/.+";
    S3_URI = "s3://[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](?:/[-!_*'().a-z0-9A-Z]+(?:/[-!_*'().a-z0-9A-Z]+)*)?/?";
    TAG = r"[a-zA-Z0-9\s._:/=+@-]*";
    VPC_ID = "[-0-9a-zA-Z]+";
}

/// Collects the problems of a request; AWS reports all of them at once.
#[derive(Debug, Default)]
pub(crate) struct Constraints {
    broken: Vec<String>,
    missing: Vec<String>,
}

impl Constraints {
    /// A string's length in characters, and its pattern.
    pub(crate) fn text(&mut self, at: &str, value: &str, min: usize, max: usize, rule: Option<&Rule>) {
        if self.is_missing(at) {
            return;
        }
        let length = value.chars().count();
        if length < min {
            self.broken(at, value, &format!("Member must have length greater than or equal to {min}"));
        }
        if length > max {
            self.broken(at, value, &format!("Member must have length less than or equal to {max}"));
        }
        if let Some(rule) = rule.filter(|rule| !rule.matches(value)) {
            self.broken(at, value, &format!("Member must satisfy regular expression pattern: {}", rule.pattern));
        }
    }

    /// The same for a field that may be absent.
    pub(crate) fn optional(&mut self, at: &str, value: Option<&String>, min: usize, max: usize, rule: Option<&Rule>) {
        if let Some(value) = value {
            self.text(at, value, min, max, rule);
        }
    }

    pub(crate) fn one_of(&mut self, at: &str, value: Option<&String>, allowed: &[&str]) {
        if let Some(value) = value.filter(|value| !allowed.contains(&value.as_str())) {
            self.broken(at, value, &format!("Member must satisfy enum value set: [{}]", allowed.join(", ")));
        }
    }

    pub(crate) fn range(&mut self, at: &str, value: Option<i64>, min: i64, max: i64) {
        match value {
            Some(value) if value < min => {
                self.broken(at, value, &format!("Member must have value greater than or equal to {min}"));
            }
            Some(value) if value > max => {
                self.broken(at, value, &format!("Member must have value less than or equal to {max}"));
            }
            _ => {}
        }
    }

    pub(crate) fn count(&mut self, at: &str, count: usize, min: usize, max: usize) {
        if count < min {
            self.broken(at, "[]", &format!("Member must have length greater than or equal to {min}"));
        }
        if count > max {
            self.broken(at, "[...]", &format!("Member must have length less than or equal to {max}"));
        }
    }

    /// The value of a field that has to be there; for an absent one, an empty value that is not looked at again.
    pub(crate) fn required<T: Default>(&mut self, at: &str, value: Option<T>) -> T {
        value.unwrap_or_else(|| {
            self.broken(at, "null", "Member must not be null");
            self.missing.push(at.to_owned());
            T::default()
        })
    }

    /// The same for a member of a structure, which is not required if the structure itself is missing.
    pub(crate) fn member<T: Default>(&mut self, structure: &str, name: &str, value: Option<T>) -> T {
        if self.is_missing(structure) { T::default() } else { self.required(&format!("{structure}.{name}"), value) }
    }

    pub(crate) fn is_missing(&self, at: &str) -> bool {
        self.missing.iter().any(|missing| missing == at)
    }

    /// Returns an error that names everything that is wrong, if anything is.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        match self.broken.len() {
            0 => Ok(()),
            1 => Err(ApiError::validation(format!("1 validation error detected: {}", self.broken.join("")))),
            many => Err(ApiError::validation(format!("{many} validation errors detected: {}", self.broken.join("; ")))),
        }
    }

    fn broken(&mut self, at: &str, value: impl Display, rule: &str) {
        self.broken.push(format!("Value '{value}' at '{at}' failed to satisfy constraint: {rule}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_of_the_model_compiles() {
        for rule in ALL {
            assert!(rule.regex.is_some(), "{}", rule.pattern);
        }
    }

    #[test]
    fn patterns_decide_as_aws_does() {
        for (rule, value, expected) in [
            (&JOB_NAME, "a-b.c+d", true),
            (&JOB_NAME, "a_b", false),
            (&JOB_NAME, "-a", false),
            (&JOB_NAME, "a b", false),
            (&CLIENT_REQUEST_TOKEN, "a-b", true),
            (&CLIENT_REQUEST_TOKEN, "a-", false),
            (&CLIENT_REQUEST_TOKEN, "a_b", false),
            (&S3_URI, "s3://bucket", true),
            (&S3_URI, "s3://bucket/a/b.jsonl", true),
            (&S3_URI, "s3://bucket/a/", true),
            (&S3_URI, "s3://bucket/dt=1/", false),
            (&S3_URI, "s3://bucket/a//b", false),
            (&S3_URI, "s3://bucket/a b", false),
            (&S3_URI, "s3://Bucket/a", false),
            (&MODEL_ID, "us.anthropic.claude-haiku-4-5-20251001-v1:0", true),
            (&MODEL_ID, "deepseek.v3.2", true),
            (&MODEL_ID, "us.deepseek.v3.2", false),
            (&MODEL_ID, "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.a.b", true),
            (&MODEL_ID, "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl", false),
            (&ROLE_ARN, "arn:aws:iam::000000000000:role/x", true),
            (&ROLE_ARN, "arn:aws:iam::000000000000:user/x", false),
            (&TAG, "a b:c", true),
            (&TAG, "a,b", false),
            (&TAG, "caf\u{e9}", false),
            (&TAG, "a\u{a0}b", false),
        ] {
            assert_eq!(rule.matches(value), expected, "{value} against {}", rule.pattern);
        }
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let mut constraints = Constraints::default();
        constraints.text("jobName", "a_b", 1, 63, Some(&JOB_NAME));
        constraints.range("timeoutDurationInHours", Some(23), 24, 168);
        let message = constraints.finish().unwrap_err().message;
        assert!(message.starts_with("2 validation errors detected: Value 'a_b' at 'jobName'"), "{message}");
        assert!(message.ends_with("greater than or equal to 24"), "{message}");
    }
}
