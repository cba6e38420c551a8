//! Hashes in place of names.

use sha2::{Digest, Sha256};

/// Returns a hash of `parts` of eight hex digits.
pub(crate) fn short_hash(parts: &[&str]) -> String {
    digest(parts)[..8].to_owned()
}

/// Number of digits of base 36 that a hash of 128 bits has.
const LONG_HASH_DIGITS: usize = 25;

/// Returns a hash of `parts` of 25 digits of base 36, in lower case. Any of its digits, taken together, are a hash too: each
/// adds more than 5 bits.
pub(crate) fn long_hash(parts: &[&str]) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut number = sha256(parts).iter().take(16).fold(0u128, |number, byte| number << 8 | u128::from(*byte));
    // The lowest digit comes first: the highest one takes only some of its values.
    let digits = std::iter::repeat_with(|| {
        let digit = DIGITS.get(usize::try_from(number % 36).unwrap_or_default()).copied().unwrap_or(b'0');
        number /= 36;
        char::from(digit)
    });
    digits.take(LONG_HASH_DIGITS).collect()
}

/// Returns the SHA-256 of `parts` in hex digits, which is different for every list of parts.
pub(crate) fn digest(parts: &[&str]) -> String {
    hex::encode(sha256(parts))
}

fn sha256(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_hash_is_stable_and_uses_all_digits_in_all_places() {
        assert_eq!(long_hash(&["a", "b"]), long_hash(&["a", "b"]));
        assert_ne!(long_hash(&["ab", "c"]), long_hash(&["a", "bc"]));
        let hashes: Vec<String> = (0..2_000).map(|number: u32| long_hash(&[&number.to_string()])).collect();
        // The last place is the highest digit of 128 bits, which takes only the lower half of its values.
        for place in 0..LONG_HASH_DIGITS - 1 {
            let used: std::collections::BTreeSet<u8> = hashes.iter().map(|hash| hash.as_bytes()[place]).collect();
            assert_eq!(used.len(), 36, "place {place}");
        }
    }
}
