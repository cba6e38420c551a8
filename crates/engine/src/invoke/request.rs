//! Request to a model.

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::error::SdkError;
use aws_sdk_bedrockruntime::operation::invoke_model::InvokeModelError;
use aws_sdk_bedrockruntime::primitives::Blob;
use bedrock_batch_domain::model::InvocationType;

/// Sends the model input of a record and returns the body of the answer.
///
/// Both operations are sent as `InvokeModel`, whose body is raw in both directions: a Converse request differs from it only in
/// the last part of its path (REST-JSON, with the same host, signing name, headers and error names), which is changed before
/// the request is signed. The SDK's own Converse operation uses types instead of JSON; converted to them, a record would no
/// longer be identical to that of a batch job, nor would an answer, and fields unknown to the types would be lost.
pub(super) async fn send(
    client: &Client,
    invocation: InvocationType,
    model_id: &str,
    model_input: &[u8],
) -> Result<Vec<u8>, SdkError<InvokeModelError>> {
    let body = Blob::new(model_input);
    let request = client.invoke_model().model_id(model_id).content_type(JSON).accept(JSON).body(body);
    let answer = match invocation {
        InvocationType::InvokeModel => request.send().await?,
        InvocationType::Converse => {
            let to_converse = |request: &mut aws_sdk_bedrockruntime::config::http::HttpRequest| {
                if let Some(uri) = converse_uri(request.uri()) {
                    // A URI of the same form cannot be refused; if it were, `/invoke` would refuse the body.
                    let _ = request.set_uri(uri);
                }
            };
            request.customize().mutate_request(to_converse).send().await?
        }
    };
    Ok(answer.body.into_inner())
}

const JSON: &str = "application/json";

fn converse_uri(invoke_uri: &str) -> Option<String> {
    invoke_uri.strip_suffix("/invoke").map(|start| format!("{start}/converse"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_operation_is_changed() {
        let invoke = "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.amazon.nova-lite-v1%3A0/invoke";
        let converse = "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.amazon.nova-lite-v1%3A0/converse";
        assert_eq!(converse_uri(invoke).as_deref(), Some(converse));
        assert_eq!(converse_uri(converse), None);
    }
}
