//! Tests of the names and the life of models, by the table and by what Bedrock says.

use super::{AwsModels, ModelTable, ModelWish, NamedModel, OfferedModel};
use crate::problem::Problem;
use rstest::rstest;

const HAIKU: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";
const PROFILE: &str = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";

fn table() -> ModelTable {
    ModelTable::with_overrides("").unwrap().on("2026-11-20T13:05:07Z")
}

fn wish<'a>(model_id: &'a str, region: &'a str) -> ModelWish<'a> {
    ModelWish {
        field: "model_id",
        model_id,
        region,
        profile_arn: None,
        required_models: None,
        allow_global: false,
        in_batch: true,
        on_demand: true,
    }
}

fn names(named: Result<NamedModel, Problem>) -> (String, String) {
    let named = named.unwrap();
    (named.batch.id, named.on_demand.id)
}

fn refused(model_id: &str, region: &str) -> String {
    table().named(&wish(model_id, region)).unwrap_err().to_string()
}

#[rstest]
#[case::us(HAIKU, "us-east-1", "us.")]
#[case::canada(HAIKU, "ca-central-1", "us.")]
#[case::europe(HAIKU, "eu-west-1", "eu.")]
#[case::japan(HAIKU, "ap-northeast-1", "jp.")]
#[case::australia(HAIKU, "ap-southeast-2", "au.")]
#[case::own_id("amazon.nova-lite-v1:0", "us-east-1", "")]
#[case::own_id_elsewhere("amazon.nova-lite-v1:0", "eu-west-1", "eu.")]
#[case::asia("amazon.nova-lite-v1:0", "ap-south-1", "apac.")]
#[case::embeddings("amazon.titan-embed-text-v2:0", "eu-central-1", "")]
#[case::newer_than_the_table("amazon.nova-lite-v2:0", "us-east-1", "")]
fn a_bare_id_gets_the_profile_of_its_geography_where_it_needs_one(
    #[case] id: &str,
    #[case] region: &str,
    #[case] expected: &str,
) {
    let expected = format!("{expected}{id}");
    assert_eq!(names(table().named(&wish(id, region))), (expected.clone(), expected));
}

#[test]
fn a_model_may_have_its_own_id_in_batch_and_a_profile_on_demand() {
    let id = "anthropic.claude-sonnet-4-6";
    assert_eq!(names(table().named(&wish(id, "eu-west-2"))), (id.to_owned(), format!("eu.{id}")));
}

#[rstest]
#[case::other_geography(
    "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us-east-1",
    "is an inference profile of `eu`, which requests in us-east-1 cannot use; use `us.anthropic.claude-haiku"
)]
#[case::us_in_europe(
    "us.amazon.nova-lite-v1:0",
    "eu-central-1",
    "requests in eu-central-1 cannot use; use `eu.amazon.nova-lite"
)]
#[case::own_id_there("eu.amazon.nova-lite-v1:0", "us-gov-west-1", "cannot use; use `amazon.nova-lite-v1:0`")]
#[case::none_of_this_model(
    "jp.anthropic.claude-opus-5",
    "ap-northeast-1",
    "Bedrock has no such inference profile in ap-northeast-1; use `global.anthropic.claude-opus-5`"
)]
#[case::no_global(
    "global.amazon.nova-lite-v1:0",
    "us-east-1",
    "Bedrock has no such inference profile in us-east-1; use `us."
)]
#[case::arn(
    "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0",
    "us-east-1",
    "is of the region eu-west-1, but requests are sent in us-east-1"
)]
#[case::needs_global(HAIKU, "ap-south-1", "set allow_global to true to let any region answer, by `global.anthropic")]
#[case::truncated(
    "us.anthropic.claude-haiku-4-5",
    "us-east-1",
    "is only the beginning of a model's id; did you mean `us.anthropic.claude-haiku-4-5-20251001-v1:0`?"
)]
#[case::version("amazon.nova-lite-v1", "us-east-1", "did you mean `amazon.nova-lite-v1:0`?")]
#[case::truncated_family(
    "anthropic.claude-haiku",
    "us-east-1",
    "did you mean one of `anthropic.claude-haiku-4-5-20251001-v1:0`?"
)]
#[case::ended(
    "anthropic.claude-3-haiku-20240307-v1:0",
    "us-east-1",
    "reached its end of life at Bedrock on 2026-09-10; use `us.anthropic.claude-haiku-4-5-20251001-v1:0`"
)]
#[case::ended_by_profile(
    "us.anthropic.claude-sonnet-4-20250514-v1:0",
    "us-east-1",
    "end of life at Bedrock on 2026-10-14"
)]
fn names_that_bedrock_would_refuse_are_refused_with_the_right_one(
    #[case] id: &str,
    #[case] region: &str,
    #[case] expected: &str,
) {
    let problem = refused(id, region);
    assert!(problem.contains(expected), "{problem}");
}

#[test]
fn the_life_of_a_model_is_judged_by_date_and_region() {
    let haiku = "anthropic.claude-3-haiku-20240307-v1:0";
    let on = |date: &str| ModelTable::with_overrides("").unwrap().on(date).named(&wish(haiku, "us-east-1"));
    assert_eq!(on("2026-03-09").unwrap().warnings, Vec::<String>::new());
    let warnings = on("2026-09-09").unwrap().warnings;
    assert!(
        warnings.len() == 1 && warnings[0].contains("is legacy: Bedrock offers it until 2026-09-10"),
        "{warnings:?}"
    );
    assert!(on("2026-09-10").is_err());
    assert!(table().named(&wish(haiku, "sa-east-1")).is_ok(), "it lives on there");
    assert!(ModelTable::with_overrides("").unwrap().named(&wish(haiku, "us-east-1")).is_ok(), "no date is known");
}

#[test]
fn a_model_without_batch_in_a_region_goes_on_demand_unless_the_run_is_batch_only() {
    let titan = "amazon.titan-embed-text-v2:0";
    let named = table().named(&wish(titan, "eu-west-1")).unwrap();
    assert_eq!((named.batch.id.as_str(), named.warnings.len()), (titan, 1));
    assert!(named.warnings[0].contains("takes no batch of `amazon.titan-embed-text-v2:0` in eu-west-1"));
    let realtime = table().named(&ModelWish { in_batch: false, ..wish(titan, "eu-west-1") }).unwrap();
    assert_eq!(realtime.warnings, Vec::<String>::new());
    let batch = table().named(&ModelWish { on_demand: false, ..wish(titan, "eu-west-1") }).unwrap_err().to_string();
    assert!(batch.contains("Bedrock takes no batch of this model in eu-west-1"), "{batch}");
}

#[test]
fn a_named_profile_is_used_where_the_region_has_it() {
    let with = |id: &str, region: &str, arn: &str| {
        table()
            .named(&ModelWish { profile_arn: Some(arn), ..wish(id, region) })
            .map(|named| (named.batch.id, named.on_demand.id))
    };
    assert_eq!(with(HAIKU, "us-east-1", PROFILE).unwrap(), (PROFILE.to_owned(), PROFILE.to_owned()));
    let nova = "amazon.nova-lite-v1:0";
    assert_eq!(
        with(nova, "us-east-1", PROFILE).unwrap(),
        (nova.to_owned(), PROFILE.to_owned()),
        "batch takes its own id"
    );
    let problem = with(HAIKU, "eu-west-1", PROFILE).unwrap_err().to_string();
    assert!(problem.starts_with("inference_profile_arn is `arn:aws:bedrock:us-east-1:"), "{problem}");
}

#[test]
fn a_profile_of_the_account_is_no_model_and_says_where_it_goes() {
    let problem = refused(PROFILE, "us-east-1");
    assert!(problem.starts_with(&format!("model_id is `{PROFILE}`: does not identify its model")), "{problem}");
    assert!(problem.ends_with("as model_id; the ARN goes into inference_profile_arn"), "{problem}");
    let other = refused("arn:aws:bedrock:us-east-1:123456789012:custom-model/abc", "us-east-1");
    assert!(!other.contains("inference_profile_arn"), "{other}");
}

#[test]
fn the_request_can_define_which_models_need_a_profile() {
    let own = ["amazon.nova-lite".to_owned()];
    let wish = ModelWish { required_models: Some(&own), ..wish("amazon.nova-lite-v1:0", "us-east-1") };
    let expected = ("amazon.nova-lite-v1:0".to_owned(), "us.amazon.nova-lite-v1:0".to_owned());
    assert_eq!(names(table().named(&wish)), expected);
}

#[test]
fn what_bedrock_says_overrides_the_table() {
    let id = "anthropic.claude-3-haiku-20240307-v1:0";
    let told = |offered: Option<OfferedModel>, profiles: &[&str]| {
        let aws = AwsModels {
            models: [(id.to_owned(), offered)].into(),
            profiles: Some(profiles.iter().map(|id| (*id).to_owned()).collect()),
            failed_calls: Vec::new(),
        };
        table().told(aws).named(&wish(id, "us-east-1"))
    };
    let alive = OfferedModel { on_demand: Some(true), takes_images: Some(false), ..OfferedModel::default() };
    let named = told(Some(alive.clone()), &[]).unwrap();
    assert_eq!((named.batch.id.as_str(), named.batch.takes_images), (id, false));
    assert!(told(None, &[]).unwrap_err().to_string().contains("2026-09-10"));
    assert!(told(None, &[&format!("us.{id}")]).is_ok(), "a region may have the profile alone");
    let no_sooner = OfferedModel { end_of_life: Some("2026-10-01".to_owned()), ..alive.clone() };
    assert!(told(Some(no_sooner.clone()), &[]).is_ok(), "an active model does not end before this date");
    let ended = OfferedModel { is_legacy: true, end_of_life: Some("2026-11-20".to_owned()), ..no_sooner };
    assert!(told(Some(ended), &[]).unwrap_err().to_string().contains("on 2026-11-20"));
    let by_profile = OfferedModel { on_demand: Some(false), ..alive };
    assert_eq!(
        told(Some(by_profile.clone()), &["xx.anthropic.claude-3-haiku-20240307-v1:0"]).unwrap().on_demand.id,
        "xx.anthropic.claude-3-haiku-20240307-v1:0",
        "a geography that is newer than this program"
    );
    let problem = told(Some(by_profile), &[]).unwrap_err().to_string();
    assert!(problem.contains("only through an inference profile"), "{problem}");
}

#[test]
fn models_of_older_override_files_are_not_judged_by_what_they_do_not_say() {
    let overrides = "[[model]]\nid = \"acme.tiny\"\nfamily = \"converse\"\nprofile_only = true\n\
        [[model]]\nid = \"acme.plain\"\nfamily = \"converse\"";
    let table = ModelTable::with_overrides(overrides).unwrap().on("2026-11-20");
    assert_eq!(names(table.named(&wish("acme.plain-v1", "eu-west-1"))).0, "acme.plain-v1");
    assert_eq!(names(table.named(&wish("eu.acme.tiny-v1", "eu-west-1"))).1, "eu.acme.tiny-v1");
    let problem = table.named(&wish("acme.tiny-v1", "eu-west-1")).unwrap_err().to_string();
    assert!(
        problem.contains("name the profile of your geography as model_id, or set inference_profile_arn"),
        "{problem}"
    );
}
