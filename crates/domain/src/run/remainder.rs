//! The remainder of a pass.

/// Rows that a batch pass leaves over, too few for a batch job. They are written down with that pass as a pass of their
/// own, and answered on demand right after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remainder {
    /// Number of the pass that they are written down as.
    pub pass: u32,
}
