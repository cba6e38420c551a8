//! Model families, with the formats of their records and answers, and the table of models with their limits and prices.

mod anthropic;
mod around_rows;
mod cache_point;
mod cached_tokens;
mod converse;
mod family;
mod first_use;
mod frame;
mod id;
mod instruction_texts;
mod instructions;
pub(crate) mod lenient;
mod nova;
mod output;
mod price;
mod prompt_writers;
mod quota_name;
mod record;
mod refusal;
mod request_of_rows;
mod segments;
mod structured_output;
mod table;
mod titan_multimodal;
mod titan_text;
mod usual_output;

pub use cache_point::CachePoint;
pub use cached_tokens::CachedTokens;
pub use family::{Family, InvocationType};
pub use first_use::first_use_remedy;
pub use frame::ImagePart;
pub use id::ModelId;
pub use instruction_texts::{InstructionTexts, effective_prefill};
pub(crate) use output::{BorrowedText, ModelOutput};
pub use output::{Reply, ReplyPayload};
pub use price::Price;
pub use prompt_writers::RecordOptions;
pub use quota_name::{BEDROCK_SERVICE, model_of_job_quota, names_same_model};
pub use record::RecordWriter;
pub use refusal::{REMEDY as MODEL_REFUSAL_REMEDY, refuses_model};
pub use structured_output::structured_output_problems;
pub use table::{
    AwsModels, Limits, ListedModel, Model, ModelTable, ModelWish, NamedModel, OfferedModel, RefusedParameter,
};

/// Answer formats, for [`crate::answer`].
pub(crate) mod outputs {
    pub(crate) use super::anthropic::Output as AnthropicOutput;
    pub(crate) use super::converse::Output as ConverseOutput;
    pub(crate) use super::titan_multimodal::Output as TitanMultimodalOutput;
    pub(crate) use super::titan_text::Output as TitanTextOutput;
}
