//! The two kinds of problems that reports are classified by.

/// Kind of problem, which selects the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemType {
    /// Problem of the device (IMDRF annex A).
    Product,
    /// Effect on the patient (IMDRF annexes E and F).
    Patient,
}

impl ProblemType {
    /// All types.
    pub const ALL: [Self; 2] = [Self::Product, Self::Patient];

    /// Returns the type of this name in a payload.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the name in a payload.
    pub fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Patient => "patient",
        }
    }

    /// Returns the name of the prompt.
    pub fn prompt_id(self) -> &'static str {
        match self {
            Self::Product => "imdrf_product_problem",
            Self::Patient => "imdrf_patient_problem",
        }
    }
}
