//! Forms of model ids.

use crate::ids::Arn;

/// Parsed model id, as accepted by Bedrock's batch API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelId {
    /// Id sent to Bedrock: the text as the user wrote it.
    pub full: String,
    /// Id of the foundation model, e.g. `anthropic.claude-haiku-4-5-20251001-v1:0`.
    pub base: String,
    /// Region group of the inference profile (`us`, `eu`, `global`, …), if it is a profile.
    pub profile: Option<String>,
}

/// Region groups of system inference profiles.
const GROUPS: [&str; 9] = ["us", "eu", "apac", "global", "jp", "au", "ca", "sa", "us-gov"];

impl ModelId {
    /// Parses the id of a foundation model or of a system inference profile (`us.…`), or the ARN of one.
    ///
    /// # Errors
    /// Returns the reason, for a message, if the model cannot be determined.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.len() > 2048 {
            return Err("must be 1 to 2,048 characters");
        }
        let name = if text.starts_with("arn:") {
            let arn = Arn::parse(text).ok_or("is not a complete ARN")?;
            let (kind, name) = arn.resource.split_once('/').ok_or("is not an ARN of a model")?;
            match kind {
                "foundation-model" | "inference-profile" => name,
                "provisioned-model" => return Err("batch inference does not support provisioned models"),
                _ => return Err("does not identify its model, so its request format cannot be determined"),
            }
        } else {
            text
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c);
        if name.is_empty() || !name.chars().all(fits) {
            return Err("may contain only a-z, 0-9, `.`, `-` and `:`, or be an ARN");
        }
        let (profile, base) = match name.split_once('.') {
            Some((group, base)) if GROUPS.contains(&group) => (Some(group.to_owned()), base),
            _ => (None, name),
        };
        Ok(Self { full: text.to_owned(), base: base.to_owned(), profile })
    }

    /// Returns true if the base can be the id of a foundation model: Bedrock refuses requests about others as invalid. The form is
    /// that of `FoundationModelId` in the service model.
    pub fn has_id_of_foundation_model(&self) -> bool {
        let is_part = |part: &str| {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            (1..=63).contains(&part.len()) && part.bytes().all(fits)
        };
        let mut by_colon = self.base.split(':');
        let names: Vec<&str> = by_colon.next().unwrap_or_default().split('.').collect();
        let versions: Vec<&str> = by_colon.collect();
        // The name after the provider has two characters at least.
        let is_named = matches!(names.len(), 2 | 3) && names.iter().skip(1).map(|name| name.len()).sum::<usize>() >= 2;
        is_named && versions.len() <= 2 && names.iter().chain(&versions).all(|part| is_part(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("anthropic.claude-haiku-4-5-20251001-v1:0", true)]
    #[case("us.anthropic.claude-opus-5", true)]
    #[case("deepseek.v3.2", true)]
    #[case("amazon.nova-lite-v1:0:24k", true)]
    #[case("gpt-4", false)]
    #[case("anthropic.", false)]
    #[case("anthropic.x", false)]
    #[case("Anthropic.claude", false)]
    #[case("a.b.c.d", false)]
    #[case("a.bb:1:2:3", false)]
    fn ids_of_foundation_models_have_the_form_of_the_service_model(#[case] id: &str, #[case] expected: bool) {
        assert_eq!(ModelId::parse(id).unwrap().has_id_of_foundation_model(), expected);
    }

    #[rstest]
    #[case("anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku-20240307-v1:0", None)]
    #[case("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0", Some("us"))]
    #[case("global.amazon.nova-2-lite-v1:0", "amazon.nova-2-lite-v1:0", Some("global"))]
    #[case("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", None)]
    #[case(
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
        "amazon.nova-lite-v1:0",
        Some("eu")
    )]
    fn ids_and_arns_are_parsed(#[case] text: &str, #[case] base: &str, #[case] profile: Option<&str>) {
        let id = ModelId::parse(text).unwrap();
        assert_eq!((id.full.as_str(), id.base.as_str(), id.profile.as_deref()), (text, base, profile));
    }

    #[rstest]
    #[case("")]
    #[case("a b")]
    #[case("arn:aws:bedrock:us-east-1:1:provisioned-model/x")]
    #[case("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc")]
    #[case("arn:aws")]
    fn invalid_and_unsupported_ids_are_refused(#[case] text: &str) {
        assert!(ModelId::parse(text).is_err());
    }
}
