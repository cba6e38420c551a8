//! Results of walking through the container of an image file.

/// Dimensions found by the walk through a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Reason why a file cannot be walked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The file ends before the end of its format.
    CutOff,
    /// The file violates its format, with a description.
    Broken(&'static str),
}
