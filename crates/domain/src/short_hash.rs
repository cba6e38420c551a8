//! Hashes in place of names.

use sha2::{Digest, Sha256};

/// Returns a hash of `parts` of eight hex digits.
pub(crate) fn short_hash(parts: &[&str]) -> String {
    digest(parts)[..8].to_owned()
}

/// Returns the SHA-256 of `parts` in hex digits, which is different for every list of parts.
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}
