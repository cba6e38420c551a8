//! Remainders of passes.

/// Rows that a batch pass leaves over, too few for a batch job. They are stored together with that pass, as a pass of their
/// own, and sent on demand right after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remainder {
    /// Number of their pass.
    pub pass: u32,
}
