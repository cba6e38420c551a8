"""Spending stops with the execution of the pipeline: its stage stops, and so do the jobs of the stage; the email says
how to continue."""

import json
import re

import pytest

from stack.deployed import CLAUDE, JOKE, unique
from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

COUNT = 220


def play(stack):
    # In the addresses of the inputs of its jobs.
    prefix = unique("stopped-first")
    stack.simulator.behave(f"/{prefix}/", job_seconds=60)
    stage = {"model_id": CLAUDE, "prompt_id": JOKE, "max_records_per_job": 110}
    rows = {"input_s3_uri": stack.put_input(csv_text(topic_table(COUNT)))}
    config = {
        "pipeline_name": "stopped",
        "stages": [
            stage | rows | {"stage_name": "first", "job_name_prefix": prefix},
            stage | {"stage_name": "second", "job_name_prefix": "stopped-second", "use_previous_output": True},
        ],
    }
    pipeline = stack.start_pipeline(config, "stopped")
    wait_for("the pipeline to be checked", lambda: stack.keys(f"runs/{pipeline.run_id}/pipeline.json"))
    first = pipeline.stages["first"]
    wait_for("both jobs", lambda: [("job_arn" in item) for item in first.items] == [True] * 2)
    pipeline.stop()
    first.wait()
    wait_for("the end of the jobs", lambda: all(job["status"] == "Stopped" for job in first.jobs))
    wait_for("the email", lambda: stack.mailbox.all_about(pipeline.name))
    stack.simulator.behave_well(f"/{prefix}/")
    return pipeline


def test_the_stage_is_stopped_with_its_pipeline(played):
    assert played.status == "ABORTED"
    assert played.stages["first"].status == "ABORTED"


def test_its_jobs_are_stopped(played):
    assert [job["status"] for job in played.stages["first"].jobs] == ["Stopped"] * 2


def test_no_other_stage_begins(stack, played):
    second = played.stages["second"]
    with pytest.raises(stack.step_functions.exceptions.ExecutionDoesNotExist):
        assert second.status
    assert second.jobs == [] and second.items == []


def test_one_email_says_what_was_stopped_and_how_to_continue(stack, played):
    (email,) = stack.mailbox.all_about(played.name)
    assert email.subject == "[bedrock-batch] Pipeline stopped was stopped in stage first"
    first = played.stages["first"]
    assert stack.mailbox.all_about(first.name) == [email], "the stage sends none of its own"
    assert f"bedrock-batch resume {first.run_id}" in email.text


def test_the_steps_in_the_email_complete_the_pipeline(stack, played):
    """Resume the stage that was stopped, then start those after it, by hand."""
    (email,) = stack.mailbox.all_about(played.name)
    first, second = played.stages.values()
    resumed = stack.resume(first).wait()
    assert resumed.summary["answered"] == COUNT
    steps = r"echo '(\{.*\})' > .*\n +bedrock-batch start \S+ --name (\S+) --wait"
    found = re.search(steps, email.text)
    assert found, email.text
    given, name = found.groups()
    assert name == second.name
    stack.start_named(json.loads(given), name)
    rows = second.wait().rows.sort_by("record_id")
    assert rows["topic"].to_pylist() == topic_table(COUNT)["topic"].to_pylist()
    assert rows["error"].null_count == COUNT
    assert rows["first_response"].to_pylist() == resumed.rows.sort_by("record_id")["response"].to_pylist()
