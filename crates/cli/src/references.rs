//! References of an input, which may be local files.

use serde_json::{Map, Value};

/// Field of a run or a stage with its references.
const FIELD: &str = "reference";

/// Returns the values of the fields `reference` of an input: one for a run, one per stage for a pipeline. Each has the index
/// of its stage (0 for a run) and its path.
pub(crate) fn references_of(input: &mut Value) -> Vec<(usize, String, &mut Map<String, Value>)> {
    if input.get("stages").is_none() {
        return field_of(input).map(|found| (0, FIELD.to_owned(), found)).into_iter().collect();
    }
    let stages = input.get_mut("stages").and_then(Value::as_array_mut).into_iter().flatten().enumerate();
    stages.filter_map(|(index, stage)| Some((index, format!("stages[{index}].{FIELD}"), field_of(stage)?))).collect()
}

fn field_of(object: &mut Value) -> Option<&mut Map<String, Value>> {
    object.get_mut(FIELD)?.as_object_mut()
}
