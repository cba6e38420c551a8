//! The names under which a run sends a model its requests, as preprocess chooses them: by what Bedrock says, else by the table.

use super::account::Account;
use super::finding::Finding;
use aws_config::SdkConfig;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::{AwsModels, ModelTable, ModelWish, NamedModel};
use bedrock_batch_engine::model_lookup::ModelLookup;
use bedrock_batch_engine::model_overrides::{model_overrides, table_with};
use bedrock_batch_engine::objects::Bucket;
use bedrock_batch_engine::templates::load_models;
use std::path::Path;

const SUBJECT: &str = "model";

/// Checks that a model is alive and has a name in the region; `None` if no run could use it.
pub(super) async fn examine(
    config: &SdkConfig,
    account: &Account,
    model_id: &str,
    (file, bucket): (&Path, Option<Bucket>),
    findings: &mut Vec<Finding>,
) -> Option<NamedModel> {
    let table = match load_models(file) {
        Ok(table) => table,
        Err(error) => {
            let remedy = "correct the file, or name another one with --model-overrides";
            findings.push(Finding::wrong(SUBJECT, error, remedy));
            return None;
        }
    };
    let table = match bucket {
        Some(bucket) => replaced(table, &bucket, findings).await?,
        None => table,
    };
    let config = bedrock_batch_aws::bedrock_config(config);
    let lookup = ModelLookup::new(aws_sdk_bedrock::Client::new(&config));
    let lookup = lookup.with_quotas(aws_sdk_servicequotas::Client::new(&config));
    let aws = lookup.query(vec![model_id]).await;
    let quota = job_quota(&aws, model_id);
    let table = table.on(&crate::validate::today()).told(aws);
    let named = named(&table, model_id, &account.region, findings);
    if named.is_some() {
        findings.extend(quota);
    }
    named
}

/// Returns the table with the overrides in the bucket of the stack, which take the place of the deployed ones.
async fn replaced(table: ModelTable, bucket: &Bucket, findings: &mut Vec<Finding>) -> Option<ModelTable> {
    const SUBJECT: &str = "model overrides";
    let overrides = match model_overrides(bucket).await {
        Ok(None) => return Some(table),
        Ok(overrides) => overrides,
        Err(error) => {
            findings.push(Finding::unknown(SUBJECT, error.message(), "with `s3:GetObject` you can have it checked"));
            return Some(table);
        }
    };
    match table_with(&table, bucket, overrides.as_deref()) {
        Ok(table) => {
            let uri = bucket.uri(Layout::model_overrides_key());
            findings.push(Finding::fine(SUBJECT, format!("`{uri}` takes the place of the deployed ones")));
            Some(table.into_owned())
        }
        Err(problem) => {
            findings.push(Finding::wrong(SUBJECT, format!("`{}`: {}", problem.value, problem.rule), problem.remedy));
            None
        }
    }
}

fn named(table: &ModelTable, model_id: &str, region: &str, findings: &mut Vec<Finding>) -> Option<NamedModel> {
    findings.extend(table.lookup_warnings().iter().map(|call| {
        let remedy = "with `bedrock:GetFoundationModel`, `bedrock:ListInferenceProfiles` and `servicequotas:ListServiceQuotas` you \
                      can have it checked";
        Finding::unknown(SUBJECT, call, remedy)
    }));
    let wish = ModelWish {
        field: "--model-id",
        model_id,
        region,
        profile_arn: None,
        required_models: None,
        allow_global: false,
        in_batch: true,
        on_demand: true,
    };
    match table.named(&wish) {
        Ok(named) => {
            findings.extend(named.warnings.iter().map(|warning| Finding::warning(SUBJECT, warning)));
            let (batch, on_demand) = (&named.batch.id, &named.on_demand.id);
            let found = if batch == on_demand {
                format!("`{batch}` is the name in requests")
            } else {
                format!("`{batch}` is the name in batch, `{on_demand}` on demand")
            };
            findings.push(Finding::fine(SUBJECT, found));
            Some(named)
        }
        Err(problem) => {
            let remedy = problem.remedy.clone();
            let found = format!("`{}`: {}", problem.value, problem.rule);
            findings.push(Finding::wrong(SUBJECT, found, remedy));
            None
        }
    }
}

/// Returns the finding about the number of batch jobs of the model that the account may have, unless its lookup failed, which has a
/// finding of its own.
fn job_quota(aws: &AwsModels, model_id: &str) -> Option<Finding> {
    const SUBJECT: &str = "quota";
    match aws.job_quota(model_id) {
        Some(0) => {
            let remedy = "request an increase of \"Sum of in-progress and submitted batch inference jobs\" for the model in the \
                          Service Quotas console";
            Some(Finding::wrong(SUBJECT, "the account may have no batch job of this model", remedy))
        }
        Some(quota) => Some(Finding::fine(SUBJECT, format!("{quota} batch jobs of the model at the same time"))),
        None if aws.failed_calls.is_empty() => {
            let found = "Service Quotas names no quota of batch jobs after this model";
            Some(Finding::unknown(SUBJECT, found, "look it up in the console, and deploy with `-c jobQuota=NUMBER`"))
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::model::OfferedModel;
    use rstest::rstest;

    const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

    fn lines(model_id: &str, region: &str, aws: AwsModels) -> Vec<String> {
        let table = ModelTable::with_overrides("").unwrap().on("2026-11-20").told(aws);
        let mut findings = Vec::new();
        let found = named(&table, model_id, region, &mut findings);
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(found.is_none(), lines.iter().any(|line| line.starts_with("FIX")), "{lines:?}");
        lines
    }

    #[rstest]
    #[case::bare_id(
        SONNET,
        "eu-west-1",
        "ok    model: `eu.anthropic.claude-sonnet-4-5-20250929-v1:0` is the name in requests"
    )]
    #[case::two_names(
        "anthropic.claude-sonnet-4-6",
        "eu-west-2",
        "ok    model: `anthropic.claude-sonnet-4-6` is the name in batch, `eu.anthropic.claude-sonnet-4-6` on demand"
    )]
    #[case::end_of_life(
        "anthropic.claude-3-haiku-20240307-v1:0",
        "eu-west-1",
        "FIX   model: `anthropic.claude-3-haiku-20240307-v1:0`: this model reached its end of life at Bedrock on 2026-09-10; \
         use `eu.anthropic.claude-haiku-4-5-20251001-v1:0`"
    )]
    fn a_model_has_one_line_with_its_names_or_with_what_to_do(
        #[case] model_id: &str,
        #[case] region: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(lines(model_id, region, AwsModels::default()), [expected]);
    }

    #[test]
    fn a_global_profile_is_not_chosen_for_a_run_but_named() {
        let lines = lines("anthropic.claude-haiku-4-5-20251001-v1:0", "ap-south-1", AwsModels::default());
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("FIX ") && lines[0].contains("set allow_global to true"), "{lines:?}");
        assert!(lines[0].contains("`global.anthropic.claude-haiku-4-5-20251001-v1:0`"), "{lines:?}");
    }

    #[rstest]
    #[case(Some(20), "ok    quota: 20 batch jobs of the model at the same time")]
    #[case(Some(0), "FIX   quota: the account may have no batch job of this model")]
    #[case(None, "?     quota: Service Quotas names no quota of batch jobs after this model")]
    fn the_quota_of_jobs_is_named(#[case] job_quota: Option<u32>, #[case] expected: &str) {
        let offered = OfferedModel { job_quota, ..Default::default() };
        let aws = AwsModels { models: [(SONNET.to_owned(), Some(offered))].into(), ..AwsModels::default() };
        let line = super::job_quota(&aws, &format!("eu.{SONNET}")).unwrap().to_string();
        assert!(line.starts_with(expected), "{line}");
        let failed = AwsModels { failed_calls: vec!["denied".to_owned()], ..AwsModels::default() };
        assert_eq!(super::job_quota(&failed, SONNET), None);
    }

    #[test]
    fn a_legacy_model_is_a_warning_beside_its_name() {
        let legacy = OfferedModel { is_legacy: true, end_of_life: Some("2027-01-31".to_owned()), ..Default::default() };
        let aws = AwsModels { models: [(SONNET.to_owned(), Some(legacy))].into(), ..AwsModels::default() };
        let lines = lines(SONNET, "us-east-1", aws);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[0].starts_with("WARN  model: ") && lines[0].contains("is legacy: Bedrock offers it until 2027-01-31")
        );
        assert!(lines[1].starts_with("ok    model: `us.anthropic.claude-sonnet-4-5"), "{lines:?}");
    }

    #[test]
    fn a_call_that_was_denied_names_the_rights_and_lets_the_table_decide() {
        let denied = "Bedrock did not say which inference profiles exist (…: AccessDeniedException)".to_owned();
        let lines = lines(SONNET, "us-east-1", AwsModels { failed_calls: vec![denied], ..AwsModels::default() });
        assert!(
            lines[0].starts_with("?     model: ") && lines[0].contains("`bedrock:ListInferenceProfiles`"),
            "{lines:?}"
        );
        assert!(lines[1].starts_with("ok    model: "), "{lines:?}");
    }
}
