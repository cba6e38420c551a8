//! Names derived from text that users write.

/// Replaces each run of characters that do not fit by one hyphen.
pub(super) fn joined_by_hyphens(text: &str, fits: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if fits(c) {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out
}
