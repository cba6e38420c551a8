"""InvokeModel and Converse through boto3."""

import json

import pytest

import jobs

ARN = "arn:aws:bedrock:us-east-1::foundation-model/"
PROFILE = "arn:aws:bedrock:us-east-1:000000000000:inference-profile/"
NOVA = "amazon.nova-lite-v1:0"


def invoke(runtime, model, body):
    answer = runtime.invoke_model(modelId=model, body=json.dumps(body))
    return json.loads(answer["body"].read()), answer["ResponseMetadata"]["HTTPHeaders"]


@pytest.mark.parametrize("model", [jobs.MODEL, PROFILE + jobs.MODEL])
def test_a_model_is_invoked_by_its_profile_or_the_arn_of_it(simulator, runtime, model):
    answer, headers = invoke(runtime, model, jobs.claude_body("Hello there"))
    assert answer["content"][0]["text"]
    assert int(headers["x-amzn-bedrock-input-token-count"]) == answer["usage"]["input_tokens"]
    assert int(headers["x-amzn-bedrock-output-token-count"]) == answer["usage"]["output_tokens"]


@pytest.mark.parametrize("model", [NOVA, ARN + NOVA, "us." + NOVA])
def test_a_model_that_needs_no_profile_is_invoked_by_any_of_its_names(simulator, runtime, model):
    messages = [{"role": "user", "content": [{"text": "Hello there"}]}]
    answer, _ = invoke(runtime, model, {"messages": messages})
    assert answer["output"]["message"]["content"][0]["text"]


def test_a_model_that_needs_a_profile_is_invoked_through_one(simulator, runtime):
    answer, _ = invoke(runtime, "us.anthropic.claude-sonnet-4-5-20250929-v1:0", jobs.claude_body("Hello there"))
    assert answer["stop_reason"] == "end_turn"


def test_a_text_is_embedded(simulator, runtime):
    answer, headers = invoke(runtime, "amazon.titan-embed-text-v2:0", {"inputText": "Hello", "dimensions": 512})
    assert len(answer["embedding"]) == 512
    assert headers["x-amzn-bedrock-output-token-count"] == "0"


def test_a_conversation_is_continued(simulator, runtime):
    answer = runtime.converse(
        modelId="amazon.nova-lite-v1:0",
        system=[{"text": "Be terse."}],
        messages=[
            {"role": "user", "content": [{"text": "Hello"}]},
            {"role": "assistant", "content": [{"text": "Hello, how can I help?"}]},
            {"role": "user", "content": [{"text": "Answer one of: yes, no"}]},
        ],
        inferenceConfig={"maxTokens": 100},
    )
    assert answer["output"]["message"]["content"][0]["text"] in ("yes", "no")
    assert answer["stopReason"] == "end_turn"
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]


def test_answers_are_the_same_each_time(simulator, runtime):
    def ask(text):
        answer = runtime.converse(modelId=jobs.MODEL, messages=[{"role": "user", "content": [{"text": text}]}])
        return answer["output"]["message"]["content"][0]["text"]

    assert ask("Tell me about the sea") == ask("Tell me about the sea")
    assert ask("Tell me about the sea") != ask("Tell me about the hills and the woods")


def test_an_answer_is_cut_at_its_most_tokens(simulator, runtime):
    messages = [{"role": "user", "content": [{"text": "Tell me about the sea"}]}]
    answer = runtime.converse(modelId=jobs.MODEL, messages=messages, inferenceConfig={"maxTokens": 3})
    assert (answer["stopReason"], answer["usage"]["outputTokens"]) == ("max_tokens", 3)


def test_an_image_is_taken(simulator, runtime):
    four_by_three = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x04\0\0\0\x03\x08\2\0\0\0 and so on"
    image = {"format": "png", "source": {"bytes": four_by_three}}
    messages = [{"role": "user", "content": [{"image": image}, {"text": "What is this?"}]}]
    answer = runtime.converse(modelId=jobs.MODEL, messages=messages)
    assert answer["usage"]["inputTokens"] > 100
