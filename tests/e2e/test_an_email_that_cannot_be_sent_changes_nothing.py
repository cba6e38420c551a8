"""A pipeline ends in the same way if its email cannot be sent: its answers, its error and its cause are the same."""

import json

from stack.contract import function_name
from stack.deployed import CLAUDE, JOKE
from stack.inputs import csv_text, topic_table
from stack.local import GONE, denials

COUNT = 110


def play_alone(stack):
    rows = stack.put_input(csv_text(topic_table(COUNT)))

    def config(model_id):
        stage = {"stage_name": "one", "job_name_prefix": "unheard", "model_id": model_id, "prompt_id": JOKE}
        return {"pipeline_name": "unheard", "stages": [stage | {"input_s3_uri": rows}]}

    with stack.variables(function_name("notify"), TOPIC_ARN=topic_of(stack)):
        return stack.play_pipelines(
            {"unheard-well": config(CLAUDE), "unheard-refused": config("gpt-4"), "unheard-job": failing(config)}
        )


def topic_of(stack) -> str:
    """A topic that does not exist, and that the role may not use."""
    return f"{stack.environment['NOTIFICATION_TOPIC_ARN']}{GONE}"


def failing(config):
    """Refused by its stage alone: the texts of the rows are not known before they are read."""
    given = config("amazon.titan-embed-text-v2:0")
    stage = given["stages"][0]
    del stage["prompt_id"]
    # The columns are right, but there are too few rows for a batch job.
    stage |= {"processing_mode": "batch", "max_records_total": 50, "column_mappings": {"input_text": "topic"}}
    return given


def test_a_successful_pipeline_still_succeeds(played_alone):
    pipeline = played_alone["unheard-well"]
    assert pipeline.status == "SUCCEEDED"
    run = pipeline.stages["one"]
    assert json.loads(pipeline.end["output"])["pipeline_run_id"] == pipeline.run_id
    assert run.summary["answered"] == COUNT


def test_a_pipeline_that_was_refused_says_why(played_alone):
    error, cause = played_alone["unheard-refused"].failure()
    assert (error, "stages[0].model_id is `gpt-4`" in cause) == ("InvalidInput", True)


def test_a_failed_stage_is_the_reason(played_alone):
    pipeline = played_alone["unheard-job"]
    _, own_cause = pipeline.stages["one"].failure()
    _, cause = pipeline.failure()
    assert json.dumps(own_cause)[1:60] in cause or own_cause[:60] in cause, cause


def test_no_email_was_sent(stack, played_alone):
    for pipeline in played_alone.values():
        assert stack.mailbox.all_about(pipeline.name) == []


def test_a_request_that_the_role_does_not_allow_is_denied(stack, played_alone):
    """All scenarios rely on this: they fail if any other request was denied."""
    assert f"DENIED {function_name('notify')} sns:Publish {topic_of(stack)}" in denials()
