//! Hashes that stand for names.

use sha2::{Digest, Sha256};

/// Eight hex digits that stand for `parts`.
pub(crate) fn short_hash(parts: &[&str]) -> String {
    digest(parts)[..8].to_owned()
}

/// The SHA-256 of `parts` in hex digits: no two lists of parts have the same.
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}
