"""Claude, Nova and a Converse model, with inference parameters, by model id, inference profile and ARN."""

import pytest

from stack.checks import assert_whole
from stack.inputs import csv_text, topic_table

COUNT = 100
PARAMETERS = {"max_tokens": 60, "temperature": 0.2, "stop_sequences": ["THE END"], "system_prompt": "Be brief."}
BY_NAME = {
    "claude": ("us.anthropic.claude-haiku-4-5-20251001-v1:0", PARAMETERS | {"top_k": 5, "prefill": "Well,"}),
    "claude-profile": (
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        {"max_tokens": 3000, "thinking_budget_tokens": 2048},
    ),
    "nova-arn": ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", {}),
    "nova": ("amazon.nova-lite-v1:0", PARAMETERS | {"top_k": 5}),
    "gpt-oss": ("openai.gpt-oss-20b-1:0", PARAMETERS | {"top_p": 0.9}),
}


def play(stack):
    uri = stack.put_input(csv_text(topic_table(COUNT)))
    return stack.play_all(
        {name: stack.joke(uri, model_id=model, inference=told) for name, (model, told) in BY_NAME.items()}
    )


def sent(run) -> list[dict]:
    """The request, except for the text of the row, which differs."""
    rest = []
    for model_input in run.records.values():
        (content,) = model_input["messages"][0]["content"]
        content["text"] = "…"
        rest.append(model_input)
    return rest


@pytest.mark.parametrize("name", [name for name in BY_NAME if name != "claude"])
def test_every_row_is_answered(played, name):
    assert_whole(played[name], topic_table(COUNT), [COUNT])
    (job,) = played[name].jobs
    assert job["modelId"] == BY_NAME[name][0]


def test_claude_gets_the_messages_format(played):
    user = {"role": "user", "content": [{"type": "text", "text": "…"}]}
    expected = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 60,
        "temperature": 0.2,
        "top_k": 5,
        "stop_sequences": ["THE END"],
        "system": "Be brief.",
        "messages": [user, {"role": "assistant", "content": [{"type": "text", "text": "Well,"}]}],
    }
    assert sent(played["claude"]) == [expected] * COUNT


def test_a_prefill_is_put_back_before_the_answer(played):
    assert played["claude"].output["status"] == "completed"
    for row in played["claude"].rows.to_pylist():
        answer = played["claude"].answers[row["record_id"]]["modelOutput"]
        assert row["response"] == "Well," + "".join(block["text"] for block in answer["content"])


def test_thinking_is_requested_and_its_text_is_not_part_of_the_answer(played):
    run = played["claude-profile"]
    assert all(body["thinking"] == {"type": "enabled", "budget_tokens": 2048} for body in sent(run))
    kinds = {tuple(block["type"] for block in line["modelOutput"]["content"]) for line in run.answers.values()}
    assert kinds == {("thinking", "text")}, "the model did think"


def test_nova_gets_its_own_schema(played):
    expected = {
        "system": [{"text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"text": "…"}]}],
        "inferenceConfig": {"maxTokens": 60, "temperature": 0.2, "topK": 5, "stopSequences": ["THE END"]},
    }
    assert sent(played["nova"]) == [expected] * COUNT


def test_other_models_get_the_converse_format(played):
    expected = {
        "system": [{"text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"text": "…"}]}],
        "inferenceConfig": {"maxTokens": 60, "temperature": 0.2, "topP": 0.9, "stopSequences": ["THE END"]},
    }
    assert sent(played["gpt-oss"]) == [expected] * COUNT
    (job,) = played["gpt-oss"].jobs
    described = played["gpt-oss"].stack.bedrock.get_model_invocation_job(jobIdentifier=job["jobArn"])
    assert described["modelInvocationType"] == "Converse"
