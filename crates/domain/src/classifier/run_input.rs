//! The input of the run that classifies the reports.

use super::Classification;
use crate::input::ProcessingMode;
use serde_json::{Value, json};

/// Name by which the prompts refer to the reference.
const REFERENCE: &str = "imdrf";

impl Classification {
    /// Returns the execution input. `min_batch_records` is the minimum number of records of a batch job of the model.
    pub fn execution_input(&self, min_batch_records: u32) -> Value {
        let mut input = json!({
            "job_name_prefix": format!("imdrf-{}", self.problem_type.name()),
            "model_id": self.model_id,
            "s3_uri": self.reports.to_string(),
            // The prompt shows `mdr_text` alone. A report without a column `id` could not be told from the others.
            "column_mappings": {"id": "id", "mdr_text": "mdr_text"},
            "prompt_id": self.problem_type.prompt_id(),
            "reference": {REFERENCE: self.reference.to_string()},
            "output_uri": self.output.to_string(),
            "output_formats": ["csv"],
            "processing_mode": self.lanes(min_batch_records),
            "max_records_per_job": self.batch_size,
            "max_workers": self.max_workers,
            "requests_per_second": self.rate_limit,
            // A code that is not in the reference is asked for once more.
            "retry_on": ["missing", "error", "unparsed"],
        });
        if self.csv_safe_cells {
            input["csv_safe_cells"] = true.into();
        }
        if self.csv_byte_order_mark {
            input["csv_byte_order_mark"] = true.into();
        }
        input
    }

    /// Returns the lanes: files that are smaller than a batch job can only be answered on demand.
    fn lanes(&self, min_batch_records: u32) -> ProcessingMode {
        let default = if self.batch_size < min_batch_records { ProcessingMode::Realtime } else { ProcessingMode::Auto };
        self.processing_mode.unwrap_or(default)
    }
}

/// Returns the field of the payload that determines a field of the execution input.
pub fn payload_field(field: &str) -> &str {
    match field {
        "s3_uri" => "input_key",
        "reference.imdrf" => "imdrf_key",
        "output_uri" => "output_bucket",
        "max_records_per_job" => "batch_size",
        "requests_per_second" => "rate_limit",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::ProblemType;
    use crate::destination::Destination;
    use crate::s3_uri::S3Uri;
    use rstest::rstest;

    fn classification(batch_size: u32, processing_mode: Option<ProcessingMode>) -> Classification {
        Classification {
            reports: S3Uri::new("lake", "mdr/reports.csv"),
            output: Destination::parse("s3://results/imdrf").unwrap(),
            reference: S3Uri::new("lake", "imdrf/annex-a.csv"),
            problem_type: ProblemType::Patient,
            model_id: "m".to_owned(),
            batch_size,
            max_workers: 5,
            rate_limit: 2.5,
            processing_mode,
            csv_safe_cells: false,
            csv_byte_order_mark: false,
            execution_name: "imdrf-patient-1".to_owned(),
        }
    }

    #[test]
    fn every_field_of_the_payload_reaches_the_run() {
        let expected = json!({"job_name_prefix": "imdrf-patient", "model_id": "m", "s3_uri": "s3://lake/mdr/reports.csv",
            "column_mappings": {"id": "id", "mdr_text": "mdr_text"}, "prompt_id": "imdrf_patient_problem",
            "reference": {"imdrf": "s3://lake/imdrf/annex-a.csv"}, "output_uri": "s3://results/imdrf/",
            "output_formats": ["csv"], "processing_mode": "auto", "max_records_per_job": 100, "max_workers": 5,
            "requests_per_second": 2.5, "retry_on": ["missing", "error", "unparsed"]});
        assert_eq!(classification(100, None).execution_input(100), expected);
        let guarded = Classification { csv_safe_cells: true, ..classification(100, None) };
        assert_eq!(guarded.execution_input(100)["csv_safe_cells"], true);
        let marked = Classification { csv_byte_order_mark: true, ..classification(100, None) };
        assert_eq!(marked.execution_input(100)["csv_byte_order_mark"], true);
    }

    #[rstest]
    #[case(100, None, "auto")]
    #[case(99, None, "realtime")]
    #[case(1000, Some(ProcessingMode::Realtime), "realtime")]
    fn files_too_small_for_a_batch_job_go_on_demand(
        #[case] batch_size: u32,
        #[case] named: Option<ProcessingMode>,
        #[case] expected: &str,
    ) {
        assert_eq!(classification(batch_size, named).execution_input(100)["processing_mode"], expected);
    }
}
