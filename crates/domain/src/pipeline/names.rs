//! Names of a pipeline run, which are all derived from its execution.

use crate::ids::RunId;
use crate::short_hash::short_hash;

/// Maximum number of characters of the name of an execution in Step Functions.
const MAX_EXECUTION_NAME_CHARS: usize = 80;

/// Returns the name of the execution of stage `index` (from 0) of a pipeline run. The name is deterministic, different for
/// every execution and stage, and a valid run id. `started_at` distinguishes the pipeline's execution from an older one with
/// the same name.
pub fn stage_execution_name(pipeline_execution: &str, started_at: &str, index: usize) -> String {
    let hash = short_hash(&[pipeline_execution, started_at, &index.to_string()]);
    let suffix = format!("-{index}-{hash}");
    // A run id contains only ASCII.
    let mut name = String::from(RunId::of_execution(pipeline_execution));
    name.truncate(MAX_EXECUTION_NAME_CHARS - suffix.len());
    name + &suffix
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stage_is_named_after_the_execution_of_its_pipeline() {
        let name = stage_execution_name("clothing-7f", "2026-11-20T13:05:07.000Z", 1);
        assert!(name.starts_with("clothing-7f-1-"), "{name}");
        assert_eq!(name.len(), "clothing-7f-1-".len() + 8);
    }

    #[test]
    fn names_differ_between_executions_and_stages() {
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
        fn names_are_valid_for_step_functions_and_as_run_ids(execution in "\\PC{1,80}", index in 0usize..20) {
            let name = stage_execution_name(&execution, "t", index);
            prop_assert!(name.len() <= MAX_EXECUTION_NAME_CHARS);
            prop_assert_eq!(&name, &stage_execution_name(&execution, "t", index));
            let run_id = RunId::of_execution(&name);
            prop_assert_eq!(run_id.as_str(), name);
        }
    }
}
