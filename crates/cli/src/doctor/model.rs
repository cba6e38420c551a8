//! Access to a model: what an administrator has to agree to once, before the first request.

use super::finding::Finding;
use aws_config::SdkConfig;
use aws_sdk_bedrock::operation::get_foundation_model_availability::GetFoundationModelAvailabilityOutput;
use aws_sdk_bedrock::types::{AgreementStatus, AuthorizationStatus, EntitlementAvailability, RegionAvailability};
use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, InferenceConfiguration, Message};
use bedrock_batch_aws::TimeLimits;
use bedrock_batch_domain::model::{Model, ModelId, first_use_remedy};
use bedrock_batch_engine::AwsFailure;

/// What the first request to a model of another company than Amazon needs.
const SUBSCRIBE: &str = "an administrator opens the model in the Bedrock console (model catalog) and sends it a first request: that \
    accepts its terms, which needs `aws-marketplace:Subscribe` and `aws-marketplace:ViewSubscriptions`; Anthropic wants a form \
    about the use case as well. It takes effect within some 15 minutes";

/// Subject of the lines about the terms of a model.
const ACCESS: &str = "model access";

const DENIED: &str = "docs/runbook.md, section `A model is denied on demand`";

/// Checks a model by its id, and by a request under its name on demand if `sends_request` is set.
pub(super) async fn examine(
    config: &SdkConfig,
    model_id: &str,
    on_demand: &Model,
    sends_request: bool,
    findings: &mut Vec<Finding>,
) {
    let parsed = match ModelId::parse(model_id) {
        Ok(parsed) if parsed.has_id_of_foundation_model() => parsed,
        _ => {
            let found = format!("`{model_id}` is not the id of a model or of an inference profile");
            findings.push(Finding::wrong(ACCESS, found, "see docs/models.md"));
            return;
        }
    };
    let client = aws_sdk_bedrock::Client::new(&bedrock_batch_aws::bedrock_config(config));
    let availability = client.get_foundation_model_availability().model_id(&parsed.base).send().await;
    findings.push(match availability {
        Ok(availability) => of_availability(&parsed.base, &availability),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
            Finding::wrong(ACCESS, format!("`{}` does not exist in this region", parsed.base), "see docs/models.md")
        }
        Err(error) => {
            let action = "bedrock:GetFoundationModelAvailability";
            let context = format!("cannot look at `{}`", parsed.base);
            Finding::of_failed_call(ACCESS, action, &context, AwsFailure::of(&error))
        }
    });
    if sends_request {
        findings.push(if on_demand.family.is_embedding() {
            let found = format!("none is sent to `{}`, which makes embeddings", on_demand.id);
            Finding::unknown("request", found, "start a run over a few rows with processing_mode `realtime`")
        } else {
            asked(config, &on_demand.id).await
        });
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
async fn asked(config: &SdkConfig, model_id: &str) -> Finding {
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
