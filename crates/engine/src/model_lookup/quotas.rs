//! Quotas of the account for concurrent batch jobs, as Service Quotas has them.

use super::failure::{Failure, code_of};
use aws_sdk_servicequotas::Client;
use bedrock_batch_domain::model::{BEDROCK_SERVICE, model_of_job_quota, names_same_model};

/// Maximum number of pages, of 100 quotas each; Bedrock has several hundred quotas.
const MAX_PAGES: usize = 50;
/// Quotas per page, the maximum.
const PAGE: i32 = 100;

/// Quotas by the names of the models in their names.
pub(super) type JobQuotas = Vec<(String, u32)>;

/// Reads the quotas of all models.
pub(super) async fn job_quotas(client: &Client) -> Result<JobQuotas, Failure> {
    let request = client.list_service_quotas().service_code(BEDROCK_SERVICE).max_results(PAGE);
    let mut pages = request.into_paginator().send();
    let mut quotas = JobQuotas::new();
    for _ in 0..MAX_PAGES {
        let Some(page) = pages.next().await else { return Ok(quotas) };
        let page = page.map_err(|error| code_of(&error))?;
        for quota in page.quotas() {
            if let (Some(model), Some(value)) = (quota.quota_name().and_then(model_of_job_quota), quota.value()) {
                quotas.push((model.to_owned(), whole(value)));
            }
        }
    }
    Err("more pages than expected".to_owned())
}

/// Returns the quota of a model by its name and that of its provider; the smallest one if several are named after it.
pub(super) fn quota_of(quotas: &JobQuotas, provider: &str, model: &str) -> Option<u32> {
    quotas.iter().filter(|(name, _)| names_same_model(name, provider, model)).map(|(_, quota)| *quota).min()
}

/// Service Quotas has all values as floating-point numbers.
fn whole(value: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "such a cast is to the nearest possible value"
    )]
    let whole = value as u32;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_of_several_quotas_counts() {
        let quotas: JobQuotas = [("Nova Lite V1", 20), ("Nova Lite", 10), ("Nova Pro V1", 5)]
            .map(|(name, quota)| (name.to_owned(), quota))
            .into();
        assert_eq!(quota_of(&quotas, "Amazon", "Nova Lite"), Some(10));
        assert_eq!(quota_of(&quotas, "Amazon", "Nova Micro"), None);
    }

    #[test]
    fn any_number_is_a_quota() {
        assert_eq!([100.0, 0.0, -1.0, 1e300, f64::NAN, 2.9].map(whole), [100, 0, 0, u32::MAX, 0, 2]);
    }
}
