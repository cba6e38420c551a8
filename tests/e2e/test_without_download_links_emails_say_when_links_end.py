"""A stack without the download function: emails hold presigned links, say when these really end, and nobody may ask for
more than AWS gives."""

from urllib.parse import parse_qs, urlsplit

import pytest

from stack.deployed import CLAUDE, JOKE
from stack.inputs import csv_text, topic_table
from stack.links import ask

COUNT = 110
# What the template leaves out, or says, where the context key `downloadLinks` is false.
WITHOUT = {"bedrock-batch-notify": {"DOWNLOAD_URL", "LINK_KEY_SECRET_ARN"}, "bedrock-batch-validate": {"DOWNLOAD_LINKS"}}


@pytest.fixture(scope="module")
def without_links(stack, in_background):
    """The functions as such a stack has them, with nobody else on the stack."""
    for future in in_background.values():
        future.exception()
    before = {}
    for function, names in WITHOUT.items():
        variables = stack.functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        assert names <= variables.keys()
        before[function] = variables
        fewer = {name: value for name, value in variables.items() if name not in names}
        if "DOWNLOAD_LINKS" in names:
            fewer["DOWNLOAD_LINKS"] = "false"
        set_variables(stack, function, fewer)
    yield
    for function, variables in before.items():
        set_variables(stack, function, variables)


def set_variables(stack, function, variables):
    stack.functions.update_function_configuration(FunctionName=function, Environment={"Variables": variables})


@pytest.fixture(scope="module")
def run(stack, without_links):
    uri = stack.put_input(csv_text(topic_table(COUNT)))
    return stack.play(stack.joke(uri, presigned_url_expiry_days=7), "presigned")


def test_links_are_presigned_and_work(stack, misbehaving, run):
    email = stack.mailbox.about(run.name)
    (url,) = email.links.values()
    leads_to = parse_qs(urlsplit(url).query)
    assert leads_to["X-Amz-Expires"] == [str(7 * 86_400)] and "token" not in leads_to
    assert ask(url).body == stack.read(run.output["output_paths"][0])


def test_the_email_says_when_they_really_end(stack, misbehaving, run):
    text = stack.mailbox.about(run.name).text
    assert "AWS may end them earlier, within hours" in text
    assert "although 7 days were asked for" in text
    assert "`downloadLinks`" in text and f"bedrock-batch download {run.run_id}" in text


def test_nobody_may_ask_for_more_days_than_aws_gives(stack, misbehaving, without_links):
    stage = {"stage_name": "one", "job_name_prefix": "one", "model_id": CLAUDE, "prompt_id": JOKE}
    stage["input_s3_uri"] = stack.put_input(csv_text(topic_table(COUNT)))
    pipeline = stack.play_pipeline({"pipeline_name": "p", "presigned_url_expiry_days": 8, "stages": [stage]}, "days")
    error, cause = pipeline.failure()
    assert error == "InvalidInput"
    for words in ("presigned_url_expiry_days is `8`", "from 1 to 7", "`downloadLinks`"):
        assert words in cause
