//! Fields of an input that name a dataset of the Hugging Face Hub.

use super::Fields;
use crate::hub::{DEFAULT_SPLIT, DatasetSource};
use crate::problem::Problem;

/// Fields that name a dataset.
pub const DATASET_FIELDS: [&str; 5] = ["dataset_id", "split", "config", "revision", "allow_partial"];

/// Reads the dataset; `None` if there is none, or if it is not valid, which is reported as a problem.
pub(super) fn read_dataset(fields: &mut Fields<'_>) -> Option<DatasetSource> {
    let is_named = fields.value("dataset_id").is_some();
    let dataset_id = fields.text("dataset_id");
    let [split, config, revision] = ["split", "config", "revision"].map(|field| {
        let text = fields.text(field);
        note_without_dataset(fields, field, text.is_some() && !is_named);
        text.map(str::to_owned)
    });
    let allow_partial = fields.boolean("allow_partial");
    note_without_dataset(fields, "allow_partial", allow_partial.is_some() && !is_named);
    let dataset = DatasetSource {
        dataset_id: dataset_id?.to_owned(),
        split: split.unwrap_or_else(|| DEFAULT_SPLIT.to_owned()),
        config,
        revision,
        allow_partial: allow_partial.unwrap_or(false),
    };
    let problems = dataset.problems();
    let is_valid = problems.is_empty();
    for problem in problems {
        let field = fields.name(&problem.field);
        fields.note(problem.of_field(field));
    }
    is_valid.then_some(dataset)
}

fn note_without_dataset(fields: &mut Fields<'_>, field: &'static str, is_alone: bool) {
    if is_alone {
        let problem = Problem::without_value(fields.name(field), "is only allowed with dataset_id");
        fields.note(problem.remedy("leave it out"));
    }
}
