//! The runs of an input: itself, or the stages of a pipeline.

use serde_json::{Map, Value};

/// Field of a run with its references, which may be local files.
const REFERENCE: &str = "reference";

/// Run of an input.
#[derive(Debug)]
pub(crate) struct InputRun<'a> {
    /// Index of the stage; 0 for a run.
    pub(crate) index: usize,
    /// Path of its fields: empty for a run, `stages[1].` for a stage.
    pub(crate) path: String,
    pub(crate) object: &'a mut Map<String, Value>,
}

/// Returns the runs of an input: one for a run, one per stage for a pipeline.
pub(crate) fn runs_of(input: &mut Value) -> Vec<InputRun<'_>> {
    if input.get("stages").is_none() {
        let run = input.as_object_mut().map(|object| InputRun { index: 0, path: String::new(), object });
        return run.into_iter().collect();
    }
    let stages = input.get_mut("stages").and_then(Value::as_array_mut).into_iter().flatten().enumerate();
    let runs = stages.filter_map(|(index, stage)| {
        Some(InputRun { index, path: format!("stages[{index}]."), object: stage.as_object_mut()? })
    });
    runs.collect()
}

/// Returns the values of the fields `reference` of an input, each with the index of its run and its path.
pub(crate) fn references_of(input: &mut Value) -> Vec<(usize, String, &mut Map<String, Value>)> {
    let fields = runs_of(input).into_iter().filter_map(|InputRun { index, path, object }| {
        Some((index, format!("{path}{REFERENCE}"), object.get_mut(REFERENCE)?.as_object_mut()?))
    });
    fields.collect()
}

/// Returns true for the path of a file or folder on this machine. A blank one is a mistake, which the run reports, and not the
/// folder of the input.
pub(crate) fn is_local(named: &str) -> bool {
    !named.starts_with("s3://") && !named.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_those_of_the_run_or_of_its_stages() {
        let fields = |mut input: Value| -> Vec<(usize, String)> {
            references_of(&mut input).into_iter().map(|(index, path, _)| (index, path)).collect()
        };
        assert_eq!(fields(json!({"reference": {"a": "b"}})), [(0, "reference".to_owned())]);
        let stages = json!([{"reference": {}}, 7, {"reference": 7}, {"reference": {"a": "b"}}, {}]);
        let expected = [(0, "stages[0].reference".to_owned()), (3, "stages[3].reference".to_owned())];
        assert_eq!(fields(json!({"stages": stages, "reference": {}})), expected);
    }

    #[test]
    fn neither_an_address_nor_a_blank_text_is_a_local_path() {
        assert!(is_local("tickets.csv") && is_local("."));
        assert!(!is_local("s3://bucket/a.csv") && !is_local("") && !is_local(" "));
    }
}
