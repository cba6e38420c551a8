//! Keys of the links: the newest one signs, and the others are accepted until they are removed.

use super::{LinkKey, LinkTarget, Refusal};

/// Maximum number of keys. Tokens without a key id are compared with each.
const MAX_KEYS: usize = 20;

/// Keys of the links, the newest first.
#[derive(Debug, Clone)]
pub struct LinkKeyRing(Vec<LinkKey>);

impl LinkKeyRing {
    /// Reads the keys in a secret, one per line, the newest first.
    ///
    /// # Errors
    /// Returns the rule that the secret breaks. It does not quote the secret.
    pub fn parse(secret: &str) -> Result<Self, String> {
        let lines = secret.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Option<Vec<LinkKey>> = lines.map(LinkKey::new).collect();
        match keys {
            None => Err("has a key that is too short to sign links with: at least 32 characters per line".to_owned()),
            Some(keys) if keys.is_empty() => Err("is empty, but must hold a key of at least 32 characters".to_owned()),
            Some(keys) if keys.len() > MAX_KEYS => Err(format!("has {} keys, but at most {MAX_KEYS}", keys.len())),
            Some(keys) => Ok(Self(keys)),
        }
    }

    /// Creates a token for one object, signed with the newest key; returns `None` for objects that may not be linked.
    pub fn sign(&self, linked: &LinkTarget) -> Option<String> {
        self.0.first()?.sign(linked)
    }

    /// Returns the object that a token gives access to at the time `now`.
    ///
    /// # Errors
    /// Returns the reason if no key accepts the token.
    pub fn check(&self, token: &str, now: u64) -> Result<LinkTarget, Refusal> {
        let mut checks = self.0.iter().map(|key| key.check(token, now));
        checks.find(|checked| *checked != Err(Refusal::Forged)).unwrap_or(Err(Refusal::Forged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn secret(letter: &str) -> String {
        letter.repeat(40)
    }

    fn ring(letters: &[&str]) -> LinkKeyRing {
        let lines: Vec<String> = letters.iter().map(|letter| secret(letter)).collect();
        LinkKeyRing::parse(&lines.join("\n")).unwrap()
    }

    fn linked(expires: u64) -> LinkTarget {
        LinkTarget { key: "batch_output_parquet/p/r/0000.parquet".to_owned(), expires }
    }

    #[test]
    fn removing_one_key_revokes_its_links_and_no_others() {
        let [older, newer] = [ring(&["a"]), ring(&["b", "a"])].map(|ring| ring.sign(&linked(100)).unwrap());
        for ring in [ring(&["b", "a"]), ring(&["c", "a", "b"])] {
            assert_eq!((ring.check(&older, 0), ring.check(&newer, 0)), (Ok(linked(100)), Ok(linked(100))));
        }
        assert_eq!(ring(&["c", "b"]).check(&older, 0), Err(Refusal::Forged));
        assert_eq!(ring(&["c", "b"]).check(&newer, 0), Ok(linked(100)));
        assert_eq!(ring(&["c", "a"]).check(&newer, 0), Err(Refusal::Forged));
    }

    #[test]
    fn a_token_names_the_key_that_signed_it() {
        let token = ring(&["b", "a"]).sign(&linked(100)).unwrap();
        let id = LinkKey::new(&secret("b")).unwrap().id().to_owned();
        assert!(token.starts_with(&format!("v2.{id}.")), "{token}");
        let other = LinkKey::new(&secret("a")).unwrap().id().to_owned();
        assert_eq!(ring(&["b", "a"]).check(&token.replace(&id, &other), 0), Err(Refusal::Forged));
    }

    #[rstest]
    #[case("", "is empty")]
    #[case(" \n\n", "is empty")]
    #[case("short", "too short")]
    #[case("0123456789012345678901234567890123456789\nshort", "too short")]
    fn a_secret_that_cannot_be_used_is_refused_and_not_quoted(#[case] secret: &str, #[case] expected: &str) {
        let rule = LinkKeyRing::parse(secret).unwrap_err();
        assert!(rule.contains(expected) && !rule.contains("01234567890"), "{rule}");
    }

    #[test]
    fn surrounding_spaces_and_empty_lines_are_ignored() {
        let lines = format!("\r\n {}\r\n\r\n{}\n", secret("b"), secret("a"));
        let token = LinkKeyRing::parse(&lines).unwrap().sign(&linked(100)).unwrap();
        assert_eq!(ring(&["b"]).check(&token, 0), Ok(linked(100)));
        assert!(LinkKeyRing::parse(&vec![secret("a"); 21].join("\n")).unwrap_err().contains("21 keys"));
    }

    proptest! {
        #[test]
        fn clocks_that_differ_move_the_end_of_a_link_by_their_difference(
            now in 1_700_000_000u64..1_900_000_000, days in 1u64..=90, signer in -7200i64..7200, reader in -7200i64..7200,
            at in 0u64..91 * 86_400,
        ) {
            let by = |clock: i64, time: u64| time.checked_add_signed(clock).unwrap();
            let expires = by(signer, now) + days * 86_400;
            let token = ring(&["a"]).sign(&linked(expires)).unwrap();
            // By a perfect clock, the link ends this much later or earlier than promised, and at no other time.
            let end = by(signer - reader, now + days * 86_400);
            let opens = ring(&["a"]).check(&token, by(reader, now + at)).is_ok();
            prop_assert_eq!(opens, now + at < end);
        }
    }
}
