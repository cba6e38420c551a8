//! Hash by which rows of a run are recognised.

use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::{BuildHasher, Hasher, RandomState};

/// Keyed hash of 128 bits. The key is random and never leaves the process, so that no one can choose rows whose hashes collide: two
/// different rows would be taken for one, and one of them would never be sent. Which rows are equal does not depend on the key.
#[derive(Debug)]
pub(super) struct RowHasher {
    keys: [u64; 2],
}

impl Default for RowHasher {
    fn default() -> Self {
        let random = RandomState::new();
        Self { keys: [0_u8, 1].map(|number| random.hash_one(number)) }
    }
}

impl RowHasher {
    /// Returns the hash of a row's parts, which are told apart.
    pub(super) fn hash<'p>(&self, parts: impl Iterator<Item = &'p [u8]>) -> (u64, u64) {
        let mut hasher = SipHasher13::new_with_keys(self.keys[0], self.keys[1]);
        for part in parts {
            hasher.write_u64(part.len() as u64);
            hasher.write(part);
        }
        let hash = hasher.finish128();
        (hash.h1, hash.h2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(hasher: &RowHasher, parts: &[&str]) -> (u64, u64) {
        hasher.hash(parts.iter().map(|part| part.as_bytes()))
    }

    #[test]
    fn parts_are_told_apart() {
        let hasher = RowHasher::default();
        assert_eq!(hash(&hasher, &["ab", "c"]), hash(&hasher, &["ab", "c"]));
        for other in [["a", "bc"].as_slice(), &["abc"], &["ab", "c", ""], &["c", "ab"]] {
            assert_ne!(hash(&hasher, &["ab", "c"]), hash(&hasher, other), "{other:?}");
        }
    }

    #[test]
    fn hashes_cannot_be_predicted() {
        let (one, other) = (RowHasher::default(), RowHasher::default());
        let (one, other) = (hash(&one, &["a"]), hash(&other, &["a"]));
        assert!(one.0 != other.0 && one.1 != other.1 && one.0 != one.1);
    }
}
