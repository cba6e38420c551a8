//! Dice whose rolls are the bytes of a script.

/// Dice. Beyond the end of their script they show 0, so that everything goes well.
#[derive(Debug, Default)]
pub(crate) struct Dice(std::vec::IntoIter<u8>);

impl Dice {
    pub(crate) fn new(script: &[u8]) -> Self {
        Self(Vec::from(script).into_iter())
    }

    /// Returns a number below `sides`.
    pub(crate) fn roll(&mut self, sides: u8) -> u8 {
        self.0.next().unwrap_or(0) % sides
    }

    /// Returns true in one of `sides` cases.
    pub(crate) fn bad_luck(&mut self, sides: u8) -> bool {
        self.roll(sides) == sides - 1
    }
}
