//! Room for the counts of a chunk, which name the fields of all prompts. An item of the job table has at most 400 KB, and the
//! counts are stored when everything is paid for: so what cannot be stored then is refused before.

use crate::problem::Problem;
use crate::prompt::PromptPlan;

/// Maximum size of what the counts of a chunk may contain of fields: 400 KB less the most that the other attributes of a job's
/// item and the other counts have, all limited as well.
pub(super) const MAX_FIELD_BYTES: usize = 230_000;

/// Maximum size of the kinds of a field whose values determine its type: all of them.
const ALL_KINDS: usize = 76;
/// Maximum size of the kind of a field with a declared type.
const ONE_KIND: usize = 20;
/// Maximum size of a field's type, and of its number of changed values, apart from its name.
const TYPE_AND_CHANGES: usize = 36;

/// Returns the problem of prompts with too many fields.
pub(super) fn field_problem(prompts: &PromptPlan) -> Option<Problem> {
    // Prompts with problems of their own are reported elsewhere.
    let (readers, names) = prompts.readers().ok()?;
    let mut has_type = vec![true; names.len()];
    for reader in &readers {
        let declared = reader.extractor.as_ref().map_or(0, |extractor| extractor.types().len());
        for column in reader.columns.iter().skip(declared) {
            has_type[*column] = false;
        }
    }
    let bytes = |(name, has_type): (&String, bool)| {
        let name = serde_json::to_string(name).map_or(name.len(), |json| json.len());
        name + TYPE_AND_CHANGES + if has_type { ONE_KIND } else { ALL_KINDS }
    };
    let bytes: usize = names.iter().zip(has_type).map(bytes).sum();
    if bytes <= MAX_FIELD_BYTES {
        return None;
    }
    let rule = format!(
        "{} fields, for whose counts the job table has no room: they may take {bytes} bytes, and at most {MAX_FIELD_BYTES} \
         can be stored",
        names.len()
    );
    let remedy = "ask for fewer fields, or for a list or an object in one field; declared types and short names help";
    Some(Problem::without_value("the prompts", rule).remedy(remedy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{ColumnType, FieldKinds, FieldValue};
    use crate::prompt::Prompt;
    use crate::summary::ChunkCounts;
    use serde_json::json;

    /// Returns a prompt with this number of fields.
    fn prompts(fields: usize) -> PromptPlan {
        let fields: Vec<String> = (0..fields).map(|field| format!("\"a field {field:05}\" = \"$.f{field}\"")).collect();
        let toml = format!(
            "description = \"d\"\ntemplate = \"{{a}}\"\n[output_schema]\ntype = \"json\"\n[output_schema.fields]\n{}",
            fields.join("\n")
        );
        PromptPlan::single("p", Prompt::parse(&toml).unwrap())
    }

    #[test]
    fn prompts_whose_counts_could_not_be_stored_are_refused() {
        assert_eq!(field_problem(&prompts(1_000)), None);
        let problem = field_problem(&prompts(5_000)).unwrap().to_string();
        assert!(
            problem.starts_with("the prompts: 5000 fields, for whose counts the job table has no room"),
            "{problem}"
        );
        assert!(problem.contains("ask for fewer fields"), "{problem}");
    }

    #[test]
    fn counts_of_accepted_prompts_fit_into_an_item() {
        let mut most = 1_000;
        while field_problem(&prompts(most + 100)).is_none() {
            most += 100;
        }
        let values = [json!(true), json!(1), json!(i64::MAX), json!(u64::MAX), json!(0.5), json!("a")];
        let mut kinds = FieldKinds::default();
        for value in &values {
            kinds.record(&match value {
                serde_json::Value::Bool(value) => FieldValue::Boolean(*value),
                serde_json::Value::Number(number) => FieldValue::Number(number.clone()),
                _ => FieldValue::Text("a".to_owned()),
            });
        }
        kinds.record(&FieldValue::List(Vec::new()));
        let (_, names) = prompts(most).readers().unwrap();
        let counts = ChunkCounts {
            kinds: vec![kinds; most],
            types: vec![ColumnType::Integer; most],
            changed: names.into_iter().map(|name| (name, u64::MAX)).collect(),
            ..ChunkCounts::default()
        };
        let of_fields = serde_json::to_string(&counts).unwrap().len();
        assert!(of_fields <= MAX_FIELD_BYTES + 1_000, "{of_fields} bytes for {most} fields");
        // What the tests of the counts allow for everything else, and the attributes of a job.
        assert!(of_fields + 100_000 + 50_000 < 400_000);
    }
}
