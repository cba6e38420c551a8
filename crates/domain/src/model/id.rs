//! The forms that a model id can take.

/// A model id as Bedrock's batch API takes it, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelId {
    /// What goes to Bedrock: the text as the user wrote it.
    pub full: String,
    /// The foundation model's id, e.g. `anthropic.claude-3-haiku-20240307-v1:0`.
    pub base: String,
    /// The inference profile's region group (`us`, `eu`, `global`, …), if it is a profile.
    pub profile: Option<String>,
}

/// Region groups of system inference profiles.
const GROUPS: [&str; 9] = ["us", "eu", "apac", "global", "jp", "au", "ca", "sa", "us-gov"];

impl ModelId {
    /// Takes a model id apart: a foundation model's id, a system inference profile's id (`us.…`), or an ARN of one.
    ///
    /// # Errors
    /// Why the model behind it cannot be known, for a message.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.len() > 2048 {
            return Err("must be 1 to 2,048 characters");
        }
        let name = if text.starts_with("arn:") {
            let resource = text.splitn(6, ':').nth(5).ok_or("is not a complete ARN")?;
            let (kind, name) = resource.split_once('/').ok_or("is not an ARN of a model")?;
            match kind {
                "foundation-model" | "inference-profile" => name,
                "provisioned-model" => return Err("batch inference does not take provisioned models"),
                _ => return Err("does not say which model it stands for, so its request format cannot be known"),
            }
        } else {
            text
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c);
        if name.is_empty() || !name.chars().all(fits) {
            return Err("may hold only a-z, 0-9, `.`, `-` and `:`, or be an ARN");
        }
        let (profile, base) = match name.split_once('.') {
            Some((group, base)) if GROUPS.contains(&group) => (Some(group.to_owned()), base),
            _ => (None, name),
        };
        Ok(Self { full: text.to_owned(), base: base.to_owned(), profile })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

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
    fn takes_apart(#[case] text: &str, #[case] base: &str, #[case] profile: Option<&str>) {
        let id = ModelId::parse(text).unwrap();
        assert_eq!((id.full.as_str(), id.base.as_str(), id.profile.as_deref()), (text, base, profile));
    }

    #[rstest]
    #[case("")]
    #[case("a b")]
    #[case("arn:aws:bedrock:us-east-1:1:provisioned-model/x")]
    #[case("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc")]
    #[case("arn:aws")]
    fn refuses(#[case] text: &str) {
        assert!(ModelId::parse(text).is_err());
    }
}
