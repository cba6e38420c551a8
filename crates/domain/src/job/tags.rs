//! Tags of Bedrock jobs, by which AWS allocates costs.

use crate::ids::RunId;
use std::str::FromStr;

/// Maximum number of tags of a job (`CreateModelInvocationJob`, Bedrock API Reference).
const MAX_TAGS: usize = 200;
/// Maximum number of characters of a key.
const MAX_KEY_CHARS: usize = 128;
/// Maximum number of characters of a value.
const MAX_VALUE_CHARS: usize = 256;
/// Key of the tag that names the run of a job.
pub const RUN_TAG: &str = "bedrock-batch:run";

/// Tags that all jobs of a deployment have, written as `key=value,key=value`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobTags(Vec<(String, String)>);

impl JobTags {
    /// Returns the tags of a job of this run: those of the deployment, and one that names the run.
    pub fn of_run<'a>(&'a self, run_id: &'a RunId) -> impl Iterator<Item = (&'a str, &'a str)> {
        let own = self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        own.chain([(RUN_TAG, run_id.as_str())])
    }
}

/// The text is not a list of tags that Bedrock accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTags;

impl FromStr for JobTags {
    type Err = InvalidTags;

    fn from_str(text: &str) -> Result<Self, InvalidTags> {
        let tags: Vec<(String, String)> =
            text.split(',').filter(|tag| !tag.is_empty()).map(tag).collect::<Result<_, _>>()?;
        let are_distinct = tags
            .iter()
            .enumerate()
            .all(|(place, (key, _))| *key != RUN_TAG && tags.iter().take(place).all(|(earlier, _)| earlier != key));
        if are_distinct && tags.len() < MAX_TAGS { Ok(Self(tags)) } else { Err(InvalidTags) }
    }
}

fn tag(text: &str) -> Result<(String, String), InvalidTags> {
    let (key, value) = text.split_once('=').ok_or(InvalidTags)?;
    let fits = !key.is_empty()
        && key.len() <= MAX_KEY_CHARS
        && value.len() <= MAX_VALUE_CHARS
        && key.chars().chain(value.chars()).all(is_allowed);
    if fits { Ok((key.to_owned(), value.to_owned())) } else { Err(InvalidTags) }
}

/// Returns true for the characters that Bedrock allows in tags. All are ASCII, so that bytes count as characters.
fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || " ._:/=+@-".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_job_has_the_tags_of_its_deployment_and_names_its_run() {
        let tags: JobTags = "project=tickets,team=support @ night".parse().unwrap();
        let run = "tickets-7".parse().unwrap();
        assert_eq!(
            tags.of_run(&run).collect::<Vec<_>>(),
            [("project", "tickets"), ("team", "support @ night"), (RUN_TAG, "tickets-7")]
        );
        assert_eq!(JobTags::default().of_run(&run).collect::<Vec<_>>(), [(RUN_TAG, "tickets-7")]);
    }

    #[rstest]
    #[case::empty("", true)]
    #[case::empty_value("a=", true)]
    #[case::equals_sign_in_a_value("a=b=c", true)]
    #[case::no_value("a", false)]
    #[case::no_key("=b", false)]
    #[case::twice("a=b,a=c", false)]
    #[case::ours("bedrock-batch:run=x", false)]
    #[case::not_ascii("a=\u{e9}", false)]
    #[case::line_break("a=b\n", false)]
    #[case::long_key(&format!("{}=b", "k".repeat(129)), false)]
    #[case::long_value(&format!("a={}", "v".repeat(257)), false)]
    fn only_tags_that_bedrock_accepts_are_read(#[case] text: &str, #[case] accepted: bool) {
        assert_eq!(text.parse::<JobTags>().is_ok(), accepted);
    }

    #[test]
    fn there_is_room_for_the_tag_of_the_run() {
        let tags = |count: usize| (0..count).map(|number| format!("t{number}=v")).collect::<Vec<_>>().join(",");
        let most: JobTags = tags(199).parse().unwrap();
        assert_eq!(most.of_run(&"r".parse().unwrap()).count(), 200);
        tags(200).parse::<JobTags>().unwrap_err();
    }
}
