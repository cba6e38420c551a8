"""More uploads than executions may run at the same time: all are processed, and few at a time."""

import json
import uuid
from functools import partial

import pytest

from stack.deployed import CLAUDE, JOKE
from stack.inputs import csv_text, topic_table
from stack.run import Run
from stack.uploads import FUNCTION, executions_of
from stack.waiting import wait_for

UPLOADS, MAX_RUNNING = 5, 2


def play_alone(stack):
    """With nothing else on the stack, whose uploads would wait too."""
    mark = uuid.uuid4().hex[:8]
    run = {"job_name_prefix": "waiting", "model_id": CLAUDE, "prompt_id": JOKE}
    run["s3_uri"] = stack.put_input(csv_text(topic_table(110)))
    names = [f"{mark}-{number}" for number in range(UPLOADS)]
    stack.wait_until_no_job_is_open()
    with stack.variables(FUNCTION, MAX_UPLOAD_EXECUTIONS=str(MAX_RUNNING)):
        for name in names:
            stack.put(f"trigger/{name}.json", json.dumps(run))
        arns = [wait_for(f"the execution of {name}", partial(executions_of, stack, name), pause=0.5) for name in names]
    return [Run(stack, arn.rsplit(":", 1)[1]).wait() for (arn,) in arns]


def test_every_upload_is_processed_and_few_at_the_same_time(played_alone):
    assert [run.summary["answered"] for run in played_alone] == [110] * UPLOADS
    for run in played_alone:
        started = run.end["startDate"]
        others = [other for other in played_alone if other.end["startDate"] <= started < other.end["stopDate"]]
        assert len(others) <= MAX_RUNNING


@pytest.mark.parametrize("number", range(UPLOADS))
def test_each_upload_started_one_execution(stack, played_alone, number):
    stem = played_alone[number].name.rpartition("-")[0]
    assert executions_of(stack, stem) == [played_alone[number].arn]
