//! Detection of columns that cannot be written to CSV, before any costs are incurred.

use crate::rows::cell_text::as_text;
use arrow_array::new_empty_array;
use arrow_schema::Schema;
use bedrock_batch_domain::problem::Problem;

/// Returns the problems of the columns for a run that writes CSV.
pub(in crate::preprocess) fn columns_without_text(schema: &Schema) -> Vec<Problem> {
    let without = schema.fields().iter().filter(|field| as_text(&new_empty_array(field.data_type())).is_err());
    let problem = without.map(|field| {
        let rule = format!("its type, {}, cannot be written as CSV", field.data_type());
        Problem::without_value(format!("column `{}`", field.name()), rule)
            .remedy("leave `csv` out of output_formats, or the column out of the input")
    });
    problem.collect()
}
