//! Token for the Hub, from Secrets Manager. It is in no message and no log, and is never stored.

use crate::error::EngineError;
use aws_sdk_secretsmanager::Client;
use hyper::header::HeaderValue;
use serde_json::Value;
use std::fmt;

/// Names under which a secret of several values holds the token.
const NAMES: [&str; 3] = ["token", "HF_TOKEN", "hf_token"];

/// Secret that holds the token.
#[derive(Debug, Clone)]
pub struct TokenSecret {
    secrets: Client,
    secret_id: String,
}

/// Value of the header `Authorization`.
#[derive(Clone)]
pub(super) struct Token(HeaderValue);

impl TokenSecret {
    /// Creates the reader of the secret with this name or ARN.
    pub fn new(secrets: Client, secret_id: String) -> Self {
        Self { secrets, secret_id }
    }

    pub(super) fn secret_id(&self) -> &str {
        &self.secret_id
    }

    /// Reads the token. A run does so once.
    pub(super) async fn token(&self) -> Result<Token, EngineError> {
        let secret = self.secrets.get_secret_value().secret_id(&self.secret_id).send().await;
        let context = || format!("cannot read the Hugging Face token in the secret {}", self.secret_id);
        let secret = secret.map_err(|error| EngineError::from_aws(context(), &error))?;
        Token::read(secret.secret_string().unwrap_or_default()).ok_or_else(|| {
            let rule = "holds no token: it must be the token alone, or JSON with the token as `token`";
            EngineError::internal(format!("the secret {} {rule}", self.secret_id))
        })
    }
}

impl Token {
    /// Reads the token from a secret: a text, or the JSON that the console of Secrets Manager writes.
    fn read(secret: &str) -> Option<Self> {
        let secret = secret.trim();
        let json: Option<Value> = serde_json::from_str(secret).ok().filter(Value::is_object);
        let token = match &json {
            Some(values) => NAMES.iter().find_map(|name| values.get(name)?.as_str())?.trim(),
            None => secret,
        };
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_| is_token)?;
        header.set_sensitive(true);
        Some(Self(header))
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("hf_abc\n", Some("Bearer hf_abc"))]
    #[case(r#"{"token": "hf_abc"}"#, Some("Bearer hf_abc"))]
    #[case(r#"{"HF_TOKEN": " hf_abc "}"#, Some("Bearer hf_abc"))]
    #[case(r#"{"other": "hf_abc"}"#, None)]
    #[case("", None)]
    #[case("two words", None)]
    #[case("a\nb", None)]
    fn a_token_is_a_text_or_a_value_of_json(#[case] secret: &str, #[case] expected: Option<&str>) {
        let token = Token::read(secret);
        let header = token.as_ref().map(|token| token.header());
        assert_eq!(header, expected.map(|text| HeaderValue::from_str(text).unwrap()));
        assert!(!format!("{token:?}").contains("abc"));
    }
}
