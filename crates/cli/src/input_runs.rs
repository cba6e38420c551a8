//! The runs of an input: itself, or the stages of a pipeline.

use serde_json::{Map, Value};

/// Returns the object of each run with the path of its fields: empty for a run, `stages[1].` for a stage.
pub(crate) fn runs_of(input: &mut Value) -> Vec<(String, &mut Map<String, Value>)> {
    if input.get("stages").is_none() {
        return input.as_object_mut().map(|object| (String::new(), object)).into_iter().collect();
    }
    let stages = input.get_mut("stages").and_then(Value::as_array_mut).into_iter().flatten().enumerate();
    let objects = stages.filter_map(|(index, stage)| Some((format!("stages[{index}]."), stage.as_object_mut()?)));
    objects.collect()
}
