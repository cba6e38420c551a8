//! Tokens `v2.<key id>.<payload>.<HMAC-SHA256>`: the right to read one object until a certain second.
//!
//! The payload is JSON, `{"key":"…","expires":1700000000}`; payload and code are base64url without padding, and the code
//! covers everything before it. A holder of a token can read its payload but cannot create another one. The id names the
//! key that signed it. Tokens of emails from before there were several keys, `v1.<payload>.<HMAC-SHA256>`, have none.

use super::linked_key::is_linkable;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;

const VERSION: &str = "v2";
/// Version of tokens without a key id.
const VERSION_WITHOUT_ID: &str = "v1";
/// Number of bytes of a key's id.
const ID_BYTES: usize = 4;
/// Minimum length of a key; a shorter one could be guessed.
const MIN_KEY_BYTES: usize = 32;

/// Secret that signs links.
#[derive(Clone)]
pub struct LinkKey {
    /// Id: the beginning of a code of a fixed text, which reveals nothing of the key.
    id: String,
    hmac: Hmac<Sha256>,
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkKey({})", self.id)
    }
}

/// Object that a token gives access to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkTarget {
    /// Key of the object.
    pub key: String,
    /// Time from which the link is refused, in seconds since 1970.
    pub expires: u64,
}

/// Reason why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The token was not issued by this stack, was modified, or the key has been rotated since.
    Forged,
    /// The token was valid until this time.
    Expired {
        /// Seconds since 1970.
        at: u64,
    },
}

impl LinkKey {
    /// Creates a key from a secret; returns `None` if the secret is too short to be safe.
    pub fn new(secret: &str) -> Option<Self> {
        if secret.len() < MIN_KEY_BYTES {
            return None;
        }
        let hmac: Hmac<Sha256> = Hmac::new_from_slice(secret.as_bytes()).ok()?;
        let id = hmac.clone().chain_update(b"key id").finalize().into_bytes();
        Some(Self { id: hex::encode(&id[..ID_BYTES]), hmac })
    }

    /// Returns the id of the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Creates a token for one object; returns `None` for objects that may not be linked.
    pub fn sign(&self, linked: &LinkTarget) -> Option<String> {
        if !is_linkable(&linked.key) {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(linked).ok()?);
        let signed = format!("{VERSION}.{}.{payload}", self.id);
        let code = self.code(&signed).finalize().into_bytes();
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(code)))
    }

    /// Returns the object that a token gives access to at the time `now`.
    ///
    /// # Errors
    /// Returns the reason if the token is refused. Expiry is revealed only for genuine tokens.
    pub fn check(&self, token: &str, now: u64) -> Result<LinkTarget, Refusal> {
        let linked = self.signed_payload(token).ok_or(Refusal::Forged)?;
        if now >= linked.expires { Err(Refusal::Expired { at: linked.expires }) } else { Ok(linked) }
    }

    /// Returns the payload, which is not read before the code has been verified, in constant time.
    fn signed_payload(&self, token: &str) -> Option<LinkTarget> {
        let (signed, code) = token.rsplit_once('.')?;
        let (version, id, payload) = match signed.split('.').collect::<Vec<_>>().as_slice() {
            [version, payload] => (*version, None, *payload),
            [version, id, payload] => (*version, Some(*id), *payload),
            _ => return None,
        };
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        self.code(signed).verify_slice(&code).ok()?;
        let is_known = match (version, id) {
            (VERSION, Some(id)) => id == self.id,
            (VERSION_WITHOUT_ID, None) => true,
            _ => false,
        };
        if !is_known {
            return None;
        }
        let linked: LinkTarget = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        is_linkable(&linked.key).then_some(linked)
    }

    fn code(&self, signed: &str) -> Hmac<Sha256> {
        self.hmac.clone().chain_update(signed.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqr";

    fn key() -> LinkKey {
        LinkKey::new(SECRET).unwrap()
    }

    fn linked(key: &str) -> LinkTarget {
        LinkTarget { key: key.to_owned(), expires: 1_700_000_000 }
    }

    fn token() -> String {
        key().sign(&linked("batch_output_parquet/p/r/0000.parquet")).unwrap()
    }

    #[test]
    fn a_token_gives_access_to_its_object_until_its_second() {
        let checked = key().check(&token(), 1_699_999_999);
        assert_eq!(checked, Ok(linked("batch_output_parquet/p/r/0000.parquet")));
        assert_eq!(key().check(&token(), 1_700_000_000), Err(Refusal::Expired { at: 1_700_000_000 }));
        assert_eq!(key().check(&token(), u64::MAX), Err(Refusal::Expired { at: 1_700_000_000 }));
    }

    /// Returns a token as functions of version 0.1.0 have made it.
    fn token_without_id(payload: &[u8]) -> String {
        let signed = format!("v1.{}", URL_SAFE_NO_PAD.encode(payload));
        let code = URL_SAFE_NO_PAD.encode(key().code(&signed).finalize().into_bytes());
        format!("{signed}.{code}")
    }

    #[test]
    fn the_format_of_tokens_is_stable() {
        // Links in emails must survive a new version of the functions.
        let payload = "eyJrZXkiOiJiYXRjaF9vdXRwdXRfcGFycXVldC9wL3IvMDAwMC5wYXJxdWV0IiwiZXhwaXJlcyI6MTcwMDAwMDAwMH0";
        let expected = format!("v2.{}.{payload}.", key().id());
        assert!(token().starts_with(&expected), "{}", token());
        assert_eq!(key().id(), "4c16b284");
        let older = token_without_id(&serde_json::to_vec(&linked("batch_output_parquet/p/r/0000.parquet")).unwrap());
        assert!(older.starts_with(&format!("v1.{payload}.")));
        assert_eq!(key().check(&older, 0), Ok(linked("batch_output_parquet/p/r/0000.parquet")));
        assert_eq!(key().check(&older, u64::MAX), Err(Refusal::Expired { at: 1_700_000_000 }));
    }

    #[test]
    fn no_other_object_is_ever_signed_or_accepted() {
        assert_eq!(key().sign(&linked("inputs/secret.csv")), None);
        // Even with a valid code.
        let token = token_without_id(br#"{"key":"inputs/secret.csv","expires":1700000000}"#);
        assert_eq!(key().check(&token, 0), Err(Refusal::Forged));
    }

    #[test]
    fn rotating_the_key_revokes_tokens() {
        let other = LinkKey::new(&SECRET.replace('0', "1")).unwrap();
        assert_eq!(other.check(&token(), 0), Err(Refusal::Forged));
        assert_eq!(other.check(&token(), u64::MAX), Err(Refusal::Forged));
    }

    #[test]
    fn a_payload_with_the_code_of_another_token_is_refused() {
        let other = key().sign(&linked("batch_output_parquet/p/r/0001.parquet")).unwrap();
        let payload = other.rsplit_once('.').unwrap().0;
        let forged = format!("{payload}.{}", token().rsplit_once('.').unwrap().1);
        assert_eq!(key().check(&forged, 0), Err(Refusal::Forged));
    }

    #[test]
    fn short_secrets_are_refused_and_keys_are_never_shown() {
        assert!(LinkKey::new("short").is_none());
        assert_eq!(format!("{:?}", key()), format!("LinkKey({})", key().id()));
        assert!(!SECRET.contains(key().id()));
    }

    #[test]
    fn every_change_of_a_byte_is_refused() {
        let token = token();
        for at in 0..token.len() {
            for byte in 0u8..128 {
                let mut changed = token.clone().into_bytes();
                if changed[at] == byte {
                    continue;
                }
                changed[at] = byte;
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(key().check(&changed, 0), Err(Refusal::Forged), "{changed}");
            }
            assert_eq!(key().check(&token[..at], 0), Err(Refusal::Forged));
        }
        assert_eq!(key().check(&format!("{token}="), 0), Err(Refusal::Forged));
        assert_eq!(key().check(&format!(" {token}"), 0), Err(Refusal::Forged));
    }

    proptest! {
        #[test]
        fn any_text_is_refused_and_nothing_panics(text in "\\PC{0,200}", dots in "(v1\\.)?[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,50}") {
            prop_assert_eq!(key().check(&text, 0), Err(Refusal::Forged));
            prop_assert_eq!(key().check(&dots, 0), Err(Refusal::Forged));
        }

        #[test]
        fn signed_tokens_are_accepted(name in "\\PC{1,60}", expires in 1u64..) {
            let linked = LinkTarget { key: format!("batch_output_parquet/p/{name}"), expires };
            match key().sign(&linked) {
                Some(token) => {
                    prop_assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)));
                    prop_assert_eq!(key().check(&token, expires - 1), Ok(linked));
                }
                None => prop_assert!(!is_linkable(&linked.key)),
            }
        }
    }
}
