//! Codes of reasons, which programs may rely on.

use serde::{Deserialize, Serialize};

/// Code of the reason why a row has no answer; its name in snake case in JSON. Codes are never renamed or reused for another
/// reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowErrorCode {
    /// The model refused the record.
    ModelRefused,
    /// The job's output has nothing for the record.
    NoAnswer,
    /// The line of the job's output has neither an answer nor an error.
    EmptyOutputLine,
    /// The answer does not have the format of the model's family.
    UnknownAnswerFormat,
    /// The model's answer contains neither text nor embedding.
    EmptyAnswer,
    /// The model declined to answer, or its answer was filtered.
    AnswerRefused,
    /// The row equals another one that has no answer.
    DuplicateUnanswered,

    /// The job failed before it processed the record.
    JobFailed,
    /// The job was stopped before it processed the record.
    JobStopped,
    /// The job expired before it began.
    JobExpired,
    /// The job timed out before it processed the record.
    JobPartiallyCompleted,
    /// The job had not ended when the row was last joined.
    JobUnfinished,
    /// The row was in no job of the run.
    NotAsked,
    /// The run ended before the row's job was sent.
    NotAskedRunEnded,
    /// Bedrock did not accept the row's job in batch, and the run does not send it on demand.
    BatchRefused,

    /// The answer contains no JSON.
    NoJson,
    /// The answer was cut off at the token limit before its fields were complete.
    AnswerCutOff,
    /// The JSON in the answer does not end.
    JsonUnended,
    /// The JSON in the answer is invalid.
    JsonBroken,
    /// The JSON in the answer has none of the prompt's fields.
    NoFields,
    /// The JSON in the answer is too complex for the paths of the prompt's fields.
    AnswerTooComplex,
    /// No pattern of the prompt matches the answer.
    NoPatternMatch,
    /// The JSON in the answer does not match the prompt's schema.
    SchemaMismatch,
    /// A field of the answer has a value that is not one of those that it is held to.
    ValueNotAllowed,
    /// The embedding has another length than the one that was requested, or numbers that are not finite.
    EmbeddingInvalid,

    /// The answer to the row's request has no element for the row.
    RowNotListed,
    /// The answer to the row's request has several elements for the row.
    RowListedTwice,
    /// The answer to the row's request is not a list with an element for each row.
    ListUnreadable,

    /// The record has more bytes than the model accepts.
    RecordTooLarge,
    /// Too few records are left for a batch job of their own.
    TooFewForBatch,
    /// The row has no prompt.
    NoPrompt,
    /// All cells that the prompt shows are blank.
    BlankRow,
    /// The text is longer than the embedding model accepts.
    TextTooLong,
    /// The row's prefill is empty or ends in white space, which the model refuses.
    PrefillBlank,
    /// The row has no answer from the previous stage.
    FailedInEarlierStage,

    /// The row names no image.
    NoImageNamed,
    /// The image's address or key is invalid.
    ImageAddressInvalid,
    /// The image's address is not an S3 address.
    ImageNotInS3,
    /// The image is in a bucket that the stack may not read.
    ImageBucketNotAllowed,
    /// The image's bucket is in another region.
    ImageInOtherRegion,
    /// The image does not exist.
    ImageMissing,
    /// S3 denies access to the image, or to its encryption key.
    ImageAccessDenied,
    /// The image is archived.
    ImageArchived,
    /// The image file is empty.
    ImageEmpty,
    /// The image's format is not one that models accept.
    ImageFormatUnsupported,
    /// The image file has more bytes than the model accepts.
    ImageTooManyBytes,
    /// The image has more pixels than the model accepts.
    ImageTooManyPixels,
    /// The end of the image file is missing.
    ImageCutOff,
    /// The image file violates its format.
    ImageBroken,

    /// The row is over `max_records_total`.
    OverMaxRecordsTotal,
    /// The row is over `max_num_jobs`.
    OverMaxNumJobs,

    /// A reason that was stored without a code, or with one that this version does not know.
    #[serde(other)]
    Unknown,
}

impl RowErrorCode {
    /// All codes, in the order of the documentation.
    pub const ALL: [Self; 51] = [
        Self::ModelRefused,
        Self::NoAnswer,
        Self::EmptyOutputLine,
        Self::UnknownAnswerFormat,
        Self::EmptyAnswer,
        Self::AnswerRefused,
        Self::DuplicateUnanswered,
        Self::JobFailed,
        Self::JobStopped,
        Self::JobExpired,
        Self::JobPartiallyCompleted,
        Self::JobUnfinished,
        Self::NotAsked,
        Self::NotAskedRunEnded,
        Self::BatchRefused,
        Self::NoJson,
        Self::AnswerCutOff,
        Self::JsonUnended,
        Self::JsonBroken,
        Self::NoFields,
        Self::AnswerTooComplex,
        Self::NoPatternMatch,
        Self::SchemaMismatch,
        Self::ValueNotAllowed,
        Self::EmbeddingInvalid,
        Self::RowNotListed,
        Self::RowListedTwice,
        Self::ListUnreadable,
        Self::RecordTooLarge,
        Self::TooFewForBatch,
        Self::NoPrompt,
        Self::BlankRow,
        Self::TextTooLong,
        Self::PrefillBlank,
        Self::FailedInEarlierStage,
        Self::NoImageNamed,
        Self::ImageAddressInvalid,
        Self::ImageNotInS3,
        Self::ImageBucketNotAllowed,
        Self::ImageInOtherRegion,
        Self::ImageMissing,
        Self::ImageAccessDenied,
        Self::ImageArchived,
        Self::ImageEmpty,
        Self::ImageFormatUnsupported,
        Self::ImageTooManyBytes,
        Self::ImageTooManyPixels,
        Self::ImageCutOff,
        Self::ImageBroken,
        Self::OverMaxRecordsTotal,
        Self::OverMaxNumJobs,
    ];
}
