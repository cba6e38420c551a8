//! Names of a pipeline run: all of them follow from its execution.

use crate::layout::run_id;
use crate::short_hash::short_hash;

/// The longest name that Step Functions takes for an execution, in characters.
const LONGEST_EXECUTION_NAME: usize = 80;

/// The name of the execution that does stage `index` (from 0 on) of a pipeline run: the same whenever it is asked for,
/// different for every execution and stage, and of characters that a run's id keeps. `started_at` tells the pipeline's
/// execution from an older one of the same name.
pub fn stage_execution_name(pipeline_execution: &str, started_at: &str, index: usize) -> String {
    let hash = short_hash(&[pipeline_execution, started_at, &index.to_string()]);
    let ending = format!("-{index}-{hash}");
    // Only ASCII is left in it.
    let mut name = run_id(pipeline_execution);
    name.truncate(LONGEST_EXECUTION_NAME - ending.len());
    name + &ending
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stage_is_called_after_its_pipelines_execution() {
        let name = stage_execution_name("clothing-7f", "2026-11-20T13:05:07.000Z", 1);
        assert!(name.starts_with("clothing-7f-1-"), "{name}");
        assert_eq!(name.len(), "clothing-7f-1-".len() + 8);
    }

    #[test]
    fn every_execution_and_stage_has_a_name_of_its_own() {
        let mut names = std::collections::HashSet::new();
        for execution in ["a", "b", &"x".repeat(80), &("x".repeat(79) + "y")] {
            for started_at in ["t", "u"] {
                for index in 0..20 {
                    assert!(names.insert(stage_execution_name(execution, started_at, index)));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn names_fit_step_functions_and_are_ids_of_runs(execution in "\\PC{1,80}", index in 0usize..20) {
            let name = stage_execution_name(&execution, "t", index);
            prop_assert!(name.len() <= LONGEST_EXECUTION_NAME);
            prop_assert_eq!(&name, &stage_execution_name(&execution, "t", index));
            prop_assert_eq!(run_id(&name), name);
        }
    }
}
