//! `v1.<payload>.<HMAC-SHA256>`: the right to read one object until a certain second.
//!
//! The payload is JSON, `{"key":"…","expires":1700000000}`; it and the code are base64url without padding, and the code
//! is of everything before it. Whoever has a token can read its payload, and cannot make another one.

use super::linked_key::may_be_linked;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;

const VERSION: &str = "v1";
/// Fewer bytes of a key could be guessed.
const SHORTEST_KEY: usize = 32;

/// The secret that signs links. Links signed with another one are refused.
#[derive(Clone)]
pub struct LinkKey(Hmac<Sha256>);

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

/// What a token gives access to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linked {
    /// The object's key.
    pub key: String,
    /// The second from which on the link is refused, since 1970.
    pub expires: u64,
}

/// Why a token gives access to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is no token of ours, or was changed, or the key was rotated since.
    Forged,
    /// It was good, until this second.
    Expired {
        /// Since 1970.
        at: u64,
    },
}

impl LinkKey {
    /// The key of this secret; `None` if it is too short to keep a secret.
    pub fn new(secret: &str) -> Option<Self> {
        if secret.len() < SHORTEST_KEY {
            return None;
        }
        Hmac::new_from_slice(secret.as_bytes()).ok().map(Self)
    }

    /// A token for one object; `None` for objects that no link may lead to.
    pub fn sign(&self, linked: &Linked) -> Option<String> {
        if !may_be_linked(&linked.key) {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(linked).ok()?);
        let signed = format!("{VERSION}.{payload}");
        let code = self.code(&signed).finalize().into_bytes();
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(code)))
    }

    /// What a token gives access to at the second `now`.
    ///
    /// # Errors
    /// Why it gives access to nothing. That a token has expired is told only to who has a real one.
    pub fn check(&self, token: &str, now: u64) -> Result<Linked, Refusal> {
        let linked = self.signed_payload(token).ok_or(Refusal::Forged)?;
        if now >= linked.expires { Err(Refusal::Expired { at: linked.expires }) } else { Ok(linked) }
    }

    /// Nothing of the payload is read before the code is found right, in constant time.
    fn signed_payload(&self, token: &str) -> Option<Linked> {
        let (signed, code) = token.rsplit_once('.')?;
        let (version, payload) = signed.split_once('.')?;
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        self.code(signed).verify_slice(&code).ok()?;
        if version != VERSION {
            return None;
        }
        let linked: Linked = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        may_be_linked(&linked.key).then_some(linked)
    }

    fn code(&self, signed: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(signed.as_bytes())
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

    fn linked(key: &str) -> Linked {
        Linked { key: key.to_owned(), expires: 1_700_000_000 }
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

    #[test]
    fn the_form_of_a_token_stays() {
        // Links in emails must survive a new version of the functions.
        let expected =
            "v1.eyJrZXkiOiJiYXRjaF9vdXRwdXRfcGFycXVldC9wL3IvMDAwMC5wYXJxdWV0IiwiZXhwaXJlcyI6MTcwMDAwMDAwMH0.";
        assert!(token().starts_with(expected), "{}", token());
    }

    #[test]
    fn no_other_object_is_ever_signed_or_accepted() {
        assert_eq!(key().sign(&linked("inputs/secret.csv")), None);
        // Even a right code does not help.
        let payload = URL_SAFE_NO_PAD.encode(br#"{"key":"inputs/secret.csv","expires":1700000000}"#);
        let signed = format!("v1.{payload}");
        let code = URL_SAFE_NO_PAD.encode(key().code(&signed).finalize().into_bytes());
        assert_eq!(key().check(&format!("{signed}.{code}"), 0), Err(Refusal::Forged));
    }

    #[test]
    fn rotating_the_key_revokes() {
        let other = LinkKey::new(&SECRET.replace('0', "1")).unwrap();
        assert_eq!(other.check(&token(), 0), Err(Refusal::Forged));
        assert_eq!(other.check(&token(), u64::MAX), Err(Refusal::Forged));
    }

    #[test]
    fn the_payload_of_one_token_does_not_go_with_the_code_of_another() {
        let other = key().sign(&linked("batch_output_parquet/p/r/0001.parquet")).unwrap();
        let payload = other.rsplit_once('.').unwrap().0;
        let forged = format!("{payload}.{}", token().rsplit_once('.').unwrap().1);
        assert_eq!(key().check(&forged, 0), Err(Refusal::Forged));
    }

    #[test]
    fn a_short_secret_is_no_key_and_none_is_ever_shown() {
        assert!(LinkKey::new("short").is_none());
        assert_eq!(format!("{:?}", key()), "LinkKey(…)");
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
        fn what_is_signed_is_read(name in "\\PC{1,60}", expires in 1u64..) {
            let linked = Linked { key: format!("batch_output_parquet/p/{name}"), expires };
            match key().sign(&linked) {
                Some(token) => {
                    prop_assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)));
                    prop_assert_eq!(key().check(&token, expires - 1), Ok(linked));
                }
                None => prop_assert!(!may_be_linked(&linked.key)),
            }
        }
    }
}
