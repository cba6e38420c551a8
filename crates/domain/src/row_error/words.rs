//! Conversion of reasons to words, which nothing else does.

use super::stored::NOT_SENT;
use super::{Reason, RowError, RowErrorCode as Code};
use std::borrow::Cow;
use std::fmt;

impl Reason {
    /// Returns the words that a summary counts rows by: never any text of a record.
    pub fn words(&self) -> Cow<'static, str> {
        let qualifier = &self.qualifier;
        Cow::Borrowed(match self.code {
            Code::ModelRefused if !qualifier.is_empty() => return format!("refused by the model ({qualifier})").into(),
            Code::ModelRefused => "refused by the model",
            Code::NoAnswer | Code::EmptyOutputLine => "no answer in the job's output",
            Code::UnknownAnswerFormat => "answer of an unknown format",
            Code::EmptyAnswer => "the model returned no answer",
            Code::AnswerRefused => "the model declined to answer",
            Code::DuplicateUnanswered => "the row that this one equals has no answer",
            Code::JobFailed
            | Code::JobStopped
            | Code::JobExpired
            | Code::JobPartiallyCompleted
            | Code::JobUnfinished => {
                return format!("no answer: the job ended as {qualifier}").into();
            }
            Code::NotAsked => "not asked",
            Code::NotAskedRunEnded => RUN_ENDED,
            Code::BatchRefused => "not asked: Bedrock did not take the job in batch",
            Code::NoJson => "no JSON in the answer",
            Code::AnswerCutOff => "answer cut off at the token limit",
            Code::JsonUnended => "JSON in the answer does not end",
            Code::JsonBroken => "broken JSON in the answer",
            Code::NoFields => "none of the fields in the answer",
            Code::AnswerTooComplex => "JSON in the answer too complex for the paths of the fields",
            Code::NoPatternMatch => "no pattern matches the answer",
            Code::SchemaMismatch => "answer does not match the response schema",
            Code::ValueNotAllowed => "value in the answer not allowed",
            Code::EmbeddingInvalid => "embedding of the wrong length or with numbers that are not finite",
            Code::RowNotListed => "row missing in the answer to its request",
            Code::RowListedTwice => "row more than once in the answer to its request",
            Code::ListUnreadable => "answer to a request of several rows is not a list",
            Code::RecordTooLarge => "record too large for the model",
            Code::TooFewForBatch => "too few records left for a batch job of their own",
            Code::NoPrompt => "no prompt for it",
            Code::BlankRow => "all cells that the prompt shows are blank",
            Code::TextTooLong => "text too long for the model",
            Code::PrefillBlank => "prefill empty or ending in white space",
            Code::FailedInEarlierStage => return format!("failed in stage {qualifier}").into(),
            Code::NoImageNamed => "no image named",
            Code::ImageAddressInvalid => "image address invalid",
            Code::ImageNotInS3 => "image not in S3",
            Code::ImageBucketNotAllowed => "image in a bucket that the stack may not read",
            Code::ImageInOtherRegion => "image in another region",
            Code::ImageMissing => "image missing",
            Code::ImageAccessDenied => "image may not be read",
            Code::ImageArchived => "image archived",
            Code::ImageEmpty => "image file is empty",
            Code::ImageFormatUnsupported => "image of a format that models do not take",
            Code::ImageTooManyBytes => "image of too many bytes",
            Code::ImageTooManyPixels => "image of too many pixels",
            Code::ImageCutOff => "image file is cut off",
            Code::ImageBroken => "image file is broken",
            Code::OverMaxRecordsTotal => "over max_records_total",
            Code::OverMaxNumJobs => "over max_num_jobs",
            Code::Unknown => return qualifier.clone(),
        })
    }
}

const RUN_ENDED: &str = "not asked: the run ended before";

impl fmt::Display for RowError {
    /// Writes the text of the row's `error`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, detail) = (self.reason.words(), self.detail.as_str());
        let with_detail = |f: &mut fmt::Formatter<'_>, words: fmt::Arguments<'_>| {
            f.write_fmt(words)?;
            if detail.is_empty() { Ok(()) } else { write!(f, ": {detail}") }
        };
        match self.reason.code {
            Code::ModelRefused => write!(f, "the model refused the record: {detail}"),
            Code::EmptyOutputLine => {
                f.write_str("the job's output holds neither an answer nor an error for this record")
            }
            Code::UnknownAnswerFormat => f.write_str("the answer does not have the format of this model's family"),
            Code::EmptyAnswer | Code::AnswerRefused => write!(f, "{words} (stop_reason {detail})"),
            Code::NoAnswer
            | Code::DuplicateUnanswered
            | Code::JobFailed
            | Code::JobStopped
            | Code::JobExpired
            | Code::JobPartiallyCompleted
            | Code::JobUnfinished
            | Code::NotAskedRunEnded => with_detail(f, format_args!("{words}")),
            Code::NotAsked => f.write_str(RUN_ENDED),
            Code::BatchRefused => write!(f, "not asked: {detail}"),
            Code::NoJson
            | Code::AnswerCutOff
            | Code::JsonUnended
            | Code::JsonBroken
            | Code::NoFields
            | Code::AnswerTooComplex
            | Code::NoPatternMatch
            | Code::SchemaMismatch
            | Code::ValueNotAllowed
            | Code::EmbeddingInvalid
            | Code::RowNotListed
            | Code::RowListedTwice
            | Code::ListUnreadable
            | Code::Unknown => f.write_str(detail),
            Code::RecordTooLarge
            | Code::TooFewForBatch
            | Code::NoPrompt
            | Code::BlankRow
            | Code::TextTooLong
            | Code::PrefillBlank
            | Code::FailedInEarlierStage
            | Code::NoImageNamed
            | Code::ImageAddressInvalid
            | Code::ImageNotInS3
            | Code::ImageBucketNotAllowed
            | Code::ImageInOtherRegion
            | Code::ImageMissing
            | Code::ImageAccessDenied
            | Code::ImageArchived
            | Code::ImageEmpty
            | Code::ImageFormatUnsupported
            | Code::ImageTooManyBytes
            | Code::ImageTooManyPixels
            | Code::ImageCutOff
            | Code::ImageBroken => with_detail(f, format_args!("{NOT_SENT}{words}")),
            Code::OverMaxRecordsTotal | Code::OverMaxNumJobs => write!(f, "not asked: {words}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        RowError::new(Code::ModelRefused, "400: bad").qualified("400"),
        "the model refused the record: 400: bad",
        "refused by the model (400)"
    )]
    #[case(
        RowError::new(Code::EmptyAnswer, "content_filtered"),
        "the model returned no answer (stop_reason content_filtered)",
        "the model returned no answer"
    )]
    #[case(
        RowError::new(Code::AnswerRefused, "refusal"),
        "the model declined to answer (stop_reason refusal)",
        "the model declined to answer"
    )]
    #[case(
        RowError::new(Code::JobFailed, "no quota").qualified("Failed"),
        "no answer: the job ended as Failed: no quota",
        "no answer: the job ended as Failed"
    )]
    #[case(Code::NoAnswer.into(), "no answer in the job's output", "no answer in the job's output")]
    #[case(Code::NotAsked.into(), "not asked: the run ended before", "not asked")]
    #[case(Code::NotAskedRunEnded.into(), "not asked: the run ended before", "not asked: the run ended before")]
    #[case(
        RowError::new(Code::BatchRefused, "the model takes no batch"),
        "not asked: the model takes no batch",
        "not asked: Bedrock did not take the job in batch"
    )]
    #[case(RowError::new(Code::NoJson, "there is none"), "there is none", "no JSON in the answer")]
    #[case(
        Code::TooFewForBatch.into(),
        "not sent: too few records left for a batch job of their own",
        "too few records left for a batch job of their own"
    )]
    #[case(
        RowError::failed_in_stage("mood: v2", "lost: for good"),
        "not sent: failed in stage mood: v2: lost: for good",
        "failed in stage mood: v2"
    )]
    #[case(Code::OverMaxNumJobs.into(), "not asked: over max_num_jobs", "over max_num_jobs")]
    #[case(RowError::uncoded("some text", "some words"), "some text", "some words")]
    fn words_are_those_that_rows_and_summaries_have_always_had(
        #[case] error: RowError,
        #[case] text: &str,
        #[case] words: &str,
    ) {
        assert_eq!((error.to_string().as_str(), error.reason.words().as_ref()), (text, words));
    }
}
