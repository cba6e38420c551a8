"""A stack without the download function: emails contain presigned links, say when these really expire, and no more days
can be requested than AWS allows."""

from urllib.parse import parse_qs, urlsplit

from stack.contract import PREFIXES, function_name
from stack.deployed import CLAUDE, JOKE
from stack.inputs import csv_text, topic_table
from stack.links import fetch

COUNT = 110


def play_alone(stack):
    """With the functions as such a stack has them."""
    rows = stack.put_input(csv_text(topic_table(COUNT)))
    stage = {"stage_name": "one", "job_name_prefix": "one", "model_id": CLAUDE, "prompt_id": JOKE, "input_s3_uri": rows}
    stack.allow(function_name("notify"), "s3:GetObject", f"arn:aws:s3:::{stack.bucket}/{PREFIXES['ANSWERS']}/*")
    without = stack.variables(function_name("notify"), DOWNLOAD_URL=None, LINK_KEY_SECRET_ARN=None)
    with without, stack.variables(function_name("validate"), DOWNLOAD_LINKS="false"):
        run = stack.play(stack.joke(rows, presigned_url_expiry_days=7), "presigned")
        days = {"pipeline_name": "too many days", "presigned_url_expiry_days": 8, "stages": [stage]}
        pipeline = stack.play_pipeline(days, "days")
        return run, stack.mailbox.about(run.name), pipeline


def test_links_are_presigned_and_work(stack, played_alone):
    run, email, _ = played_alone
    (url,) = email.links.values()
    leads_to = parse_qs(urlsplit(url).query)
    assert leads_to["X-Amz-Expires"] == [str(7 * 86_400)] and "token" not in leads_to
    assert fetch(url).body == stack.read(run.output["output_paths"][0])


def test_the_email_says_when_they_really_expire(played_alone):
    run, email, _ = played_alone
    text = email.text
    assert "AWS may end them earlier, within hours" in text
    assert "although 7 days were requested" in text
    assert "`downloadLinks`" in text and f"bedrock-batch download {run.run_id}" in text


def test_no_more_days_than_aws_allows_can_be_requested(played_alone):
    _, _, pipeline = played_alone
    error, cause = pipeline.failure()
    assert error == "InvalidInput"
    for words in ("presigned_url_expiry_days is `8`", "from 1 to 7", "`downloadLinks`"):
        assert words in cause
