//! Replies that do not count as answers, and why.

use super::answers::{Answers, Fields, StoredReply};
use bedrock_batch_domain::extract::Unparsed;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};
use bedrock_batch_domain::stop_reason::{is_refusal, is_token_limit};

/// Warning about free text without its end.
const CUT_OFF: &str = "answers cut off at the token limit: raise `max_tokens`";

/// Stop reason of a reply that gives none.
const NOT_GIVEN: &str = "not given";

impl Answers<'_> {
    /// Returns the reason why a reply does not count as an answer; `None` if it does.
    pub(super) fn failure(&self, reply: &StoredReply) -> Option<RowError> {
        if let Fields::NotListed(why) = &reply.fields {
            return Some(RowError::from(&**why));
        }
        let with_stop_reason = |code| Some(RowError::new(code, self.stop_reason(reply).unwrap_or(NOT_GIVEN)));
        if self.is_refused(reply) {
            return with_stop_reason(RowErrorCode::AnswerRefused);
        }
        match &reply.fields {
            // Its message says what to do.
            Fields::Unparsed(unparsed) if **unparsed == Unparsed::CutOff => Some(RowError::from(&**unparsed)),
            _ if self.is_empty(reply) => with_stop_reason(RowErrorCode::EmptyAnswer),
            Fields::Unparsed(unparsed) => Some(RowError::from(&**unparsed)),
            Fields::None | Fields::Found(_) | Fields::Cells(_) | Fields::NotListed(_) => None,
        }
    }

    /// Returns true if the model declined to answer, or its answer was filtered, and left none of the fields. What it says
    /// instead is kept, and does not count as an answer.
    pub(super) fn is_refused(&self, reply: &StoredReply) -> bool {
        self.stop_reason(reply).is_some_and(is_refusal) && !reply.fields.are_found()
    }

    /// Returns true if a reply has neither a text nor an embedding. A text of spaces is none.
    pub(super) fn is_empty(&self, reply: &StoredReply) -> bool {
        let is_blank = |text: &str| text.trim().is_empty();
        // An embedding that cannot be used is not kept, and has a reason of its own.
        let is_unusable = matches!(&reply.fields, Fields::Unparsed(why)
            if matches!(**why, Unparsed::EmbeddingLength { .. } | Unparsed::EmbeddingRange));
        self.text(reply).is_none_or(is_blank)
            && self.embedding(reply).is_none()
            && !reply.fields.are_found()
            && !is_unusable
    }

    /// Returns a warning about a reply that counts as an answer. JSON with its fields is complete, whatever came after it.
    pub(super) fn warning(&self, reply: &StoredReply, prompt: u16) -> Option<&'static str> {
        let is_cut_off = self.stop_reason(reply).is_some_and(is_token_limit);
        let extractor = || self.prompts().reader(prompt).and_then(|reader| reader.extractor.as_ref());
        (is_cut_off && !extractor().is_some_and(|extractor| extractor.reads_json())).then_some(CUT_OFF)
    }
}

impl StoredReply {
    /// Returns true if the answer was nearly JSON, and was repaired.
    pub(super) fn is_repaired(&self) -> bool {
        self.in_repaired_list || matches!(&self.fields, Fields::Found(found) if found.repaired)
    }
}

impl Fields {
    /// Returns true if the answer has fields of the prompt.
    fn are_found(&self) -> bool {
        matches!(self, Self::Found(_) | Self::Cells(_))
    }
}
