//! Names of quotas in Service Quotas.

/// Code of Bedrock in Service Quotas.
pub const BEDROCK_SERVICE: &str = "bedrock";
/// What the names of the quotas of concurrent batch jobs begin with; the name of the model follows (General Reference, quotas of
/// Bedrock, 2026-11).
const BATCH_JOBS: &str = "Sum of in-progress and submitted batch inference jobs using a base model for ";

/// Returns the name of the model in the name of a quota of concurrent batch jobs; `None` for other quotas.
pub fn model_of_job_quota(quota: &str) -> Option<&str> {
    quota.strip_prefix(BATCH_JOBS).map(str::trim).filter(|model| !model.is_empty())
}

/// Returns true if the name of a model in a quota is the one that Bedrock lists it under, with the name of its provider. Quotas are
/// named by hand: `Nova Lite V1` is the model `Nova Lite`, and `OpenAI GPT OSS 20b` is `gpt-oss-20b`. Names that differ in more are
/// not guessed at.
pub fn names_same_model(in_quota: &str, provider: &str, model: &str) -> bool {
    let plain = |name: &str| {
        let mut words = split_words(name);
        let provider = split_words(provider);
        if words.len() > provider.len() && words.starts_with(&provider) {
            words.drain(..provider.len());
        }
        if words.len() > 1 {
            words.pop_if(|last| last == "v1" || last == "v1.0");
        }
        words
    };
    let model = plain(model);
    !model.is_empty() && plain(in_quota) == model
}

fn split_words(name: &str) -> Vec<String> {
    let words = name.split(|c: char| c.is_whitespace() || c == '-' || c == '_');
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "Sum of in-progress and submitted batch inference jobs using a base model for Nova Lite V1",
        Some("Nova Lite V1")
    )]
    #[case("Sum of in-progress and submitted batch inference jobs using a base model for ", None)]
    #[case(
        "Sum of in-progress and submitted batch inference jobs using a custom model for Titan Text Embeddings V2",
        None
    )]
    #[case("Records per batch inference job for Nova Lite V1", None)]
    fn only_quotas_of_jobs_of_base_models_count(#[case] quota: &str, #[case] expected: Option<&str>) {
        assert_eq!(model_of_job_quota(quota), expected);
    }

    // Names of quotas and of models as AWS has them.
    #[rstest]
    #[case("Claude 3 Haiku", "Anthropic", "Claude 3 Haiku", true)]
    #[case("Claude Haiku 4.5", "Anthropic", "Claude Haiku 4.5", true)]
    #[case("Anthropic Claude Haiku 4.5", "Anthropic", "Claude Haiku 4.5", true)]
    #[case("Claude 3.5 Sonnet v2", "Anthropic", "Claude 3.5 Sonnet v2", true)]
    #[case("Claude 3.5 Sonnet", "Anthropic", "Claude 3.5 Sonnet v2", false)]
    #[case("Claude Sonnet 4", "Anthropic", "Claude Sonnet 4.5", false)]
    #[case("Nova Lite V1", "Amazon", "Nova Lite", true)]
    #[case("Nova 2 Lite V1", "Amazon", "Nova Lite", false)]
    #[case("Titan Text Embeddings V2", "Amazon", "Titan Text Embeddings V2", true)]
    #[case("OpenAI GPT OSS 20b", "OpenAI", "gpt-oss-20b", true)]
    #[case("OpenAI GPT OSS 20b", "OpenAI", "gpt-oss-120b", false)]
    #[case("V1", "Amazon", "V1", true)]
    #[case("", "Amazon", "", false)]
    fn a_model_has_the_quota_that_is_named_after_it(
        #[case] in_quota: &str,
        #[case] provider: &str,
        #[case] model: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(names_same_model(in_quota, provider, model), expected);
    }
}
