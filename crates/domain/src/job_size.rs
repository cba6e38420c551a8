//! Number of records per job where the user sets none: as few jobs as the allowed concurrency fills, up to the model's limit, and no
//! smaller ones than are worth a place among the jobs of an account.

use crate::input::RunRequest;
use crate::lane::Lane;
use crate::model::Limits;

/// Number of records below which a job is not split further: smaller jobs end no sooner, and take places that other runs need. Files of
/// records that are sent on demand, one after the other, have this size too.
const WORTH_A_JOB: u32 = 1_000;

/// Maximum number of rows of a job whose requests have several: a job's answers are in memory while they are joined.
pub const MAX_SHARING_ROWS: u32 = 1_000_000;

/// Returns the maximum number of records per job of a pass with this number of records.
pub fn records_per_job(request: &RunRequest, model: &Limits, lane: Lane, records: u64) -> u32 {
    let automatic = || match lane {
        Lane::OnDemand => WORTH_A_JOB,
        Lane::Batch => {
            let share = records.div_ceil(u64::from(request.max_concurrent_jobs.max(1)));
            // With twice the minimum, a last job can always take over records from the one before.
            let least = WORTH_A_JOB.max(model.min_records_per_job.saturating_mul(2));
            let sharing = request.rows_per_request();
            let joined = if sharing > 1 { (MAX_SHARING_ROWS / sharing).max(1) } else { u32::MAX };
            u32::try_from(share).unwrap_or(u32::MAX).max(least).min(joined)
        }
    };
    request.max_records_per_job.unwrap_or_else(automatic).min(model.max_records_per_job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::StackLimits;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    const MODEL: Limits = Limits {
        min_records_per_job: 100,
        max_records_per_job: 100_000,
        max_file_bytes: 1 << 30,
        max_job_bytes: 5 << 30,
        max_record_bytes: 25 << 20,
    };

    fn request(fields: &Value, of_stack: Option<u32>) -> RunRequest {
        let mut input =
            json!({"s3_uri": "s3://bucket/a.csv", "job_name_prefix": "x", "model_id": "m", "prompt_id": "p"});
        input.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let stack = StackLimits { max_total_records: None, max_records_per_job: of_stack, max_concurrent_jobs: 10 };
        let (request, problems) = RunRequest::read(&input, stack);
        assert_eq!(problems, []);
        request.unwrap()
    }

    #[rstest]
    #[case::small(json!({}), 2_050, 1_000)]
    #[case::just_filling(json!({}), 10_000, 1_000)]
    #[case::filling(json!({}), 25_000, 2_500)]
    #[case::large(json!({}), 10_000_000, 100_000)]
    #[case::less_concurrency(json!({"max_concurrent_jobs": 2}), 25_000, 12_500)]
    #[case::said(json!({"max_records_per_job": 300}), 10_000_000, 300)]
    #[case::a_number_of_jobs(json!({"max_num_jobs": 2}), 10_000_000, 1_000)]
    #[case::both(json!({"max_num_jobs": 2, "max_records_per_job": 50_000}), 10_000_000, 50_000)]
    #[case::several_rows(json!({"rows_per_request": 20}), 10_000_000, 50_000)]
    fn jobs_are_as_large_as_the_concurrency_needs(#[case] fields: Value, #[case] records: u64, #[case] expected: u32) {
        assert_eq!(records_per_job(&request(&fields, None), &MODEL, Lane::Batch, records), expected);
    }

    #[test]
    fn a_size_of_the_stack_is_kept() {
        assert_eq!(records_per_job(&request(&json!({}), Some(2_000)), &MODEL, Lane::Batch, 10_000_000), 2_000);
        let own = request(&json!({"max_records_per_job": 700}), Some(2_000));
        assert_eq!(records_per_job(&own, &MODEL, Lane::Batch, 10_000_000), 700);
    }

    #[test]
    fn a_plan_of_an_earlier_version_keeps_its_size() {
        let mut stored = serde_json::to_value(request(&json!({}), None)).unwrap();
        assert_eq!(stored.get("max_records_per_job"), None);
        stored["max_records_per_job"] = json!(1_000);
        let read: RunRequest = serde_json::from_value(stored).unwrap();
        assert_eq!(records_per_job(&read, &MODEL, Lane::Batch, 10_000_000), 1_000);
    }

    #[test]
    fn files_that_are_sent_on_demand_do_not_grow() {
        assert_eq!(records_per_job(&request(&json!({}), None), &MODEL, Lane::OnDemand, 10_000_000), 1_000);
    }

    #[test]
    fn the_model_has_the_last_word() {
        let small = Limits { max_records_per_job: 50_000, ..MODEL };
        assert_eq!(records_per_job(&request(&json!({}), None), &small, Lane::Batch, 10_000_000), 50_000);
        let large = Limits { min_records_per_job: 2_000, ..MODEL };
        assert_eq!(records_per_job(&request(&json!({}), None), &large, Lane::Batch, 2_050), 4_000);
    }

    proptest! {
        #[test]
        fn there_are_no_more_jobs_than_needed(records in 1u64..50_000_000, concurrent in 1u32..10_000) {
            let size = records_per_job(&request(&json!({"max_concurrent_jobs": concurrent}), None), &MODEL, Lane::Batch, records);
            prop_assert!((1_000..=100_000).contains(&size));
            let jobs = records.div_ceil(u64::from(size));
            prop_assert!(jobs <= u64::from(concurrent.min(10)).max(records.div_ceil(100_000)));
        }
    }
}
