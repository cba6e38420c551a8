//! The families, and the two ways by which their requests come.

use serde_json::Value;

/// Whose format a native request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Anthropic,
    Nova,
    TitanText,
    TitanMultimodal,
    Llama,
    /// Mistral and `DeepSeek`: a `prompt`, or chat `messages`.
    PromptOrChat,
    /// OpenAI's chat completions, which gpt-oss and most newer models take.
    Chat,
    /// Nothing here can read its requests.
    Unread,
    /// An application inference profile or custom model: recognised by the request's own form.
    ByForm,
}

impl Family {
    pub(crate) fn of(base: &str) -> Self {
        let by_beginning = [
            ("anthropic.", Self::Anthropic),
            ("amazon.nova-2-multimodal-embeddings", Self::Unread),
            ("amazon.nova", Self::Nova),
            ("amazon.titan-embed-text-v2", Self::TitanText),
            ("amazon.titan-embed-image", Self::TitanMultimodal),
            ("amazon.", Self::Unread),
            ("cohere.", Self::Unread),
            ("meta.", Self::Llama),
            ("mistral.", Self::PromptOrChat),
            ("deepseek.", Self::PromptOrChat),
        ];
        match by_beginning.iter().find(|(beginning, _)| base.starts_with(beginning)) {
            Some((_, family)) => *family,
            None if base.contains('.') => Self::Chat,
            None => Self::ByForm,
        }
    }

    /// Resolves `ByForm` by the form of the request.
    pub(super) fn resolved_by(self, body: &Value) -> Self {
        let has = |key: &str| body.get(key).is_some();
        match self {
            Self::ByForm if has("anthropic_version") => Self::Anthropic,
            Self::ByForm if has("inputImage") || has("embeddingConfig") => Self::TitanMultimodal,
            Self::ByForm if has("inputText") => Self::TitanText,
            Self::ByForm if has("inferenceConfig") || has("schemaVersion") => Self::Nova,
            Self::ByForm if has("max_gen_len") => Self::Llama,
            Self::ByForm => Self::PromptOrChat,
            known => known,
        }
    }
}

/// API through which a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// As a record of a job: no tools, no prompt caching.
    Batch,
    OnDemand,
}
