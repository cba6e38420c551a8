//! `instruction.json`: the parts of the instructions.

use crate::input::Fields;
use serde::Serialize;

/// Content of `instruction.json`, merged over the defaults, which are all true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the file")]
pub struct InstructionConfig {
    /// If true, the steps of the analysis are listed.
    pub include_analysis_steps: bool,
    /// If true, the prompt says how to decide between categories.
    pub include_decision_criteria: bool,
    /// If true, the prompt says what to do with data that fits no category or several.
    pub include_edge_case_handling: bool,
    /// If true, the prompt says what the values of `confidence` mean.
    pub include_confidence_guidance: bool,
    /// If true, the prompt says what the reasoning has to explain.
    pub include_reasoning_requirements: bool,
    /// If true, the steps of the analysis are numbered.
    pub step_by_step_format: bool,
    /// If true, the prompt says what counts as evidence.
    pub include_evidence_validation: bool,
}

impl Default for InstructionConfig {
    fn default() -> Self {
        Self {
            include_analysis_steps: true,
            include_decision_criteria: true,
            include_edge_case_handling: true,
            include_confidence_guidance: true,
            include_reasoning_requirements: true,
            step_by_step_format: true,
            include_evidence_validation: true,
        }
    }
}

/// Reads the object. Fields that are absent or wrong are true.
pub(super) fn read(fields: &mut Fields<'_>) -> InstructionConfig {
    let mut flag = |name| fields.boolean(name).unwrap_or(true);
    InstructionConfig {
        include_analysis_steps: flag("include_analysis_steps"),
        include_decision_criteria: flag("include_decision_criteria"),
        include_edge_case_handling: flag("include_edge_case_handling"),
        include_confidence_guidance: flag("include_confidence_guidance"),
        include_reasoning_requirements: flag("include_reasoning_requirements"),
        step_by_step_format: flag("step_by_step_format"),
        include_evidence_validation: flag("include_evidence_validation"),
    }
}
