//! The names of models in answers.

/// The name that Anthropic's answers carry: `claude-haiku-4-5-20251001` for `anthropic.claude-haiku-4-5-20251001-v1:0`.
pub(crate) fn short_model_name(base: &str) -> &str {
    let name = base.split_once('.').map_or(base, |(_, name)| name);
    let Some((name_part, version)) = name.rsplit_once("-v") else { return name };
    let is_version = version.chars().all(|letter| letter.is_ascii_digit() || letter == ':') && !version.is_empty();
    if is_version { name_part } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_without_provider_and_version() {
        assert_eq!(short_model_name("anthropic.claude-haiku-4-5-20251001-v1:0"), "claude-haiku-4-5-20251001");
        assert_eq!(short_model_name("anthropic.claude-opus-5"), "claude-opus-5");
        assert_eq!(short_model_name("amazon.nova-lite-v1:0"), "nova-lite");
        assert_eq!(short_model_name("claude-3-vision"), "claude-3-vision");
    }
}
