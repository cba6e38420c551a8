//! A model: whether it is alive and under which names, and the access to it, which an administrator has to agree to once, before the
//! first request.

use super::finding::Finding;
use aws_config::SdkConfig;
use aws_sdk_bedrock::operation::get_foundation_model_availability::GetFoundationModelAvailabilityOutput;
use aws_sdk_bedrock::types::{AgreementStatus, AuthorizationStatus, EntitlementAvailability, RegionAvailability};
use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, InferenceConfiguration, Message};
use bedrock_batch_aws::TimeLimits;
use bedrock_batch_domain::model::{ModelId, ModelTable, ModelWish, NamedModel, first_use_remedy};
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_engine::AwsFailure;
use bedrock_batch_engine::model_lookup::ModelLookup;

/// What the first request to a model of another company than Amazon needs.
const SUBSCRIBE: &str = "an administrator opens the model in the Bedrock console (model catalog) and sends it a first request: that \
    accepts its terms, which needs `aws-marketplace:Subscribe` and `aws-marketplace:ViewSubscriptions`; Anthropic wants a form \
    about the use case as well. It takes effect within some 15 minutes";

/// Subject of what AWS says about the account's access.
const ACCESS: &str = "access to the model";

const DENIED: &str = "docs/runbook.md, section `A model is denied on demand`";

/// What is to be looked at.
pub(super) struct Examined<'a> {
    /// Model or inference profile, if one was named.
    pub(super) id: Option<&'a str>,
    /// If true, it is sent a request.
    pub(super) sends_request: bool,
    /// What is known of models without AWS.
    pub(super) table: ModelTable,
}

/// Checks a model as a run would: its life, and the names under which it can be used in the region; then the access to it.
pub(super) async fn examine(config: &SdkConfig, region: &str, examined: Examined<'_>, findings: &mut Vec<Finding>) {
    let Some(id) = examined.id else {
        findings.push(Finding::unknown("model", "none was named", "`bedrock-batch doctor --model-id ID`"));
        return;
    };
    let client = aws_sdk_bedrock::Client::new(&bedrock_batch_aws::bedrock_config(config));
    let table = examined.table.told(ModelLookup::new(client.clone()).query(vec![id]).await);
    let named = table.named(&wish(id, region));
    findings.push(of_names(id, &named, table.lookup_warnings()));
    let Ok(named) = named else { return };
    if let Ok(parsed) = ModelId::parse(id)
        && parsed.has_id_of_foundation_model()
    {
        findings.push(access_to(&client, &parsed.base).await);
    }
    if examined.sends_request {
        findings.push(if named.on_demand.family.is_embedding() {
            Finding::unknown("request", "a model of embeddings has no answer of one token", "start a run of one row")
        } else {
            answer_of(config, &named.on_demand.id).await
        });
    }
}

/// Returns the wish of a run that sends rows in batch and on demand.
fn wish<'a>(id: &'a str, region: &'a str) -> ModelWish<'a> {
    ModelWish {
        field: "--model-id",
        model_id: id,
        region,
        profile_arn: None,
        required_models: None,
        allow_global: false,
        in_batch: true,
        on_demand: true,
    }
}

fn of_names(id: &str, result: &Result<NamedModel, Problem>, failed_calls: &[String]) -> Finding {
    match result {
        Err(problem) => Finding::wrong("model", problem.to_string(), "see docs/models.md"),
        Ok(named) => {
            let (batch, on_demand) = (&named.batch.id, &named.on_demand.id);
            let shown = if batch == on_demand {
                format!("`{batch}`")
            } else {
                format!("`{batch}` in batch, `{on_demand}` on demand")
            };
            let found = if batch == id && on_demand == id { shown } else { format!("`{id}` is used as {shown}") };
            let notes: Vec<&str> = named.warnings.iter().chain(failed_calls).map(String::as_str).collect();
            if notes.is_empty() {
                Finding::fine("model", found)
            } else {
                Finding::unknown("model", found, notes.join("; "))
            }
        }
    }
}

async fn access_to(client: &aws_sdk_bedrock::Client, id: &str) -> Finding {
    let availability = client.get_foundation_model_availability().model_id(id).send().await;
    match availability {
        Ok(availability) => of_availability(id, &availability),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
            Finding::wrong(ACCESS, format!("`{id}` does not exist in this region"), "see docs/models.md")
        }
        Err(error) => {
            let action = "bedrock:GetFoundationModelAvailability";
            let context = format!("cannot look at `{id}`");
            Finding::of_failed_call(ACCESS, action, &context, AwsFailure::of(&error))
        }
    }
}

fn of_availability(id: &str, found: &GetFoundationModelAvailabilityOutput) -> Finding {
    if found.region_availability() == &RegionAvailability::NotAvailable {
        let remedy = "name a model or an inference profile of this region, see docs/models.md";
        return Finding::wrong(ACCESS, format!("`{id}` is not available in this region"), remedy);
    }
    if found.authorization_status() == &AuthorizationStatus::NotAuthorized {
        let remedy = "a policy of the account or of its organization denies it: ask its administrator";
        return Finding::wrong(ACCESS, format!("you are not authorized to use `{id}`"), remedy);
    }
    let agreement = found.agreement_availability().map(|agreement| agreement.status().clone());
    if agreement == Some(AgreementStatus::Pending) {
        let remedy = "wait some 15 minutes; calls may work before and be denied in between";
        return Finding::wrong(ACCESS, format!("the agreement about `{id}` is pending"), remedy);
    }
    let is_agreed = agreement.is_none_or(|status| status == AgreementStatus::Available);
    if !is_agreed || found.entitlement_availability() == &EntitlementAvailability::NotAvailable {
        return Finding::wrong(ACCESS, format!("this account has not agreed to the terms of `{id}`"), SUBSCRIBE);
    }
    Finding::fine(ACCESS, format!("this account may use `{id}`"))
}

/// Sends one request of one token.
async fn answer_of(config: &SdkConfig, model_id: &str) -> Finding {
    let client = aws_sdk_bedrockruntime::Client::new(&bedrock_batch_aws::inference_config(config, TimeLimits::BEDROCK));
    let message = Message::builder().role(ConversationRole::User).content(ContentBlock::Text("Hi".to_owned())).build();
    let Ok(message) = message else { return Finding::unknown("request", "it could not be made", "report this") };
    let one_token = InferenceConfiguration::builder().max_tokens(1).build();
    let answered = client.converse().model_id(model_id).messages(message).inference_config(one_token).send().await;
    match answered {
        Ok(_) => Finding::fine("request", format!("`{model_id}` has answered a request on demand")),
        Err(error) => {
            let failure = AwsFailure::of(&error);
            let found = format!("`{model_id}` has not answered: {failure}");
            match failure.code.as_str() {
                "ThrottlingException" | "ServiceUnavailableException" | "ModelNotReadyException" => {
                    Finding::unknown("request", found, "try again in a minute")
                }
                _ => Finding::wrong("request", found, first_use_remedy(&failure.message).unwrap_or(DENIED)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;
    use aws_sdk_bedrock::types::AgreementAvailability;
    use rstest::rstest;

    fn named(id: &str, today: &str) -> Finding {
        let table = ModelTable::with_overrides("").unwrap().on(today);
        of_names(id, &table.named(&wish(id, "us-east-1")), table.lookup_warnings())
    }

    #[rstest]
    #[case(
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        State::Fine,
        "ok    model: `us.anthropic.claude-haiku-4-5-20251001-v1:0`"
    )]
    #[case(
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        State::Fine,
        "is used as `us.anthropic.claude-haiku-4-5-20251001-v1:0`"
    )]
    #[case("anthropic.claude-3-haiku-20240307-v1:0", State::Wrong, "2026-09-10")]
    #[case("us.anthropic.claude-haiku-9", State::Wrong, "see docs/models.md")]
    #[case("eu.anthropic.claude-haiku-4-5-20251001-v1:0", State::Wrong, "eu.")]
    fn a_model_is_judged_as_by_a_run(#[case] id: &str, #[case] state: State, #[case] expected: &str) {
        let finding = named(id, "2026-12-01");
        assert_eq!(finding.state, state, "{finding}");
        assert!(finding.to_string().contains(expected), "{finding}");
    }

    #[test]
    fn what_bedrock_did_not_say_leaves_a_question() {
        let table = ModelTable::with_overrides("").unwrap();
        let id = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
        let finding = of_names(id, &table.named(&wish(id, "us-east-1")), &["Bedrock did not say".to_owned()]);
        assert_eq!(finding.state, State::Unknown);
    }

    fn availability(
        agreement: AgreementStatus,
        authorization: AuthorizationStatus,
        entitlement: EntitlementAvailability,
        region: RegionAvailability,
    ) -> GetFoundationModelAvailabilityOutput {
        GetFoundationModelAvailabilityOutput::builder()
            .model_id("m")
            .agreement_availability(AgreementAvailability::builder().status(agreement).build().unwrap())
            .authorization_status(authorization)
            .entitlement_availability(entitlement)
            .region_availability(region)
            .build()
            .unwrap()
    }

    #[rstest]
    #[case("AVAILABLE", "AUTHORIZED", "AVAILABLE", "AVAILABLE", State::Fine, "may use `m`")]
    #[case("AVAILABLE", "AUTHORIZED", "AVAILABLE", "NOT_AVAILABLE", State::Wrong, "not available in this region")]
    #[case("AVAILABLE", "NOT_AUTHORIZED", "AVAILABLE", "AVAILABLE", State::Wrong, "not authorized")]
    #[case("PENDING", "AUTHORIZED", "NOT_AVAILABLE", "AVAILABLE", State::Wrong, "is pending")]
    #[case("NOT_AVAILABLE", "AUTHORIZED", "AVAILABLE", "AVAILABLE", State::Wrong, "aws-marketplace:Subscribe")]
    #[case("AVAILABLE", "AUTHORIZED", "NOT_AVAILABLE", "AVAILABLE", State::Wrong, "aws-marketplace:Subscribe")]
    #[case("A_NEW_ONE", "AUTHORIZED", "AVAILABLE", "AVAILABLE", State::Wrong, "has not agreed")]
    fn what_is_missing_is_named_with_its_remedy(
        #[case] agreement: &str,
        #[case] authorization: &str,
        #[case] entitlement: &str,
        #[case] region: &str,
        #[case] state: State,
        #[case] expected: &str,
    ) {
        let found = availability(agreement.into(), authorization.into(), entitlement.into(), region.into());
        let finding = of_availability("m", &found);
        assert_eq!(finding.state, state);
        assert!(finding.to_string().contains(expected), "{finding}");
    }
}
